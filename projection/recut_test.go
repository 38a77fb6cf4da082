package projection_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
)

// writer appends numbered events of some entities to a database's journal.
type writer struct {
	testing.TB
	db   storage.DB
	mu   sync.Mutex
	last map[string]int64
}

func newWriter(t testing.TB, db storage.DB) *writer {
	return &writer{TB: t, db: db, last: map[string]int64{}}
}

// append writes the next event of each entity, in one transaction.
func (w *writer) append(ids ...string) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var writes []journal.Write
	for _, id := range ids {
		writes = append(writes, journal.Write{
			PersistenceID: id, After: w.last[id], Writer: event.NewID(),
			Events: []journal.NewEvent{{Payload: journal.Payload{Serializer: 20, Data: fmt.Append(nil, w.last[id]+1)}}},
		})
		w.last[id]++
	}
	results, err := w.db.AppendGroup(context.Background(), writes)
	if err != nil {
		w.Error(err)
	}
	for _, r := range results {
		if r.Err != nil {
			w.Error(r.Err)
		}
	}
}

// want is the text of an entity all of whose events were handled once, in order.
func (w *writer) want(id string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for n := int64(1); n <= w.last[id]; n++ {
		all = append(all, fmt.Sprint(n))
	}
	return strings.Join(all, "|")
}

// waitView waits until every event was handled, and checks that each was once.
func (w *writer) waitView() {
	w.Helper()
	for id := range w.last {
		want := w.want(id)
		wait(w, id+" to be as "+want, func() bool { return len(readText(w, w.db, id)) >= len(want) })
		if got := readText(w, w.db, id); got != want {
			w.Fatalf("%s: handled %s, want %s", id, got, want)
		}
	}
}

func entities(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("letter|%d", i))
	}
	return ids
}

func viewConfig(name string, workers int) projection.Config[storage.Tx] {
	c := config[storage.Tx]()
	c.Name, c.Workers = name, workers
	c.BeatInterval = 200 * time.Millisecond // a slow machine must not take the living for dead
	c.Handler = func(ctx context.Context, tx storage.Tx, e projection.Envelope) error {
		return addText(ctx, tx, e.Table("letters"), e.PersistenceID, string(e.Payload.Data))
	}
	return c
}

// Processes come, go, and are cut off, while events are written: each event is
// handled once, in the order of its entity, and the slices end evenly shared.
func TestRecutting(t *testing.T) { everywhere(t, testRecutting) }

func testRecutting(t *testing.T, db storage.DB) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	w := newWriter(t, db)
	ids := entities(30)
	var writing sync.WaitGroup
	ended := make(chan struct{})
	defer writing.Wait()
	writing.Go(func() {
		defer close(ended)
		for n := range 300 {
			w.append(ids[n%len(ids)], ids[(n*7+1)%len(ids)])
		}
	})
	var running []*projection.Projection[storage.Tx]
	for round := 0; round < 12 || !isOver(ended); round++ {
		if len(running) < 3 && (len(running) == 0 || random.IntN(2) == 0) {
			running = append(running, start(t, db, db, viewConfig("recut", 1+random.IntN(3))))
		} else {
			n := random.IntN(len(running))
			ctx, cancel := context.WithTimeout(t.Context(), soon)
			if random.IntN(2) == 0 {
				cancel() // its transactions are given up
			}
			running[n].Stop(ctx)
			cancel()
			running = append(running[:n], running[n+1:]...)
		}
		pause := time.NewTimer(time.Duration(random.IntN(60)) * time.Millisecond)
		<-pause.C
	}
	running = append(running, start(t, db, db, viewConfig("recut", 2)))
	w.waitView()
	wait(t, "each slice to have one range", func() bool {
		covered, ranges := 0, 0
		for _, p := range running {
			for _, r := range p.Stats().Ranges {
				var low, high int
				if _, err := fmt.Sscanf(r.Slices, "%d-%d", &low, &high); err != nil || r.State != projection.StateRunning {
					return false
				}
				covered, ranges = covered+high-low+1, ranges+1
			}
		}
		stored, err := db.Projections(t.Context(), "recut")
		return err == nil && len(stored) == 1 && len(stored[0].Ranges) == ranges && covered == journal.Slices
	})
	w.append(ids...)
	w.waitView()
}

func isOver(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
