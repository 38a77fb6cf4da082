package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pabal-dev/pabal/storage/sqlite"
)

// A transaction is committed where the function returns nil, else rolled back.
func ExampleDB_Update() {
	ctx := context.Background()
	folder, _ := os.MkdirTemp("", "example")
	defer os.RemoveAll(folder)
	db, err := sqlite.Open(ctx, filepath.Join(folder, "shop.db"), sqlite.Config{})
	if err != nil {
		panic(err)
	}
	defer db.Close()

	err = db.Update(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.Exec(ctx, `CREATE TABLE soups (name TEXT PRIMARY KEY)`)
		return err
	})
	fmt.Println("made:", err)
	err = db.Update(ctx, func(tx *sqlite.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO soups VALUES ($1)`, "leek"); err != nil {
			return err
		}
		return sql.ErrNoRows // something else went wrong
	})
	fmt.Println("failed:", err)
	err = db.Update(ctx, func(tx *sqlite.Tx) error {
		var n int
		err := tx.QueryRow(ctx, `SELECT count(*) FROM soups`).Scan(&n)
		fmt.Println("soups:", n)
		return err
	})
	fmt.Println(err)
	// Output:
	// made: <nil>
	// failed: sql: no rows in result set
	// soups: 0
	// <nil>
}
