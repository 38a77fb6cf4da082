//go:build unix

package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage"
)

// authors append events of their own entities all the while: in groups, and in
// transactions that dawdle, roll back, and commit in another order than they began.
type authors struct {
	db   storage.DB
	stop context.CancelFunc
	all  sync.WaitGroup

	handled atomic.Int64

	mu     sync.Mutex
	seqNrs map[string]int64
	err    error
}

const (
	authorCount = 4
	entitiesOf  = 6 // each
)

func startAuthors(ctx context.Context, db storage.DB, random *rand.Rand) *authors {
	ctx, cancel := context.WithCancel(ctx)
	a := &authors{db: db, stop: cancel, seqNrs: map[string]int64{}}
	a.all.Go(func() { a.watch(ctx) })
	for n := range authorCount {
		own := rand.New(rand.NewPCG(random.Uint64(), 0))
		a.all.Go(func() {
			for ctx.Err() == nil {
				if _, written := a.written(); written < a.handled.Load()+mostAhead {
					a.write(context.WithoutCancel(ctx), own, n)
				}
				time.Sleep(time.Duration(own.IntN(30)) * time.Millisecond)
			}
		})
	}
	return a
}

// mostAhead is how many events they are ahead of the projection at most, so that a
// slow machine can follow.
const mostAhead = 200

func (a *authors) watch(ctx context.Context) {
	for ctx.Err() == nil {
		if n, err := handledEvents(ctx, a.db); err == nil {
			a.handled.Store(n)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// handledEvents is how many times an event was handled.
func handledEvents(ctx context.Context, db storage.DB) (n int64, err error) {
	err = db.View(ctx, func(q storage.Querier) error {
		return q.QueryRow(ctx, "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM counts").Scan(&n)
	})
	return n, err
}

// end waits until nobody writes.
func (a *authors) end() error {
	a.stop()
	a.all.Wait()
	return a.err
}

// written is a copy of the last sequence numbers.
func (a *authors) written() (last map[string]int64, events int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	last = map[string]int64{}
	for id, n := range a.seqNrs {
		if n > 0 { // else its first write failed, and nothing of it is there
			last[id] = n
			events += n
		}
	}
	return last, events
}

func (a *authors) write(ctx context.Context, random *rand.Rand, author int) {
	var writes []journal.Write
	for _, n := range random.Perm(entitiesOf)[:1+random.IntN(3)] {
		id := fmt.Sprintf("%s|%d-%d", projectorName, author, n)
		w := journal.Write{PersistenceID: id, After: a.last(id), Writer: "018f0000-0000-7000-8000-000000000000"}
		for range 1 + random.IntN(3) {
			w.Events = append(w.Events, journal.NewEvent{Payload: journal.Payload{Serializer: 20, Data: []byte("event")}})
		}
		writes = append(writes, w)
	}
	if err := a.commit(ctx, random, writes); err != nil {
		a.find(ctx, writes, err)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range writes {
		a.seqNrs[w.PersistenceID] = w.After + int64(len(w.Events))
	}
}

func (a *authors) last(id string) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seqNrs[id]
}

var errRolledBack = errors.New("rolled back on purpose")

func (a *authors) commit(ctx context.Context, random *rand.Rand, writes []journal.Write) error {
	if random.IntN(2) == 0 {
		results, err := a.db.AppendGroup(ctx, writes)
		for _, r := range results {
			err = errors.Join(err, r.Err)
		}
		return err
	}
	rollback, dawdle := random.IntN(4) == 0, time.Duration(random.IntN(15))*time.Millisecond
	return a.db.Update(ctx, func(tx storage.Tx) error {
		for _, w := range writes {
			if _, err := tx.AppendEvents(ctx, []journal.Write{w}); err != nil {
				return err
			}
			time.Sleep(dawdle / time.Duration(len(writes)))
		}
		if rollback {
			return errRolledBack
		}
		return nil
	})
}

// find asks the database what became of writes that failed: the server may have
// died at the commit.
func (a *authors) find(ctx context.Context, writes []journal.Write, cause error) {
	if !errors.Is(cause, errRolledBack) && !a.db.Transient(cause) {
		a.fail(cause)
		return
	}
	var ids []string
	for _, w := range writes {
		ids = append(ids, w.PersistenceID)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		last, err := a.db.HighestSeqNrs(ctx, ids)
		if err == nil {
			a.mu.Lock()
			defer a.mu.Unlock()
			for i, id := range ids {
				a.seqNrs[id] = last[i]
			}
			return
		}
		if time.Now().After(deadline) {
			a.fail(err)
			return
		}
	}
}

func (a *authors) fail(err error) {
	a.stop()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = errors.Join(a.err, err)
}
