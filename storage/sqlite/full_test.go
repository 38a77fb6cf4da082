package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// TestFull: a file that may not grow is an outage, for everybody in the group
// as far as SQLite rolls them back, and nothing is half there; when there is
// room again, all goes on.
func TestFull(t *testing.T) {
	db := openTest(t, Config{})
	exec(t, db, createNumbers, "CREATE TABLE bulk (id INTEGER PRIMARY KEY, data BLOB)")
	ctx := context.Background()
	setPages := func(n int) {
		t.Helper()
		exec(t, db, fmt.Sprintf("PRAGMA max_page_count = %d", n))
	}
	setPages(60)
	bulky := func(tx *Tx) error {
		if err := insertNumber(ctx, tx, 50); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO bulk (data) VALUES (zeroblob(1000000))")
		return err
	}
	for range 2 {
		err := db.Update(ctx, bulky)
		if err == nil || !db.Transient(err) {
			t.Fatalf("in a full file: %v, want a transient error", err)
		}
	}
	errs := together(t, db, number(1), bulky, number(2))
	if errs[1] == nil || !db.Transient(errs[1]) {
		t.Fatalf("in a group: %v, want a transient error", errs[1])
	}
	stored := numbers(t, db)
	for i, id := range map[int]int{0: 1, 2: 2} {
		if slices.Contains(stored, id) != (errs[i] == nil) || errs[i] != nil && !db.Transient(errs[i]) {
			t.Fatalf("closure %d returned %v, stored are %v", i, errs[i], stored)
		}
	}
	if slices.Contains(stored, 50) {
		t.Fatal("half of a transaction was stored")
	}
	if err := db.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	setPages(1 << 30)
	if err := errors.Join(together(t, db, bulky, number(3))...); err != nil {
		t.Fatalf("with room again: %v", err)
	}
}
