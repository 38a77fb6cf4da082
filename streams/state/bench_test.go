package state_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

type counts = state.KeyValueStore[string, state.Timestamped[int64]]

// benchStore is a store on disk whose changelog goes nowhere, with a cap of memory.
type benchStore struct {
	b     *testing.B
	space local.Space
	batch local.Batch
	store plan.StateStore
	cap   int64
	bytes int64
	now   int64
	dirty int
}

func (s *benchStore) Add(n int64) { s.bytes += n }
func (s *benchStore) Tight() bool { return s.bytes > s.cap }

func newBenchStore(b *testing.B, def state.Definition, memory int64) *benchStore {
	db, err := local.Open(local.Options{Dir: b.TempDir(), MemoryBytes: 128 << 20})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	s := &benchStore{b: b, batch: db.NewBatch(), cap: memory}
	if s.space, err = db.Space(testTask, "s", true); err != nil {
		b.Fatal(err)
	}
	s.store, err = def.Plan().New(plan.StoreContext{
		Task: testTask, Store: def.Plan(), Space: s.space, Memory: s, ChangelogTopic: "changelog",
		StreamTime: func() int64 { return s.now },
		Log:        func(key, value []byte, timestamp int64, headers []kgo.RecordHeader) {},
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// record commits after every 25,000 records, as 100 ms at 250,000 records/s.
func (s *benchStore) record() {
	if s.dirty++; s.dirty == 25_000 {
		s.commit()
	}
}

func (s *benchStore) commit() {
	s.dirty = 0
	for _, step := range []func() error{
		s.store.Flush, s.store.Log, func() error { return s.store.Apply(s.batch) }, s.batch.Commit,
	} {
		if err := step(); err != nil {
			s.b.Fatal(err)
		}
	}
}

func benchKeys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("customer-%07d", i)
	}
	return keys
}

func count(b *testing.B, s counts, key string) {
	v, _, err := s.Get(key)
	if err != nil {
		b.Fatal(err)
	}
	v.Value++
	v.Timestamp++
	if err := s.Put(key, v); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCountHot is get and put of keys that are in memory.
func BenchmarkCountHot(b *testing.B) {
	s := newBenchStore(b, state.TimestampedKeyValue("s", serde.String(), serde.Int64()), 64<<20)
	store, keys := s.store.(counts), benchKeys(100)
	b.ReportAllocs()
	for i := range b.N {
		count(b, store, keys[i%len(keys)])
	}
}

// BenchmarkCountZipf is 100,000 keys with commits.
func BenchmarkCountZipf(b *testing.B) {
	s := newBenchStore(b, state.TimestampedKeyValue("s", serde.String(), serde.Int64()), 64<<20)
	store, keys := s.store.(counts), benchKeys(100_000)
	z := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 1, uint64(len(keys)-1))
	order := make([]string, 1<<17)
	for i := range order {
		order[i] = keys[z.Uint64()]
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		count(b, store, order[i&(1<<17-1)])
		s.record()
	}
}

// BenchmarkCountUniform is 2M keys, more than the memory holds.
func BenchmarkCountUniform(b *testing.B) {
	s := newBenchStore(b, state.TimestampedKeyValue("s", serde.String(), serde.Int64()), 96<<20)
	store, keys := s.store.(counts), benchKeys(2_000_000)
	for _, k := range keys {
		if err := store.Put(k, state.Timestamped[int64]{Value: 1}); err != nil {
			b.Fatal(err)
		}
		s.record()
	}
	s.commit()
	r := rand.New(rand.NewPCG(1, 2))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		count(b, store, keys[r.IntN(len(keys))])
		s.record()
	}
}

// BenchmarkWindowCount is fetch and put of tumbling windows of 10 s, 10,000 keys.
func BenchmarkWindowCount(b *testing.B) {
	s := newBenchStore(b, state.TimestampedWindow("s", 10*time.Second, time.Hour, serde.String(), serde.Int64()), 64<<20)
	store, keys := s.store.(state.WindowStore[string, state.Timestamped[int64]]), benchKeys(10_000)
	r := rand.New(rand.NewPCG(1, 2))
	b.ReportAllocs()
	for i := range b.N {
		s.now = int64(i) / 10 // 10,000 records/s
		key, start := keys[r.IntN(len(keys))], s.now/10_000*10_000
		v, _, err := store.Fetch(key, start)
		if err != nil {
			b.Fatal(err)
		}
		v.Value, v.Timestamp = v.Value+1, s.now
		if err := store.Put(key, start, v); err != nil {
			b.Fatal(err)
		}
		s.record()
	}
}

// BenchmarkJoinWindow puts a record and fetches what is within 10 s, 1,000 keys.
func BenchmarkJoinWindow(b *testing.B) {
	s := newBenchStore(b, state.Windows("s", 20*time.Second, 30*time.Second, serde.String(), serde.String(), state.RetainDuplicates()), 64<<20)
	store, keys := s.store.(state.WindowStore[string, string]), benchKeys(10_000)
	r := rand.New(rand.NewPCG(1, 2))
	b.ReportAllocs()
	for i := range b.N {
		s.now = int64(i) / 10
		key := keys[r.IntN(len(keys))]
		if err := store.Put(key, s.now, "value"); err != nil {
			b.Fatal(err)
		}
		for _, err := range store.FetchRange(key, s.now-10_000, s.now+10_000) {
			if err != nil {
				b.Fatal(err)
			}
		}
		s.record()
	}
}
