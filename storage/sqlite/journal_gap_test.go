package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// TestJournalGap writes with groups, transactions of the user's, rollbacks and
// savepoints, while readers of several cuts read: none misses an event, or gets one
// twice, or out of its entity's order.
func TestJournalGap(t *testing.T) {
	t.Run("one process", func(t *testing.T) {
		path := newPath(t)
		db := open(t, path)
		gap(t, db, db)
	})
	t.Run("two processes", func(t *testing.T) {
		path := newPath(t)
		gap(t, open(t, path), open(t, path))
	})
}

func gap(t *testing.T, handles ...*sqlite.DB) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	length := testenv.Sized(1500*time.Millisecond, time.Minute)
	stop := make(chan struct{})
	written := make([]map[string]int64, 12)
	var writers sync.WaitGroup
	for i := range written {
		w := gapWriter{handles[i%2], rand.New(rand.NewPCG(seed, uint64(i))), map[string]int64{}, i}
		written[i] = w.last
		writers.Go(func() { w.run(t, stop) })
	}
	ended := make(chan struct{})
	var readers sync.WaitGroup
	var seen []*gapReader
	for i, slices := range append(journal.SliceRanges(3), journal.AllSlices(), journal.AllSlices()) {
		r := &gapReader{db: handles[i%2], q: journal.Query{Slices: slices, Limit: 1 + 40*i}, last: map[string]int64{}}
		seen = append(seen, r)
		readers.Go(func() { r.run(t, ended) })
	}
	time.AfterFunc(length, func() { close(stop) })
	writers.Wait()
	close(ended)
	readers.Wait()
	total := int64(0)
	for _, entities := range written {
		for id, last := range entities {
			total += last
			for _, r := range seen {
				if r.q.Slices.Contains(journal.SliceOf(id)) && r.last[id] != last {
					t.Errorf("slices %s: %d events of %s were read, %d written", r.q.Slices, r.last[id], id, last)
				}
			}
		}
	}
	t.Logf("%d events", total)
}

type gapWriter struct {
	db     *sqlite.DB
	random *rand.Rand
	// last sequence number of each of its entities.
	last map[string]int64
	n    int
}

func (w gapWriter) run(t *testing.T, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		writes := w.writes()
		err := w.write(t.Context(), writes)
		switch {
		case err == nil:
			for _, write := range writes {
				w.last[write.PersistenceID] += int64(len(write.Events))
			}
		case !errors.Is(err, errSkipped) && !w.db.Transient(err):
			t.Error(err)
			return
		}
	}
}

// writes to some of its entities.
func (w gapWriter) writes() []journal.Write {
	var writes []journal.Write
	for e := range 1 + w.random.IntN(5) {
		id := fmt.Sprintf("gap|%d-%d", w.n, e)
		write := journal.Write{PersistenceID: id, After: w.last[id]}
		for range 1 + w.random.IntN(3) {
			write.Events = append(write.Events, journal.NewEvent{Payload: journal.Payload{Serializer: 20, Data: []byte(id)}})
		}
		writes = append(writes, write)
	}
	return writes
}

// write in one of the ways there are.
func (w gapWriter) write(ctx context.Context, writes []journal.Write) error {
	way := w.random.IntN(4)
	if way == 0 {
		results, err := w.db.AppendGroup(ctx, writes)
		for _, r := range results {
			err = errors.Join(err, r.Err)
		}
		return err
	}
	return w.db.Update(ctx, func(tx *sqlite.Tx) error {
		if way == 1 { // what a savepoint takes back gives its numbers to others
			if err := w.takenBack(ctx, tx, writes); err != nil {
				return err
			}
		}
		if _, err := tx.AppendEvents(ctx, writes); err != nil {
			return err
		}
		if way == 2 {
			return errSkipped
		}
		return nil
	})
}

func (w gapWriter) takenBack(ctx context.Context, tx *sqlite.Tx, writes []journal.Write) error {
	if _, err := tx.Exec(ctx, "SAVEPOINT mine"); err != nil {
		return err
	}
	if _, err := tx.AppendEvents(ctx, writes); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "ROLLBACK TO mine")
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "RELEASE mine")
	return err
}

type gapReader struct {
	db   *sqlite.DB
	q    journal.Query
	last map[string]int64
}

// run reads until the writers have ended, and then the rest.
func (r *gapReader) run(t *testing.T, ended <-chan struct{}) {
	for last := false; ; {
		select {
		case <-ended:
			last = true
		default:
		}
		page, err := r.db.Page(t.Context(), r.q)
		if err != nil {
			t.Error(err)
			return
		}
		for _, e := range page.Events {
			if r.last[e.PersistenceID]++; e.SeqNr != r.last[e.PersistenceID] {
				t.Errorf("slices %s: %s: event %d came, %d was next", r.q.Slices, e.PersistenceID, e.SeqNr, r.last[e.PersistenceID])
				return
			}
		}
		r.q.After = page.Cursor
		if last && !page.More {
			return
		}
	}
}
