package projection_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"testing/fstest"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

type Deposited struct {
	Amount int64 `json:"amount"`
}

// A view of balances, in the database of the events: each deposit is counted once,
// whatever crashes.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "pabal")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := sqlite.Open(ctx, filepath.Join(dir, "bank.db"), sqlite.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	err = db.Migrate(ctx, "bank", fstest.MapFS{"0001_balance.sql": {Data: []byte(
		"CREATE TABLE balance (account TEXT PRIMARY KEY, amount BIGINT NOT NULL)")}})
	if err != nil {
		log.Fatal(err)
	}
	registry, err := journal.NewRegistry(journal.JSON(journal.TypeOf[Deposited]("deposited")))
	if err != nil {
		log.Fatal(err)
	}

	handled := make(chan struct{}, 3)
	balances, err := projection.New(db, db, projection.Config[*sqlite.Tx]{
		Name: "balances", Query: journal.Query{EntityType: "account"}, Registry: registry,
		Handler: func(ctx context.Context, tx *sqlite.Tx, e projection.Envelope) error {
			defer func() { handled <- struct{}{} }()
			_, err := tx.Exec(ctx, "INSERT INTO balance VALUES ($1, $2) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
				journal.EntityID(e.PersistenceID), e.Value.(Deposited).Amount)
			return err
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := balances.Start(ctx); err != nil {
		log.Fatal(err)
	}

	for n, amount := range []int64{100, 20, 3} {
		payload, err := registry.Marshal(Deposited{amount})
		if err != nil {
			log.Fatal(err)
		}
		_, err = db.AppendGroup(ctx, []journal.Write{{
			PersistenceID: "account|ann", After: int64(n), Writer: event.NewID(), Events: []journal.NewEvent{{Payload: payload}},
		}})
		if err != nil {
			log.Fatal(err)
		}
	}
	for range 3 {
		<-handled
	}
	if err := balances.Stop(ctx); err != nil { // finishes the last transaction
		log.Fatal(err)
	}

	var amount int64
	err = db.Update(ctx, func(tx *sqlite.Tx) error {
		return tx.QueryRow(ctx, "SELECT amount FROM balance WHERE account = $1", "ann").Scan(&amount)
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ann has", amount)
	// Output: ann has 123
}
