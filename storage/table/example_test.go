package table_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/sqlite"
	"github.com/pabal-dev/pabal/storage/table"
	"github.com/pabal-dev/pabal/streams/sink"
)

// A sink does this with what it reads; here are two steps by hand, and the first again.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "table")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := sqlite.Open(ctx, filepath.Join(dir, "copy.db"), sqlite.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	counts, err := table.Open(ctx, storage.Any(db), table.Config{Name: "counts", Text: true})
	if err != nil {
		log.Fatal(err)
	}
	step := func(from, to int64, value string) sink.Batch {
		return sink.Batch{Sink: "counts", Topic: "changelog", From: from, To: to,
			Changes: []sink.Change{{Key: []byte("word"), Value: []byte(value)}}}
	}
	fmt.Println(counts.Apply(ctx, step(sink.None, 1, "1")))
	fmt.Println(counts.Apply(ctx, step(1, 2, "2")))
	fmt.Println(counts.Apply(ctx, step(sink.None, 1, "1")))
	// Output:
	// <nil>
	// <nil>
	// table: sink counts, changelog/0: the target stands elsewhere
}
