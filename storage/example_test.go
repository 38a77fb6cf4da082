package storage_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

// Code over storage.DB runs on either database; which one is configuration.
func ExampleDB() {
	ctx := context.Background()
	folder, _ := os.MkdirTemp("", "example")
	defer os.RemoveAll(folder)
	var db storage.DB
	db, err := open.DB(ctx, "sqlite:"+filepath.Join(folder, "credits.db"), open.Config{})
	if err != nil {
		panic(err)
	}
	defer db.Close()

	err = db.Update(ctx, func(tx storage.Tx) error {
		if _, err := tx.Exec(ctx, `CREATE TABLE credits (customer TEXT PRIMARY KEY, balance BIGINT NOT NULL)`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO credits VALUES ($1, $2)`, "jenny", 1000)
		return err
	})
	if err != nil {
		panic(err)
	}
	err = db.View(ctx, func(q storage.Querier) error {
		var balance int64
		err := q.QueryRow(ctx, `SELECT balance FROM credits WHERE customer = $1`, "jenny").Scan(&balance)
		fmt.Println(balance)
		return err
	})
	fmt.Println(err)
	// Output:
	// 1000
	// <nil>
}
