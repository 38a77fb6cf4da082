package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// TestRowsFromBeforeTheColumn: a database that Pekko made and goes on writing to
// while Pabal adds its column. Writers hold transactions open across it, with a
// statement before it or none. Nothing is missed, nothing comes twice.
func TestRowsFromBeforeTheColumn(t *testing.T) {
	url := testenv.Postgres(t)
	makeAsPekko(t, connect(t, url))
	random := testenv.Rand(t)
	ctx, cancel := context.WithCancel(t.Context())
	const writers = 12
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	before := make(chan struct{}, writers)
	for n := range writers {
		conn, r := connect(t, url), rand.New(rand.NewPCG(random.Uint64(), 0))
		work.Go(func() {
			for seqNr := int64(1); ctx.Err() == nil; {
				wrote := 1 + r.Int64N(3)
				err := pgx.BeginFunc(context.WithoutCancel(ctx), conn, func(tx pgx.Tx) error {
					_, err := tx.Exec(context.WithoutCancel(ctx), "SELECT pg_current_xact_id()")
					for i := range wrote {
						time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
						if err == nil {
							err = insertAsPekko(context.WithoutCancel(ctx), tx, fmt.Sprintf("p|%02d", n), seqNr+i)
						}
					}
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
				if seqNr += wrote; seqNr > 10 && seqNr-wrote <= 10 {
					before <- struct{}{}
				}
			}
		})
	}
	for range writers {
		<-before
	}
	db := open(t, url, postgres.Config{})
	var queries []*journal.Query
	var got [][]string
	for limit := 1; limit < 400; limit *= 7 {
		queries, got = append(queries, &journal.Query{Slices: journal.AllSlices(), Limit: limit}), append(got, nil)
	}
	for i, q := range queries { // while they write on
		for range 20 {
			p := must[journal.Page](t)(db.Page(t.Context(), *q))
			q.After = p.Cursor
			for _, e := range p.Events {
				got[i] = append(got[i], fmt.Sprintf("%s/%d", e.PersistenceID, e.SeqNr))
			}
		}
	}
	cancel()
	work.Wait()
	want, without := stored(t, db)
	if without == 0 || without == len(want) {
		t.Fatalf("%d of %d rows are from before the column: nothing was shown", without, len(want))
	}
	t.Logf("%d rows, %d from before the column", len(want), without)
	for i, q := range queries {
		all := append(got[i], readAll(t, db, q)...)
		slices.Sort(all)
		if !slices.Equal(all, want) {
			t.Errorf("pages of %d: %d events, %d stored", q.Limit, len(all), len(want))
		}
	}
}

func stored(t *testing.T, db *postgres.DB) (labels []string, without int) {
	t.Helper()
	rows, err := db.Pool().Query(t.Context(), "SELECT persistence_id || '/' || seq_nr, xid IS NULL FROM event_journal")
	if err != nil {
		t.Fatal(err)
	}
	var label string
	var none bool
	if _, err := pgx.ForEachRow(rows, []any{&label, &none}, func() error {
		labels = append(labels, label)
		if none {
			without++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(labels)
	return labels, without
}

// makeAsPekko makes the tables with the columns that Pekko publishes.
func makeAsPekko(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	_, err := conn.Exec(t.Context(), `
		CREATE TABLE event_journal (slice INT NOT NULL, entity_type VARCHAR(255) NOT NULL, persistence_id VARCHAR(255) NOT NULL,
			seq_nr BIGINT NOT NULL, db_timestamp timestamp with time zone NOT NULL, event_ser_id INTEGER NOT NULL,
			event_ser_manifest VARCHAR(255) NOT NULL, event_payload BYTEA NOT NULL, deleted BOOLEAN DEFAULT FALSE NOT NULL,
			writer VARCHAR(255) NOT NULL, adapter_manifest VARCHAR(255), tags TEXT ARRAY,
			meta_ser_id INTEGER, meta_ser_manifest VARCHAR(255), meta_payload BYTEA, PRIMARY KEY (persistence_id, seq_nr));
		CREATE TABLE durable_state (slice INT NOT NULL, entity_type VARCHAR(255) NOT NULL, persistence_id VARCHAR(255) NOT NULL,
			revision BIGINT NOT NULL, db_timestamp timestamp with time zone NOT NULL, state_ser_id INTEGER NOT NULL,
			state_ser_manifest VARCHAR(255), state_payload BYTEA NOT NULL, tags TEXT ARRAY, PRIMARY KEY (persistence_id, revision));`)
	if err != nil {
		t.Fatal(err)
	}
}

// TestStatesFromBeforeTheColumn: one that is updated later comes once more.
func TestStatesFromBeforeTheColumn(t *testing.T) {
	url := testenv.Postgres(t)
	conn := connect(t, url)
	makeAsPekko(t, conn)
	for n := range 5 {
		_, err := conn.Exec(t.Context(), `INSERT INTO durable_state (slice, entity_type, persistence_id, revision, state_ser_id,
			state_ser_manifest, state_payload, tags, db_timestamp) VALUES ($1, 'd', $2, 1, 20, NULL, 'x', NULL, now())`,
			journal.SliceOf(fmt.Sprint("d|", n)), fmt.Sprint("d|", n))
		if err != nil {
			t.Fatal(err)
		}
	}
	db := open(t, url, postgres.Config{})
	q := journal.Query{Kind: journal.States, Slices: journal.AllSlices(), Limit: 2}
	first := must[journal.Page](t)(db.Page(t.Context(), q))
	if len(first.Events) != 2 || !first.More {
		t.Fatalf("a page of %d", len(first.Events))
	}
	q.After = first.Cursor
	_, err := conn.Exec(t.Context(), "UPDATE durable_state SET revision = 2, db_timestamp = now() WHERE persistence_id = $1", first.Events[0].PersistenceID)
	if err != nil {
		t.Fatal(err)
	}
	got := readAll(t, db, &q)
	if len(got) != 4 || !slices.Contains(got, first.Events[0].PersistenceID+"/2") {
		t.Fatalf("then %v", got)
	}
}

const gapWriter = "0197a1b2-0000-7000-8000-000000000002"

// insertAsPekko knows nothing of the column xid.
func insertAsPekko(ctx context.Context, tx pgx.Tx, id string, seqNr int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO event_journal (slice, entity_type, persistence_id, seq_nr, writer, adapter_manifest,
		event_ser_id, event_ser_manifest, event_payload, tags, db_timestamp)
		VALUES ($1, $2, $3, $4, $5, '', 20, '', $6, NULL, transaction_timestamp())`,
		journal.SliceOf(id), journal.EntityType(id), id, seqNr, gapWriter, []byte("event"))
	return err
}
