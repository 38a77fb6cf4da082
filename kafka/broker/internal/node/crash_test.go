package node

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs/simfs"
)

// state is what a folder holds.
type state struct {
	topics   map[string]kept
	settings map[string]string // of the broker
	keys     []string          // of a coordinator's log
	deleted  map[topicID]bool
}

// kept is a topic with the records of its partitions.
type kept struct {
	id       topicID // zero: any
	settings map[string]string
	records  [][]string
}

func (s state) clone() state {
	c := state{topics: map[string]kept{}, settings: maps.Clone(s.settings), keys: slices.Clone(s.keys), deleted: maps.Clone(s.deleted)}
	for name, t := range s.topics {
		t.settings = maps.Clone(t.settings)
		t.records = slices.Clone(t.records)
		for i := range t.records {
			t.records[i] = slices.Clone(t.records[i])
		}
		c.topics[name] = t
	}
	return c
}

// String is the same for what cannot be told apart.
func (s state) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.topics)) {
		fmt.Fprint(&b, name, s.topics[name].settings, s.topics[name].records, " ")
	}
	fmt.Fprint(&b, s.settings, s.keys)
	return b.String()
}

// world changes a node and knows what was acknowledged, and what may be.
type world struct {
	rnd  *rand.Rand
	node *Node
	n    int // of values

	mu        sync.Mutex
	sure, may state
}

func newWorld(seed uint64) *world {
	s := state{topics: map[string]kept{}, settings: map[string]string{}, deleted: map[topicID]bool{}}
	return &world{rnd: rand.New(rand.NewPCG(seed, 1)), sure: s, may: s}
}

// step does one thing. Where it fails it may have happened.
func (w *world) step() error {
	next := w.sure.clone()
	do := w.choose(&next)
	w.mu.Lock()
	w.may = next
	w.mu.Unlock()
	if err := do(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, t := range next.topics { // ids are known now
		t.id = w.node.Topic(name).ID
		next.topics[name] = t
	}
	w.sure, w.may = next, next
	return nil
}

// choose returns something to do, and changes next accordingly.
func (w *world) choose(next *state) func() error {
	w.n++
	names := slices.Sorted(maps.Keys(next.topics))
	if len(names) == 0 {
		return w.create(next)
	}
	name := names[w.rnd.IntN(len(names))]
	switch p := w.rnd.IntN(100); {
	case p < 12:
		return w.create(next)
	case p < 22:
		next.deleted[next.topics[name].id] = true
		delete(next.topics, name)
		return func() error { return w.node.Delete(name)[0] }
	case p < 28:
		t := next.topics[name]
		t.records = append(t.records, nil)
		next.topics[name] = t
		return func() error { return w.node.AddPartitions(name, len(t.records), false) }
	case p < 36:
		t := next.topics[name]
		t.settings = map[string]string{"retention.ms": fmt.Sprint(86400000 + w.n)}
		next.topics[name] = t
		return func() error { return w.node.SetSettings(name, t.settings, false) }
	case p < 40:
		next.settings = map[string]string{"log.retention.bytes": fmt.Sprint(1<<30 + w.n)}
		return func() error { return w.node.SetBrokerSettings(next.settings, false) }
	case p < 55:
		return w.remember(next)
	case p < 60:
		return func() error { w.node.Maintain(); return nil }
	}
	t := next.topics[name]
	i, value := w.rnd.IntN(len(t.records)), fmt.Sprint("v", w.n)
	t.records[i] = append(t.records[i], value)
	return func() error { return put(w.node.Topic(name).Partition(int32(i)), value) }
}

// create makes one or two topics with one call.
func (w *world) create(next *state) func() error {
	var asked []NewTopic
	for _, name := range []string{"a", "b", "c", "d"} {
		if _, there := next.topics[name]; !there && len(asked) < 1+w.rnd.IntN(2) {
			asked = append(asked, NewTopic{Name: name, Partitions: 1 + w.rnd.IntN(2), Settings: map[string]string{"segment.bytes": "300"}})
		}
	}
	for _, t := range asked {
		next.topics[t.Name] = kept{settings: t.Settings, records: make([][]string, t.Partitions)}
	}
	return func() error {
		_, errs := w.node.Create(asked, false)
		return errors.Join(errs...)
	}
}

// remember has a coordinator's log keep a set of three records.
func (w *world) remember(next *state) func() error {
	var set []keylog.Record
	for i := range 3 {
		key := fmt.Sprint("k", w.n, ".", i)
		next.keys = append(next.keys, key)
		set = append(set, keylog.Record{Key: []byte(key), Value: []byte("v")})
	}
	return func() error {
		done := make(chan error, 1)
		w.node.KeyLog(Offsets).Append(set, func(err error) { done <- err })
		return <-done
	}
}

// promised is what holds of a clone taken now.
func (w *world) promised() (sure, may state) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sure, w.may
}

// found is what a node holds.
func found(t *testing.T, n *Node) state {
	s := state{topics: map[string]kept{}, settings: map[string]string{}}
	for _, topic := range n.Topics() {
		if topic.Internal {
			continue
		}
		k := kept{id: topic.ID, settings: map[string]string{}}
		for _, p := range topic.Partitions() {
			k.records = append(k.records, values(t, p))
		}
		for _, c := range topic.Settings() {
			if c.Own {
				k.settings[c.Name] = c.Value
			}
		}
		s.topics[topic.Name] = k
	}
	for _, c := range n.BrokerSettings() {
		if c.Own {
			s.settings[c.Name] = c.Value
		}
	}
	if err := n.Replay(Offsets, func(r keylog.Record) error { s.keys = append(s.keys, string(r.Key)); return nil }); err != nil {
		t.Error(err)
	}
	return s
}

// checkFolder opens what was left and compares.
func checkFolder(t *testing.T, what string, o Options, sure, may state) {
	t.Helper()
	n, err := Open(t.Context(), o)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer n.Close()
	got := found(t, n)
	if got.String() != sure.String() && got.String() != may.String() {
		t.Errorf("%s:\nfound %s\nsure  %s\nmay   %s", what, got, sure, may)
	}
	for name, k := range got.topics {
		was, there := sure.topics[name]
		if sure.deleted[k.id] || there && was.id != k.id {
			t.Errorf("%s: topic %s has id %s, which was %s or deleted", what, name, k.id, was.id)
		}
	}
	checkNoOrphans(t, what, n)
	for _, topic := range n.Topics() {
		if topic.Internal {
			continue
		}
		for _, p := range topic.Partitions() {
			if err := put(p, "again"); err != nil {
				t.Errorf("%s: %s does not go on: %v", what, p, err)
			}
		}
	}
}

// checkNoOrphans compares the folders with the topics.
func checkNoOrphans(t *testing.T, what string, n *Node) {
	t.Helper()
	var want []string
	for _, topic := range n.catalog.Load().sorted {
		want = append(want, folderName(topic.Name, topic.ID))
		inside, err := n.o.FS.ReadDir(topic.folder())
		if err != nil || len(inside) != len(topic.Partitions()) {
			t.Errorf("%s: folder of %s has %q, %v", what, topic.Name, inside, err)
		}
	}
	slices.Sort(want)
	got, err := n.o.FS.ReadDir(n.o.Dir + "/" + topicsFolder)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s: folders %q, topics %q, %v", what, got, want, err)
	}
}

// TestCrashes takes the power, or the process, at every operation.
func TestCrashes(t *testing.T) {
	for seed := range uint64(3) {
		for _, mode := range []commit.Mode{commit.Fsync, commit.OS} {
			t.Run(fmt.Sprint(mode, " seed ", seed), func(t *testing.T) {
				t.Parallel()
				testCrashes(t, mode, seed)
			})
		}
	}
}

// left is a folder after a crash, with what must be in it.
type left struct {
	what      string
	fs        *simfs.FS
	sure, may state
}

func testCrashes(t *testing.T, mode commit.Mode, seed uint64) {
	fs := simfs.New()
	w := newWorld(seed)
	var mu sync.Mutex
	var all []left
	rnd := rand.New(rand.NewPCG(seed, 2))
	fs.Hook(func(op simfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if rnd.IntN(6) > 0 {
			return nil
		}
		sure, may := w.promised()
		what := fmt.Sprintf("before operation %d, %s %s", op.Index, op.Kind, op.Name)
		all = append(all, left{"killed " + what, fs.Kill(), sure, may})
		if mode == commit.Fsync {
			all = append(all, left{"power lost " + what, fs.Crash(rnd), sure, may})
		}
		return nil
	})
	o := Options{FS: fs, Dir: "data", Durability: mode}
	for range 3 { // starts
		n, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		w.node = n
		for range 12 {
			if err := w.step(); err != nil {
				t.Fatal(err)
			}
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range all {
		checkFolder(t, l.what, Options{FS: l.fs, Dir: "data", Durability: mode}, l.sure, l.may)
	}
	t.Logf("%d operations, %d clones", fs.Ops(), len(all))
}

// TestFailures has the i-th operation fail for every i, until nothing fails.
func TestFailures(t *testing.T) {
	const seed = 1
	i := 0
	for testFailure(t, seed, i) {
		i++
	}
	if i < 100 {
		t.Errorf("only %d operations failed", i)
	}
}

var errDisk = errors.New("input/output error")

// testFailure has operation i fail. It is false where there are not as many.
func testFailure(t *testing.T, seed uint64, i int) (failed bool) {
	fs := simfs.New()
	var mu sync.Mutex
	where := ""
	fs.Hook(func(op simfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if op.Index == i {
			where = fmt.Sprintf("operation %d, %s %s, fails", i, op.Kind, op.Name)
			return errDisk
		}
		return nil
	})
	w := newWorld(seed)
	o := Options{FS: fs, Dir: "data"}
	n, err := Open(t.Context(), o)
	if err != nil {
		if !errors.Is(err, errDisk) {
			t.Errorf("%s: %v", where, err)
		}
	} else {
		w.node = n
		for range 14 {
			if w.step() != nil {
				break
			}
		}
		if i%2 == 0 {
			n.Kill()
		} else {
			_ = n.Close()
		}
	}
	mu.Lock()
	failed = where != ""
	mu.Unlock()
	fs.Hook(nil)
	checkFolder(t, where, o, w.sure, w.may)
	return failed
}

// TestSecondOpen of a folder is refused while the first one has it.
func TestSecondOpen(t *testing.T) {
	for _, o := range []Options{{FS: vfs.OS, Dir: t.TempDir()}, {FS: vfs.NewMemory(), Dir: "data"}, {FS: simfs.New(), Dir: "data"}} {
		n := open(t, o)
		if _, err := Open(t.Context(), o); !errors.Is(err, vfs.ErrLocked) {
			t.Errorf("second open: %v", err)
		}
		n.Kill()
		open(t, o)
	}
}
