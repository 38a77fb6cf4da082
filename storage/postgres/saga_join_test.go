package postgres_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage/postgres"
)

func TestEveryWayIntoTheSagas(t *testing.T) {
	where := testenv.Postgres(t)
	db := open(t, where, postgres.Config{Schema: "app"})
	at := time.Date(2026, 11, 20, 1, 2, 3, 123456000, time.UTC)
	for name, update := range ways(t, where, db) {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			full := saga.Record{Name: name, ID: `odd "id", {NULL} 'x' \`, Version: 2, Revision: 1, Status: saga.Running,
				State: json.RawMessage(`{"a": "\u0000 \\ \" '{NULL}'"}`), Progress: json.RawMessage(`[1, "NULL"]`), Current: `a "b"`,
				CorrelationID: `{c}`, Reason: "why\n\\", Started: at, Changed: at, Due: at.Add(time.Hour)}
			plain := saga.Record{Name: name, ID: "a", Version: 1, Revision: 1, Status: saga.Completed, State: json.RawMessage(`null`),
				Progress: json.RawMessage(`0`), Started: at, Changed: at, Ended: at.Add(time.Microsecond)}
			entries := []saga.Entry{{At: at, Kind: saga.EntryStarted, Note: `{"} \`}}
			err := update(func(tx *postgres.Tx) error {
				first := full
				first.Entries = entries
				inserted, err := tx.InsertSagas(ctx, []saga.Record{first, plain, first})
				if err != nil {
					return err
				}
				if !reflect.DeepEqual(inserted, []bool{true, true, false}) {
					t.Error(inserted)
				}
				due, err := tx.DueSagas(ctx, name, full.Due, 5)
				if err != nil {
					return err
				}
				if !reflect.DeepEqual(due, []saga.Record{full}) {
					t.Errorf("due:\n%+v\nwant\n%+v", due, full)
				}
				full.Revision++
				full.Entries = entries
				if err := tx.SaveSagas(ctx, []saga.Record{full}); err != nil {
					return err
				}
				full.Entries = nil
				loaded, err := tx.LoadSagas(ctx, name, []string{"b", full.ID, "a"})
				if err != nil {
					return err
				}
				if !reflect.DeepEqual(loaded, []saga.Record{plain, full}) {
					t.Errorf("loaded:\n%+v\nwant\n%+v", loaded, []saga.Record{plain, full})
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, timeline, err := db.Saga(ctx, name, full.ID); err != nil || len(timeline) != 2 || !reflect.DeepEqual(timeline[:1], entries) {
				t.Errorf("timeline %+v, %v", timeline, err)
			}
			err = update(func(tx *postgres.Tx) error { return tx.SaveSagas(ctx, []saga.Record{full}) })
			if !errors.Is(err, saga.ErrChanged) {
				t.Errorf("saved twice: %v", err)
			}
		})
	}
}
