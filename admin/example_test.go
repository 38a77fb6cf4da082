package admin_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// A service mounts its admin side; whoever operates it asks over HTTP.
func Example() {
	ctx := context.Background()
	quiet := slog.New(slog.DiscardHandler)
	folder, _ := os.MkdirTemp("", "example")
	defer os.RemoveAll(folder)
	db, err := sqlite.Open(ctx, filepath.Join(folder, "orders.db"), sqlite.Config{Logger: quiet})
	if err != nil {
		panic(err)
	}
	defer db.Close()
	relay, err := outbox.NewRelay(db, kafka.Config{Brokers: []string{"kafka:9092"}}, outbox.RelayConfig{Logger: quiet})
	if err != nil {
		panic(err)
	}

	local, err := admin.NewLocal(admin.LocalConfig{
		Name: "orders", Instance: "orders-1",
		Outbox: &admin.LocalOutbox{Name: "orders", Store: db, Relay: relay},
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/admin/", http.StripPrefix("/admin", admin.Handler(local, admin.HandlerConfig{Logger: quiet})))
	service := httptest.NewServer(mux)
	defer service.Close()

	// Nothing relays yet: the row waits.
	err = db.Update(ctx, func(tx *sqlite.Tx) error {
		return outbox.Enqueue(ctx, tx, event.New("order-placed", "order-1", nil))
	})
	if err != nil {
		panic(err)
	}
	client, err := admin.NewClient(admin.ClientConfig{URL: service.URL + "/admin"})
	if err != nil {
		panic(err)
	}
	page, err := client.Rows(ctx, outbox.RowQuery{Status: outbox.Started})
	if err != nil {
		panic(err)
	}
	for _, row := range page.Rows {
		fmt.Println(row.ID, row.Status, row.Topic, row.Key)
	}
	// Output: 1 STARTED order-placed order-1
}
