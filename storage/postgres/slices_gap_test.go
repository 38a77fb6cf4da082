//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// TestNoEventIsMissed has 200 writers that dawdle, roll back, use savepoints, are
// stopped and terminated, beside long and read-only transactions and another busy
// database; and readers of several cuts, who must see every event exactly once
// without waiting for anybody.
func TestNoEventIsMissed(t *testing.T) { missNothing(t, 200, 15*time.Second) }

func TestNoEventIsMissedForLong(t *testing.T) {
	testenv.Full(t)
	missNothing(t, 250, 10*time.Minute)
}

func missNothing(t *testing.T, writers int, load time.Duration) {
	server := testenv.StartPostgres(t, "max_connections = 400")
	random := testenv.Rand(t)
	source := func() *rand.Rand { return rand.New(rand.NewPCG(random.Uint64(), 1)) }
	g := newGapTest(t, server, 3*writers)
	writing, stop := context.WithCancel(t.Context())
	var work, reading sync.WaitGroup
	defer reading.Wait()
	defer work.Wait()
	defer stop()
	g.disturb(writing, &work, source)
	for range writers {
		r := source()
		work.Go(func() { g.write(writing, r) })
	}
	written := make(chan struct{})
	queries := []journal.Query{{Slices: journal.AllSlices(), EntityType: "주문"}}
	for _, ranges := range [][]journal.SliceRange{journal.SliceRanges(1), journal.SliceRanges(2), journal.SliceRanges(5)} {
		for _, slices := range ranges {
			queries = append(queries, journal.Query{Slices: slices})
		}
	}
	for _, q := range queries {
		reader := &gapReader{g: g, random: source(), q: q, last: map[string]int64{}, filled: map[string]map[int64]bool{}}
		reading.Go(func() { reader.run(written) })
	}
	time.Sleep(load) // part of the load, no wait for a state
	eventually(t, "enough to show something", func() error { return g.enough() })
	stop()
	work.Wait()
	close(written)
	reading.Wait()
	t.Logf("%d events committed, %d transactions rolled back, %d backends terminated, %d stopped, %d conflicts; readers filled %d gaps",
		g.committed.Load(), g.rolledBack.Load(), g.terminated.Load(), g.stopped.Load(), g.conflicts.Load(), g.fills.Load())
}

func newGapTest(t *testing.T, server *testservers.Server, entities int) *gapTest {
	g := &gapTest{t: t, server: server, twoPhase: canPrepare(t, connect(t, server.URL))}
	g.db = open(t, server.URL, postgres.Config{MaxConns: 16})
	for i := range entities {
		g.entities = append(g.entities, &entity{id: fmt.Sprintf("%s|%d", []string{"order", "cart", "주문"}[i%3], i)})
	}
	return g
}

func (g *gapTest) enough() error {
	if g.committed.Load() < 1000 || g.rolledBack.Load() == 0 || g.terminated.Load() == 0 || g.stopped.Load() == 0 {
		return errors.New("too little happened")
	}
	return nil
}

type gapTest struct {
	t        *testing.T
	db       *postgres.DB
	server   *testservers.Server
	entities []*entity
	twoPhase bool
	names    atomic.Int64

	committed, rolledBack, terminated, stopped, conflicts, fills atomic.Int64
}

// entity is written by one writer at a time, mostly.
type entity struct {
	id   string
	mu   sync.Mutex
	last int64
}

// gapReader checks what it reads as a projection does: a gap is filled by
// persistence id.
type gapReader struct {
	g      *gapTest
	random *rand.Rand
	q      journal.Query
	last   map[string]int64
	filled map[string]map[int64]bool
}

// run reads until nothing is written any more, then compares with the table.
func (r *gapReader) run(written <-chan struct{}) {
	ctx := r.g.t.Context()
	wake, done := r.g.db.Appends(ctx)
	_ = done // with the database
	for ended := false; !ended; {
		select {
		case <-written:
			ended = true
		case <-wake:
		case <-time.After(time.Duration(r.random.IntN(20)) * time.Millisecond): // joined transactions wake nobody
		}
		for {
			r.q.Limit = 1 + r.random.IntN(300)
			p, err := r.g.db.Page(ctx, r.q)
			if err != nil {
				r.g.t.Errorf("slices %s: %v", r.q.Slices, err)
				return
			}
			for _, e := range p.Events {
				if !r.check(ctx, e) {
					return
				}
			}
			r.q.After = p.Cursor
			if !p.More {
				break
			}
		}
	}
	r.compare(ctx)
}

func (r *gapReader) check(ctx context.Context, e journal.Event) bool {
	last := r.last[e.PersistenceID]
	switch {
	case e.SeqNr == last+1:
		r.last[e.PersistenceID] = e.SeqNr
		return true
	case e.SeqNr <= last && r.filled[e.PersistenceID][e.SeqNr]:
		delete(r.filled[e.PersistenceID], e.SeqNr)
		return true
	case e.SeqNr <= last:
		r.g.t.Errorf("slices %s: %s/%d came twice", r.q.Slices, e.PersistenceID, e.SeqNr)
		return false
	}
	r.g.fills.Add(1)
	if r.filled[e.PersistenceID] == nil {
		r.filled[e.PersistenceID] = map[int64]bool{}
	}
	next := last + 1
	err := r.g.db.Events(ctx, e.PersistenceID, next, e.SeqNr-1, func(missing journal.Event) error {
		if missing.SeqNr != next {
			return fmt.Errorf("%s/%d where %d is next", e.PersistenceID, missing.SeqNr, next)
		}
		r.filled[e.PersistenceID][next] = true
		next++
		return nil
	})
	if err != nil || next != e.SeqNr {
		r.g.t.Errorf("slices %s: the gap of %s from %d to %d: up to %d, %v", r.q.Slices, e.PersistenceID, last+1, e.SeqNr-1, next, err)
		return false
	}
	r.last[e.PersistenceID] = e.SeqNr
	return true
}

// compare: what is in the table was read, each by the cursor itself.
func (r *gapReader) compare(ctx context.Context) {
	rows, err := r.g.db.Pool().Query(ctx, `SELECT persistence_id, max(seq_nr), count(*) FROM event_journal
		WHERE slice BETWEEN $1 AND $2 AND ($3 = '' OR entity_type = $3) GROUP BY 1`, r.q.Slices.Min, r.q.Slices.Max, r.q.EntityType)
	if err != nil {
		r.g.t.Error(err)
		return
	}
	var id string
	var last, n int64
	entities := 0
	_, err = pgx.ForEachRow(rows, []any{&id, &last, &n}, func() error {
		entities++
		if r.last[id] != last || n != last || len(r.filled[id]) > 0 {
			r.g.t.Errorf("slices %s: of %s %d events are stored, the last is %d; read up to %d, missed by the cursor: %v", r.q.Slices, id, n, last, r.last[id], r.filled[id])
		}
		return nil
	})
	if err != nil || entities != len(r.last) {
		r.g.t.Errorf("slices %s: %d entities stored, %d read, %v", r.q.Slices, entities, len(r.last), err)
	}
}
