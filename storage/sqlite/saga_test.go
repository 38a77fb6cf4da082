package sqlite

import (
	"database/sql"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/saga"
)

// TestJoinSagas: the port of sagas works in a transaction of the user's.
func TestJoinSagas(t *testing.T) {
	db := openTest(t, Config{})
	users, err := sql.Open("sqlite", "file:"+db.path+"?_txlock=immediate&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer users.Close()
	ctx := t.Context()
	at := time.Date(2026, 11, 20, 1, 2, 3, 123456000, time.UTC)
	r := saga.Record{Name: "trip", ID: `"a"`, Version: 1, Revision: 1, Status: saga.Running, State: json.RawMessage(`{}`),
		Progress: json.RawMessage(`[]`), Started: at, Changed: at, Due: at}
	for i, end := range []func(*sql.Tx) error{(*sql.Tx).Rollback, (*sql.Tx).Commit} {
		tx, err := users.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		joined := Join(tx)
		inserted, err := joined.InsertSagas(ctx, []saga.Record{r, r})
		if err != nil || !reflect.DeepEqual(inserted, []bool{true, false}) {
			t.Fatal(inserted, err)
		}
		second := r
		second.Revision, second.Entries = 2, []saga.Entry{{At: at, Kind: saga.EntryTimer}}
		if err := joined.SaveSagas(ctx, []saga.Record{second}); err != nil {
			t.Fatal(err)
		}
		if err := joined.SaveSagas(ctx, []saga.Record{second}); !errors.Is(err, saga.ErrChanged) {
			t.Fatal(err)
		}
		second.Entries = nil
		loaded, err := joined.LoadSagas(ctx, "trip", []string{r.ID, "b"})
		due, err2 := joined.DueSagas(ctx, "trip", at, 5)
		if want := []saga.Record{second}; err != nil || err2 != nil || !reflect.DeepEqual(loaded, want) || !reflect.DeepEqual(due, want) {
			t.Fatalf("loaded %+v, %v; due %+v, %v", loaded, err, due, err2)
		}
		if err := end(tx); err != nil {
			t.Fatal(err)
		}
		_, entries, err := db.Saga(ctx, "trip", r.ID)
		if committed := i == 1; (err == nil) != committed || committed && len(entries) != 1 {
			t.Fatalf("committed %v: %v, %v", committed, entries, err)
		}
	}
}
