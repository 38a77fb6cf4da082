package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// TestPreparedWriterOutlivesACrash: its name in pg_locks changes with the
// restart, and no mark may be believed until it is gone.
func TestPreparedWriterOutlivesACrash(t *testing.T) {
	server := testenv.StartPostgres(t)
	ctx := t.Context()
	db := open(t, server.URL, postgres.Config{})
	if !canPrepare(t, connect(t, server.URL)) {
		t.FailNow()
	}
	conn := connect(t, server.URL)
	tx, err := conn.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Join(tx, postgres.WithoutNotify()).InsertOutbox(ctx, []outbox.Message{message("t", "k", 1)}); err != nil {
		t.Fatal(err)
	}
	before := must[outbox.Horizon](t)(db.Horizon(ctx))
	if len(before.Writers) != 1 || before.Prepared || before.LastID != 1 {
		t.Fatalf("with one writer: %+v", before)
	}
	if _, err := conn.Exec(ctx, "PREPARE TRANSACTION 'p'"); err != nil {
		t.Fatal(err)
	}
	prepared := must[outbox.Horizon](t)(db.Horizon(ctx))
	if !prepared.Prepared || prepared.Settles(before) {
		t.Fatalf("prepared: %+v after %+v", prepared, before)
	}
	crash(t, server.Kill, server.Restart)
	var after outbox.Horizon
	eventually(t, "the horizon after the restart", func() (err error) { after, err = db.Horizon(ctx); return err })
	t.Logf("writers before %v, prepared %v, after the restart %v", before.Writers, prepared.Writers, after.Writers)
	if !after.Prepared || after.Settles(before) {
		t.Fatalf("after the restart: %+v", after)
	}
	if _, err := db.Pool().Exec(ctx, "COMMIT PREPARED 'p'"); err != nil {
		t.Fatal(err)
	}
	last := must[outbox.Horizon](t)(db.Horizon(ctx))
	if !last.Settles(before) || len(pending(t, db)) != 1 {
		t.Fatalf("committed: %+v", last)
	}
}

func crash(t *testing.T, kill func() error, restart func(context.Context) error) {
	t.Helper()
	if err := kill(); err != nil {
		t.Fatal(err)
	}
	if err := restart(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestCrashDoesNotGiveIDsAgain: ids taken by a transaction that rolled back are
// in memory only until something forces the log to disk; Horizon does.
func TestCrashDoesNotGiveIDsAgain(t *testing.T) {
	// Nothing else may force it: the log's writer is slow, no vacuum runs.
	server := testenv.StartPostgres(t, "wal_writer_delay = 10s", "wal_writer_flush_after = 0", "autovacuum = off")
	ctx := t.Context()
	db := open(t, server.URL, postgres.Config{})
	for round := range 3 {
		var horizon outbox.Horizon
		rollback := errors.New("rollback")
		err := db.Update(ctx, func(tx *postgres.Tx) error {
			for range 20 {
				if err := tx.InsertOutbox(ctx, []outbox.Message{message("t", "k", 1), message("t", "k", 2)}); err != nil {
					return err
				}
			}
			return rollback
		})
		if !errors.Is(err, rollback) {
			t.Fatal(err)
		}
		horizon = must[outbox.Horizon](t)(db.Horizon(ctx))
		crash(t, server.Kill, server.Restart)
		eventually(t, "an insert after the restart", func() error {
			return db.Update(ctx, func(tx *postgres.Tx) error { return tx.InsertOutbox(ctx, []outbox.Message{message("t", "k", round)}) })
		})
		rows := pending(t, db)
		if id := rows[len(rows)-1].ID; id <= horizon.LastID {
			t.Fatalf("round %d: id %d was given after the crash, although the horizon had said %d", round, id, horizon.LastID)
		}
	}
}

// TestRestartIsTransient: a consumer's transactions fail, say why, and go on.
func TestRestartIsTransient(t *testing.T) {
	server := testenv.StartPostgres(t)
	ctx := t.Context()
	db := open(t, server.URL, postgres.Config{MaxConns: 3})
	claim := must[inbox.Claim](t)(db.Claim(ctx, "c", inbox.Partition{Cluster: "c", TopicID: "id", Topic: "t"}, 1))
	if err := db.Update(ctx, func(tx *postgres.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	stop, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	var mu sync.Mutex
	failures := map[string]bool{}
	for n := range 3 {
		work.Go(func() {
			for i := 0; stop.Err() == nil; i++ {
				err := db.Update(ctx, func(tx *postgres.Tx) error {
					if err := tx.AdvanceInbox(ctx, claim, 0, int64(i)); err != nil {
						return err
					}
					_, err := tx.MarkInbox(ctx, "c", []inbox.Mark{{ID: fmt.Sprint(n, "-", i), Outcome: inbox.Handled}})
					return err
				})
				if err != nil && !db.Transient(err) {
					t.Errorf("not transient: %v", err)
				}
				if err != nil {
					mu.Lock()
					failures[err.Error()] = true
					mu.Unlock()
				}
			}
		})
	}
	wake, done := db.Wakeups(stop)
	<-wake
	crash(t, server.Kill, server.Restart)
	eventually(t, "an update after the restart", func() error { return db.Update(ctx, func(tx *postgres.Tx) error { return nil }) })
	crash(t, server.Stop, server.Restart)
	eventually(t, "an update after the second restart", func() error { return db.Update(ctx, func(tx *postgres.Tx) error { return nil }) })
	enqueue(t, db, message("t", "k", 1))
	select {
	case <-wake:
	case <-time.After(30 * time.Second):
		t.Error("not woken after restarts")
	}
	cancel()
	work.Wait()
	<-done
	if len(failures) == 0 {
		t.Error("no update failed")
	}
	for text := range failures {
		t.Log(text)
	}
}

// TestNothingWaitsPastItsContext: with the pool exhausted, and behind a lock.
func TestNothingWaitsPastItsContext(t *testing.T) {
	db := open(t, testenv.Postgres(t), postgres.Config{MaxConns: 1})
	claim := must[inbox.Claim](t)(db.Claim(t.Context(), "c", inbox.Partition{Cluster: "c", TopicID: "id", Topic: "t"}, 1))
	second := open(t, db.Pool().Config().ConnString(), postgres.Config{})
	err := db.Update(t.Context(), func(tx *postgres.Tx) error {
		if err := tx.AdvanceInbox(t.Context(), claim, 0, 1); err != nil {
			return err
		}
		for what, call := range map[string]func(context.Context) error{
			"exhausted pool": func(ctx context.Context) error { return db.Update(ctx, func(*postgres.Tx) error { return nil }) },
			"locked lane": func(ctx context.Context) error {
				_, err := second.Claim(ctx, claim.Consumer, claim.Partition, 1)
				return err
			},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			start := time.Now()
			err := call(ctx)
			cancel()
			if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took > time.Minute || !db.Transient(err) {
				t.Errorf("%s: %v after %s", what, err, took)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Claim(t.Context(), claim.Consumer, claim.Partition, 1); err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx *postgres.Tx) error { return tx.AdvanceInbox(t.Context(), claim, 0, 2) })
	if !errors.Is(err, inbox.ErrFenced) || db.Transient(err) {
		t.Errorf("after another claim: %v", err)
	}
}
