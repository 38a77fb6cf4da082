package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// childPath makes the test binary the process that is killed.
const childPath = "PABAL_SQLITE_TEST_CHILD"

const childWriters = 4

// TestCrash kills a process that writes, again and again. Whatever it said was
// committed is there, whole.
func TestCrash(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	path := newPath(t)
	rounds := testenv.Sized(8, 100)
	acknowledged := map[int64]bool{}
	for range rounds {
		crashOnce(t, "TestCrashChild", path, time.Duration(random.IntN(60))*time.Millisecond, acknowledged)
		checkAfterCrash(t, path, acknowledged)
	}
	t.Logf("%d acknowledged transactions", len(acknowledged))
}

// crashOnce runs the child until it has acknowledged something, and a little
// longer.
func crashOnce(t *testing.T, test, path string, longer time.Duration, acknowledged map[int64]bool) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	child.Env = append(os.Environ(), childPath+"="+path, fmt.Sprintf("%s_FROM=%d", childPath, 1_000_000*(1+len(acknowledged))))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(5*time.Minute, func() { _ = child.Process.Kill() })
	defer kill.Stop()
	began := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		id, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil {
			continue // a line of the test binary
		}
		if !began {
			began = true
			kill.Reset(longer)
		}
		acknowledged[id] = true
	}
	if err := child.Wait(); err == nil || !began {
		t.Fatalf("the child ended by itself, or never began: %v", err)
	}
}

func checkAfterCrash(t *testing.T, path string, acknowledged map[int64]bool) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, sqlite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeDB(t, db)
	var stored, halves int64
	var integrity string
	err = db.View(t.Context(), func(q storage.Querier) error {
		if err := q.QueryRow(t.Context(), "PRAGMA integrity_check").Scan(&integrity); err != nil {
			return err
		}
		for id := range acknowledged {
			var one int
			if err := q.QueryRow(t.Context(), "SELECT 1 FROM a WHERE id = $1", id).Scan(&one); err != nil {
				return fmt.Errorf("acknowledged transaction %d: %w", id, err)
			}
		}
		if err := q.QueryRow(t.Context(), "SELECT count(*) FROM a").Scan(&stored); err != nil {
			return err
		}
		return q.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM a WHERE id NOT IN (SELECT id FROM b)) + "+
			"(SELECT count(*) FROM b WHERE id NOT IN (SELECT id FROM a))").Scan(&halves)
	})
	if err != nil {
		t.Fatal(err)
	}
	backlog, err := db.Backlog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if integrity != "ok" || halves != 0 || backlog.Started != stored {
		t.Fatalf("integrity %q, %d halves, %d transactions with %d messages", integrity, halves, stored, backlog.Started)
	}
}

// TestCrashChild is the process that is killed; by itself it does nothing.
func TestCrashChild(t *testing.T) {
	path := os.Getenv(childPath)
	if path == "" {
		return
	}
	from, err := strconv.ParseInt(os.Getenv(childPath+"_FROM"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, path)
	ctx := context.Background()
	err = db.Update(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS a (id INTEGER PRIMARY KEY); CREATE TABLE IF NOT EXISTS b (id INTEGER PRIMARY KEY)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var print sync.Mutex
	for w := range int64(childWriters) {
		all.Go(func() {
			for id := from + w; ; id += childWriters {
				if err := writeBoth(ctx, db, id); errors.Is(err, errSkipped) {
					continue
				} else if err != nil {
					t.Error(err)
					return
				}
				print.Lock()
				_, _ = fmt.Fprintf(os.Stdout, "%d\n", id)
				print.Unlock()
			}
		})
	}
	all.Wait()
}

var errSkipped = errors.New("rolled back on purpose")

// writeBoth stores a whole of three parts; some are rolled back.
func writeBoth(ctx context.Context, db *sqlite.DB, id int64) error {
	return db.Update(ctx, func(tx *sqlite.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO a (id) VALUES ($1)", id); err != nil {
			return err
		}
		if id%7 == 0 {
			return errSkipped
		}
		if err := outbox.Enqueue(ctx, tx, event.New("t", "k", id)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO b (id) VALUES ($1)", id)
		return err
	})
}
