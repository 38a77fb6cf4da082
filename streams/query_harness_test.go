package streams

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/assign"
	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/run"
	"github.com/pabal-dev/pabal/streams/serde"
)

// fleet is an application of several instances with stores in memory, and no Kafka.
type fleet struct {
	t          *testing.T
	topology   *Topology
	partitions int32
	all        []*instance

	mu      sync.Mutex
	changed chan struct{}
}

// instance is one process.
type instance struct {
	*fleet
	name   string
	server *httptest.Server
	asked  int // over HTTP
	db     *local.DB
	ended  chan struct{}
	err    error

	stores map[plan.TaskID]run.LocalStore // of all kinds: Store is filled in
	host   assign.Host
}

func newFleet(t *testing.T, instances int, partitions int32) *fleet {
	f := &fleet{t: t, topology: queryTopology(t), partitions: partitions, changed: make(chan struct{})}
	for i := range instances {
		in := &instance{fleet: f, name: fmt.Sprintf("process-%d", i), db: local.OpenMemory(), ended: make(chan struct{}), stores: map[plan.TaskID]run.LocalStore{}}
		h := newHandler(in, slog.New(slog.DiscardHandler), []QueryOption{Routed(nil)})
		in.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			f.mu.Lock()
			in.asked++
			f.mu.Unlock()
			h.ServeHTTP(w, r)
		}))
		t.Cleanup(in.server.Close)
		in.host = assign.Host{Member: in.name, Process: in.name, Endpoint: in.server.URL}
		f.all = append(f.all, in)
	}
	return f
}

// queryTopology has a table, a windowed and a session store in one sub-topology, a store of
// plain values, and a global one.
func queryTopology(t *testing.T) *Topology {
	str := serde.String()
	b := NewBuilder()
	in := From(b, "in", str, str)
	g := in.GroupByKey()
	Count(g, Materialized("counts"))
	CountWindows(g, Tumbling(time.Second).Grace(time.Hour), Materialized("windows"))
	CountSessions(g, Sessions(time.Second).Grace(time.Hour), Materialized("sessions"))
	GlobalTableFrom(b, "everywhere-topic", str, str, Materialized("everywhere"))
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return topology
}

func (f *fleet) storeOf(name string) *plan.Store {
	for _, s := range f.topology.plan.Subs[0].Stores {
		if s.Name == name {
			return s
		}
	}
	return f.topology.plan.Globals[0].Store
}

func (f *fleet) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
	close(f.changed)
	f.changed = make(chan struct{})
}

// place gives an instance partitions: active, or copies that lack so many records.
func (f *fleet) place(in *instance, active bool, ready bool, lag int64, partitions ...int32) {
	f.change(func() {
		for _, p := range partitions {
			id := plan.TaskID{Sub: f.topology.plan.Subs[0].ID, Partition: p}
			in.stores[id] = run.LocalStore{Task: id, Active: active, Ready: ready, Lag: lag}
			drop := func(ids []plan.TaskID) []plan.TaskID {
				return slices.DeleteFunc(slices.Clone(ids), func(other plan.TaskID) bool { return other == id })
			}
			in.host.Active, in.host.Standbys = drop(in.host.Active), drop(in.host.Standbys)
			if active {
				in.host.Active = append(in.host.Active, id)
			} else {
				in.host.Standbys = append(in.host.Standbys, id)
			}
		}
	})
}

func (f *fleet) take(in *instance, partition int32) {
	f.change(func() {
		id := plan.TaskID{Sub: f.topology.plan.Subs[0].ID, Partition: partition}
		delete(in.stores, id)
		in.host.Active = slices.DeleteFunc(slices.Clone(in.host.Active), func(other plan.TaskID) bool { return other == id })
	})
}

// put a changelog record where its key belongs, on the instances that have the partition.
func (f *fleet) put(store string, key string, suffix []byte, value []byte, at int64) {
	f.t.Helper()
	p := partitionOf([]byte(key), f.partitions)
	s := f.storeOf(store)
	rec := &kgo.Record{Key: append([]byte(key), suffix...), Value: value, Timestamp: time.UnixMilli(at)}
	for _, in := range f.all {
		if _, ok := in.stores[plan.TaskID{Sub: f.topology.plan.Subs[0].ID, Partition: p}]; !ok {
			continue
		}
		b := in.db.NewBatch()
		if err := errors.Join(s.Restored(b, in.space(s, p), []*kgo.Record{rec}), b.Commit()); err != nil {
			f.t.Fatal(err)
		}
		b.Close()
	}
}

func (in *instance) space(s *plan.Store, p int32) local.Space {
	space, err := in.db.Space(plan.TaskID{Sub: in.topology.plan.Subs[0].ID, Partition: p}, s.Name, true)
	if err != nil {
		in.t.Fatal(err)
	}
	return space
}

// number is the value of counts.
func number(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func (f *fleet) fill(n int) {
	for i := range n {
		key := fmt.Sprintf("k%03d", i)
		f.put("counts", key, nil, number(int64(i)), int64(1000+i))
		for w := range int64(3) {
			f.put("windows", key, append(number(w*1000), 0, 0, 0, 0), number(int64(i)*10+w), w*1000)
			f.put("sessions", key, append(number(w*5000+100), number(w*5000)...), number(int64(i)*100+w), w*5000)
		}
	}
}

func (in *instance) plan() *plan.Topology { return in.topology.plan }

func (in *instance) Stores(name string) (out []run.LocalStore) {
	in.mu.Lock()
	defer in.mu.Unlock()
	s := in.storeOf(name)
	if s.Global {
		return []run.LocalStore{{Task: plan.TaskID{Partition: -1}, Store: s, Space: in.space(s, -1), Active: true, Ready: true}}
	}
	for id, l := range in.stores {
		l.Store, l.Space = s, in.space(s, id.Partition)
		out = append(out, l)
	}
	return out
}

func (in *instance) Hosts() (out []assign.Host) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, other := range in.all {
		out = append(out, other.host)
	}
	return out
}

func (in *instance) Process() string { return in.name }

func (in *instance) TaskCount(int32) int32 { return in.partitions }

func (in *instance) Changed() <-chan struct{} {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.changed
}

func (in *instance) Done() <-chan struct{} { return in.ended }

func (in *instance) Err() error { return in.err }

// counts is the store of an instance.
func (in *instance) counts(opts ...QueryOption) *Store[string, int64] {
	q, err := wait(in.t.Context(), in, "counts", opts, asKeyValue[string, int64])
	if err != nil {
		in.t.Fatal(err)
	}
	return &Store[string, int64]{q}
}

func (in *instance) task0() plan.TaskID { return plan.TaskID{Sub: in.topology.plan.Subs[0].ID} }
