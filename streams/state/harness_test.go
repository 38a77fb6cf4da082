package state_test

import (
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/state"
)

// harness runs a store as a task does: changelog, commits, aborts, restarts.
type harness struct {
	t       testing.TB
	def     state.Definition
	dir     string // "" is a database in memory
	db      *local.DB
	space   local.Space
	batch   local.Batch
	store   plan.StateStore
	memory  memory
	time    int64 // stream time
	cache   int64
	pending []*kgo.Record // of the open transaction
	log     []*kgo.Record // of the changelog; nil was aborted
}

// memory is a plan.Memory.
type memory struct {
	bytes int64
	tight bool
}

func (m *memory) Add(n int64) { m.bytes += n }
func (m *memory) Tight() bool { return m.tight }

var testTask = local.TaskID{Sub: 0, Partition: 3}

// newHarness has the store in memory; newDiskHarness in a folder, if it is persistent.
func newHarness(t testing.TB, def state.Definition) *harness { return startHarness(t, def, "") }

func newDiskHarness(t testing.TB, def state.Definition) *harness {
	return startHarness(t, def, t.TempDir())
}

func startHarness(t testing.TB, def state.Definition, dir string) *harness {
	h := &harness{t: t, def: def, dir: dir, time: -1, cache: 1 << 20}
	h.openDB()
	t.Cleanup(func() {
		h.batch.Close()
		h.db.Close()
	})
	h.open()
	return h
}

func (h *harness) openDB() {
	h.t.Helper()
	if h.dir == "" {
		h.db = local.OpenMemory()
	} else {
		var err error
		if h.db, err = local.Open(local.Options{Dir: h.dir, MemoryBytes: 32 << 20}); err != nil {
			h.t.Fatal(err)
		}
	}
	h.batch = h.db.NewBatch()
}

func (h *harness) open() {
	h.t.Helper()
	p := h.def.Plan()
	var err error
	if h.space, err = h.db.Space(testTask, p.Name, p.Persistent); err != nil {
		h.t.Fatal(err)
	}
	c := plan.StoreContext{
		Task: testTask, Store: p, Space: h.space, Memory: &h.memory, CacheBytes: h.cache,
		StreamTime: func() int64 { return h.time },
	}
	if p.Logged {
		c.ChangelogTopic = "app-" + p.Name + "-changelog"
		c.Log = func(key, value []byte, timestamp int64, headers []kgo.RecordHeader) {
			h.pending = append(h.pending, &kgo.Record{
				Topic: c.ChangelogTopic, Partition: testTask.Partition, Key: key, Value: value,
				Timestamp: time.UnixMilli(timestamp), Headers: headers,
			})
		}
	}
	if h.store, err = p.New(c); err != nil {
		h.t.Fatal(err)
	}
}

// commit is a task's: flush, log, then apply with the changelog's offset.
func (h *harness) commit() {
	h.t.Helper()
	h.must(h.store.Flush())
	h.must(h.store.Log())
	h.endTransaction(true)
	h.must(h.store.Apply(h.batch))
	h.batch.SetOffset(h.space, int64(len(h.log)))
	h.must(h.batch.Commit())
	if n := h.store.Dirty(); n != 0 {
		h.t.Fatalf("%d dirty bytes after a commit", n)
	}
}

// endTransaction moves what was logged to the changelog, or loses it: its offsets are used.
func (h *harness) endTransaction(committed bool) {
	for _, r := range h.pending {
		r.Offset = int64(len(h.log))
		if committed {
			h.log = append(h.log, r)
		} else {
			h.log = append(h.log, nil)
		}
	}
	h.pending = nil
}

func (h *harness) abort() {
	h.t.Helper()
	h.must(h.store.Log())
	h.endTransaction(false)
	h.store.Discard()
}

// restart makes the store anew; of one on disk the database too.
func (h *harness) restart() {
	h.t.Helper()
	h.store.Close()
	h.released()
	h.pending = nil
	if h.dir != "" && h.def.Plan().Persistent {
		h.batch.Close()
		h.must(h.db.Close())
		h.openDB()
	}
	h.open()
}

// restore fills an empty space from the changelog, n records at a time.
func (h *harness) restore(n int) {
	h.t.Helper()
	h.store.Close()
	h.released()
	h.must(h.space.Clear())
	for from := 0; from < len(h.log); from += n {
		var recs []*kgo.Record
		for _, r := range h.log[from:min(from+n, len(h.log))] {
			if r != nil {
				recs = append(recs, r)
			}
		}
		h.must(h.def.Plan().Restored(h.batch, h.space, recs))
		h.batch.SetOffset(h.space, int64(min(from+n, len(h.log))))
		h.must(h.batch.Commit())
	}
	h.batch.SetOffset(h.space, int64(len(h.log)))
	h.must(h.batch.Commit())
	h.open()
}

// released checks that a closed store gave all its memory back.
func (h *harness) released() {
	h.t.Helper()
	if h.memory.bytes != 0 {
		h.t.Fatalf("a closed store still counts %d bytes", h.memory.bytes)
	}
}

// view is what queries have, over a snapshot.
func (h *harness) view() (any, func()) {
	h.t.Helper()
	snapshot, err := h.space.Snapshot()
	h.must(err)
	v, err := h.def.Plan().View(snapshot)
	h.must(err)
	return v, func() { h.must(snapshot.Close()) }
}

func (h *harness) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// collect reads a sequence to its end.
func collect[P any](t testing.TB, seq iter.Seq2[P, error]) []P {
	t.Helper()
	var out []P
	for p, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// kinds runs a test for stores on disk and in memory, with and without a record cache.
func kinds(t *testing.T, test func(t *testing.T, start startFunc, opts ...state.Option)) {
	for _, place := range []string{"disk", "memory"} {
		for _, cached := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,cached=%v", place, cached), func(t *testing.T) {
				var opts []state.Option
				if place == "memory" {
					opts = append(opts, state.InMemory())
				}
				if cached {
					opts = append(opts, state.Cached())
				}
				test(t, newDiskHarness, opts...)
			})
		}
	}
}

// steps of a model test: few, because each run has another seed; many in long mode.
func steps() int { return testenv.Sized(200, 10_000) }
