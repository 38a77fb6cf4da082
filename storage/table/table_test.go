package table_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/postgres"
	"github.com/pabal-dev/pabal/storage/sqlite"
	"github.com/pabal-dev/pabal/storage/table"
	"github.com/pabal-dev/pabal/streams/sink"
	"github.com/pabal-dev/pabal/streams/sink/sinktest"
)

var quiet = slog.New(slog.DiscardHandler)

func openSQLite(t testing.TB) storage.DB {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "table.db"), sqlite.Config{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return storage.Any(db)
}

func openPostgres(t testing.TB) storage.DB {
	db, err := postgres.Open(t.Context(), testenv.Postgres(t), postgres.Config{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return storage.Any(db)
}

var databases = map[string]func(testing.TB) storage.DB{"SQLite": openSQLite, "PostgreSQL": openPostgres}

var tables atomic.Int64

func fixture(t testing.TB, db storage.DB, text bool) sinktest.Fixture {
	name := fmt.Sprintf("rows_%d", tables.Add(1))
	target, err := table.Open(t.Context(), db, table.Config{Name: name, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return sinktest.Fixture{Target: target,
		Contents: func(t testing.TB) map[string]string { return contents(t, db, name, text) },
		Forget: func(t testing.TB) {
			// In one transaction: other than a server, a database does not forget halves.
			err := db.Update(t.Context(), func(tx storage.Tx) error {
				_, err := tx.Exec(t.Context(), "DELETE FROM pabal_sink_position")
				if err == nil {
					_, err = tx.Exec(t.Context(), "DELETE FROM "+name)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}}
}

func contents(t testing.TB, db storage.DB, name string, text bool) map[string]string {
	out := map[string]string{}
	err := db.View(t.Context(), func(q storage.Querier) error {
		clear(out)
		rows, err := q.Query(t.Context(), "SELECT key, value, updated_at FROM "+name)
		if err != nil {
			return err
		}
		for rows.Next() {
			var key, value []byte
			var k, v string
			var at int64
			if text {
				err = rows.Scan(&k, &v, &at)
			} else {
				err = rows.Scan(&key, &value, &at)
				k, v = string(key), string(value)
			}
			if err != nil {
				return errors.Join(err, rows.Close())
			}
			if age := time.Since(time.UnixMilli(at)); age > time.Hour && !strings.HasPrefix(k, "key-") {
				t.Errorf("%s was updated %s ago", k, age)
			}
			out[k] = v
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestConformance(t *testing.T) {
	for name, open := range databases {
		for _, text := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, text=%v", name, text), func(t *testing.T) {
				db := open(t)
				sinktest.Run(t, kafkatest.Start(t).Config, "", testenv.Rand(t), func(t testing.TB) sinktest.Fixture { return fixture(t, db, text) })
			})
		}
	}
}

// TestWrite: what a user's function does is part of the step, and so is its failure.
func TestWrite(t *testing.T) {
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			make := func(ctx context.Context, tx storage.Tx) error {
				_, err := tx.Exec(ctx, "CREATE TABLE lengths (key TEXT PRIMARY KEY, length BIGINT)")
				return err
			}
			if err := db.Update(t.Context(), func(tx storage.Tx) error { return make(t.Context(), tx) }); err != nil {
				t.Fatal(err)
			}
			target, err := table.Open(t.Context(), db, table.Config{Write: func(ctx context.Context, tx storage.Tx, c sink.Change) error {
				if string(c.Value) == "refused" {
					return errors.New("no")
				}
				_, err := tx.Exec(ctx, "INSERT INTO lengths (key, length) VALUES ($1, $2)", string(c.Key), int64(len(c.Value)))
				return err
			}})
			if err != nil {
				t.Fatal(err)
			}
			bad := sink.Batch{Sink: "s", Topic: "t", From: sink.None, To: 2, Changes: []sink.Change{{Key: []byte("a"), Value: []byte("long")}, {Key: []byte("b"), Value: []byte("refused"), Offset: 1}}}
			if err := target.Apply(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "offset 1") {
				t.Errorf("got %v", err)
			}
			good := bad
			good.Changes = bad.Changes[:1]
			if err := target.Apply(t.Context(), good); err != nil {
				t.Errorf("nothing of the refused step should be there: %v", err)
			}
		})
	}
}

func TestBadName(t *testing.T) {
	for _, name := range []string{"", "a b", "1a", "x;DROP TABLE y"} {
		if _, err := table.Open(t.Context(), openSQLite(t), table.Config{Name: name}); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
}
