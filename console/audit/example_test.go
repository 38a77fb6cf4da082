package audit_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/audit"
)

// An act is recorded before it is done, and again with how it ended.
func Example() {
	folder, _ := os.MkdirTemp("", "example")
	defer os.RemoveAll(folder)
	log, err := audit.Open(filepath.Join(folder, "audit.jsonl"))
	if err != nil {
		panic(err)
	}
	defer log.Close()

	ctx := api.WithUser(context.Background(), api.User{Name: "kim", Role: api.Operator, From: "10.0.0.7"})
	entry := api.AuditEntry{Act: "redrive", Target: "payment.dead-letters/0/42", Outcome: "begun"}
	if err := log.Record(ctx, entry); err != nil {
		panic(err) // the act is refused
	}
	entry.Outcome = "done"
	if err := log.Record(ctx, entry); err != nil {
		panic(err)
	}

	page, err := log.Entries(ctx, api.PageQuery{Search: "kim"})
	if err != nil {
		panic(err)
	}
	for _, e := range page.Items {
		fmt.Println(e.User, e.Act, e.Target, e.Outcome)
	}
	// Output:
	// kim redrive payment.dead-letters/0/42 done
	// kim redrive payment.dead-letters/0/42 begun
}
