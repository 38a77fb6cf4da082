package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/storage/postgres"
)

// TestRowsLeftOpen: ours are closed, pgx's own are the handler's mistake, which
// is the same at every repetition.
func TestRowsLeftOpen(t *testing.T) {
	db := openNew(t)
	err := db.Update(t.Context(), func(tx *postgres.Tx) error {
		_, err := tx.Query(t.Context(), "SELECT generate_series(1, 100000) WHERE $1", true)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for _, failure := range []error{nil, errors.New("no")} {
		err = db.Update(t.Context(), func(tx *postgres.Tx) error {
			_, err := tx.Pgx().Query(t.Context(), "SELECT generate_series(1, 100000) WHERE $1", true)
			return errors.Join(err, failure)
		})
		if err == nil || db.Transient(err) || failure == nil && !strings.Contains(err.Error(), "left open") {
			t.Error(err)
		}
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestCommitThatIsRefused: what the handler did cannot be committed, however
// often it is repeated.
func TestCommitThatIsRefused(t *testing.T) {
	db := openNew(t)
	ctx := t.Context()
	must[any](t)(db.Pool().Exec(ctx, "CREATE TABLE once (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
	err := db.Update(ctx, func(tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO once VALUES (1), (1)")
		return err
	})
	if !db.IsDuplicate(err) || db.Transient(err) {
		t.Error("deferred constraint: ", err)
	}
	err = db.Update(ctx, func(tx *postgres.Tx) error {
		_, _ = tx.Exec(ctx, "SELECT 1/0")
		return nil
	})
	if err == nil || db.Transient(err) || !strings.Contains(err.Error(), "not returned") {
		t.Error("swallowed error: ", err)
	}
}
