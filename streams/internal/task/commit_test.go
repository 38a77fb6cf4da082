package task_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/task"
)

// withStores has a store with a changelog, one whose changelog is the source topic, and one
// without; the plan names them against the order of the nodes.
func withStores(t *testing.T) (b *bench, steps *[]string, logged, source, unlogged *fake) {
	b = newBench(t, "a")
	steps = &[]string{}
	logged, source, unlogged = &fake{name: "logged", log: steps}, &fake{name: "source", log: steps}, &fake{name: "unlogged", log: steps}
	l, s, u := logged.plan(true), source.plan(true), unlogged.plan(false)
	s.Source = &plan.Topic{Name: "a"}
	b.config.Sub.Stores = []*plan.Store{u, l, s}
	b.config.Sub.Nodes[0].Stores = []*plan.Store{s}
	b.config.Sub.Nodes[1].Stores = []*plan.Store{l, u}
	return b.start(), steps, logged, source, unlogged
}

func TestCommit(t *testing.T) {
	b, steps, logged, source, unlogged := withStores(t)
	if b.task.NeedsCommit() || len(b.task.Offsets()) != 0 {
		t.Error("a new task has something to commit")
	}
	b.add("a", 10, "x@1", "y@2")
	b.run()
	logged.put("k", "v")
	source.put("k", "v")
	unlogged.put("k", "v")
	if !b.task.NeedsCommit() || b.task.Dirty() != 3 {
		t.Error("nothing to commit", b.task.Dirty())
	}
	if err := b.task.Prepare(); err != nil {
		t.Fatal(err)
	}
	if len(b.produced) != 1 || b.produced[0].Topic != "dev.app-logged-changelog" || b.produced[0].Partition != 1 || b.produced[0].Timestamp.UnixMilli() != 7 {
		t.Fatalf("logged %v", b.produced)
	}
	b.produced[0].Offset = 41
	b.task.Produced(b.produced[0])
	b.task.Produced(&kgo.Record{Topic: "another", Offset: 99})
	b.apply()
	want := "flush source, flush logged, flush unlogged, log source, log logged, log unlogged, apply source, apply logged, apply unlogged"
	if got := strings.Join(*steps, ", "); got != want {
		t.Errorf("steps %s", got)
	}
	for _, s := range []struct {
		of   *fake
		next int64
		ok   bool
	}{{logged, 42, true}, {source, 12, true}, {unlogged, 0, false}} {
		if next, ok := s.of.c.Space.Offset(); next != s.next || ok != s.ok {
			t.Errorf("the contents of %s go to %d %t, want %d %t", s.of.name, next, ok, s.next, s.ok)
		}
	}
	offsets := b.task.Offsets()
	if len(offsets) != 1 || offsets[0].Topic != "dev.a" || offsets[0].Partition != 1 || offsets[0].At != 12 || offsets[0].LeaderEpoch != 5 {
		t.Errorf("offsets %v", offsets)
	}
	b.task.Committed()
	if b.task.NeedsCommit() || len(b.task.Offsets()) != 0 {
		t.Error("there is something to commit after it")
	}
}

func (b *bench) apply() {
	b.t.Helper()
	batch := b.db.NewBatch()
	defer batch.Close()
	if err := b.task.Apply(batch); err != nil {
		b.t.Fatal(err)
	}
	if err := batch.Commit(); err != nil {
		b.t.Fatal(err)
	}
}

// TestOffsetsOfWorkWithoutRecords: all positions, so that who lost the task is refused.
func TestOffsetsOfWorkWithoutRecords(t *testing.T) {
	b := newBench(t, "a", "b").start()
	b.add("a", 4, "x@1")
	b.run()
	if got := b.task.Offsets(); len(got) != 1 || got[0].Topic != "dev.a" || got[0].At != 5 {
		t.Errorf("after a record: %+v", got)
	}
	b.task.Committed()
	if got := b.task.Offsets(); len(got) != 0 {
		t.Errorf("after nothing: %+v", got)
	}
	b.context.Schedule(1000, true, func(int64) error { return nil })
	b.now += 1000
	if _, err := b.task.Punctuate(); err != nil || !b.task.NeedsCommit() {
		t.Fatal(err)
	}
	if got := b.task.Offsets(); len(got) != 1 || got[0].Topic != "dev.a" || got[0].At != 5 {
		t.Errorf("after a punctuator: %+v", got)
	}
}

func TestDiscard(t *testing.T) {
	b, _, logged, _, _ := withStores(t)
	logged.put("k", "v")
	b.task.Produced(&kgo.Record{Topic: "dev.app-logged-changelog", Offset: 5})
	b.task.Discard()
	if b.task.Dirty() != 0 {
		t.Error("changes are there")
	}
	b.apply()
	if next, ok := logged.c.Space.Offset(); ok {
		t.Errorf("an aborted offset was stored: %d", next)
	}
	if _, err := b.task.Process(1); err == nil {
		t.Error("it goes on")
	}
}

func TestFailingStores(t *testing.T) {
	for _, step := range []string{"flush", "log", "apply"} {
		b, _, logged, _, _ := withStores(t)
		logged.failing = step
		err := b.task.Prepare()
		if err == nil {
			batch := b.db.NewBatch()
			err = b.task.Apply(batch)
			batch.Close()
		}
		if !errors.Is(err, local.ErrFull) || !strings.Contains(err.Error(), "logged") {
			t.Errorf("%s: %v", step, err)
		}
		if len(b.failures) != 0 {
			t.Errorf("%s: the handler was asked about a full disk", step)
		}
		if _, err := b.task.Process(1); err == nil {
			t.Errorf("%s: it goes on", step)
		}
	}
}

// TestFlushFillsStoresAfterIt: what a record cache sends down is in the same commit.
func TestFlushFillsStoresAfterIt(t *testing.T) {
	b, _, logged, source, _ := withStores(t)
	source.flush = func() error { logged.put("late", "v"); return nil }
	if err := b.task.Prepare(); err != nil || len(b.produced) != 1 {
		t.Error(err, b.produced)
	}
}

func TestEndGoesIntoTheCommit(t *testing.T) {
	b := newBench(t, "a").start()
	b.task.Committed()
	if err := b.task.End(); err != nil || !b.task.NeedsCommit() || b.closes != 1 {
		t.Error(err, b.closes)
	}
}

func TestLateProductsOfAClosedTask(t *testing.T) {
	b := newBench(t, "a").start()
	b.task.Close()
	b.context.Produce("node", &kgo.Record{Topic: "x"})
	if len(b.produced) != 0 {
		t.Error("a closed task produced")
	}
}

func TestRequestCommit(t *testing.T) {
	b := newBench(t, "a").start()
	b.context.RequestCommit()
	if !b.task.CommitRequested() || !b.task.NeedsCommit() {
		t.Error("not requested")
	}
	b.task.Committed()
	if b.task.CommitRequested() {
		t.Error("still requested")
	}
}

// TestGoesOnFromCommitted: times and numbers are those of the offsets' metadata, also for
// nodes when they are made.
func TestGoesOnFromCommitted(t *testing.T) {
	b := newBench(t, "a", "b").start()
	b.add("a", 0, "x@70")
	b.add("b", 0, "y@30")
	b.run()
	b.context.SetMetadata("node", 4)
	offsets := b.task.Offsets()
	if len(offsets) != 2 {
		t.Fatal(offsets)
	}
	b.config.Start = offsets
	b.start()
	if got := b.task.StreamTime(); got != 70 {
		t.Errorf("stream time %d", got)
	}
	if v, ok := b.context.Metadata("node"); v != 4 || !ok {
		t.Error("the number", v, ok)
	}
	b.add("a", 1, "late@60")
	b.add("b", 1, "late@20")
	b.run()
	if want := []int64{30}; !reflect.DeepEqual(b.heads["dev.b"].times, want) {
		t.Errorf("partition times %v", b.heads["dev.b"].times)
	}
	// Metadata changes go with every partition.
	b.task.Committed()
	b.context.SetMetadata("node", 5)
	if got := b.task.Offsets(); len(got) != 2 || !b.task.NeedsCommit() {
		t.Error(got)
	}
}

func TestForeignMetadata(t *testing.T) {
	b := newBench(t, "a")
	b.config.Start = []task.Offset{{Topic: "dev.a", Partition: 1, At: 3, Metadata: "by a tool"}}
	b.start()
	if b.task.StreamTime() != -1 || b.task.Stats().Inputs[0].Position != 3 {
		t.Error(b.task.StreamTime(), b.task.Stats().Inputs)
	}
}

func TestStats(t *testing.T) {
	b, _, logged, _, _ := withStores(t)
	b.add("a", 0, "x@5", "y@6", "z@7")
	b.task.SetEnd("dev.a", 1, 9)
	b.task.Process(2)
	logged.put("k", "v")
	b.context.Dropped("node", "late")
	b.context.Dropped("node", "late")
	s := b.task.Stats()
	if s.Task != b.config.ID || s.Processed != 2 || s.StreamTime != 6 {
		t.Errorf("%+v", s)
	}
	if want := []task.Dropped{{Node: "node", Reason: "late", Count: 2}}; !reflect.DeepEqual(s.Dropped, want) {
		t.Errorf("dropped %v", s.Dropped)
	}
	if want := []task.NodeCount{{Name: "node", Count: 2}}; !reflect.DeepEqual(s.Nodes, want) {
		t.Errorf("nodes %v", s.Nodes)
	}
	in := s.Inputs[0]
	if in.Records != 1 || in.Position != 2 || in.End != 9 || in.Time != 6 || in.Bytes != b.task.Buffered("dev.a", 1) {
		t.Errorf("input %+v", in)
	}
	if s.Stores[1].Name != "logged" || s.Stores[1].Dirty != 1 {
		t.Errorf("stores %+v", s.Stores)
	}
}

// TestKeptNumbers are committed as they are at the commit, and given back.
func TestKeptNumbers(t *testing.T) {
	b := newBench(t, "a").start()
	own := int64(-1)
	b.context.Keep("node-time", &own)
	b.add("a", 0, "x@5")
	b.run()
	own = 4
	offsets := b.task.Offsets()
	b.task.Committed()
	if again := b.task.Offsets(); len(again) != 0 {
		t.Errorf("nothing changed, and %v is to be committed", again)
	}
	b.config.Start = offsets
	b.start()
	var restored, other int64 = -1, 3
	b.context.Keep("node-time", &restored)
	b.context.Keep("other", &other)
	if restored != 4 || other != 3 {
		t.Errorf("given back %d and %d", restored, other)
	}
	restored = 3 // it may go back
	b.config.Start = b.task.Offsets()
	b.start()
	b.context.Keep("node-time", &restored)
	if restored != 3 {
		t.Errorf("given back %d", restored)
	}
}

// A store has all of its changelog at each commit of a position, but of a source topic only where
// that has no more.
func TestCommitNotesThatStoresHaveTheirChangelogs(t *testing.T) {
	b, _, logged, source, unlogged := withStores(t)
	commit := func() {
		t.Helper()
		if err := b.task.Prepare(); err != nil {
			t.Fatal(err)
		}
		b.apply()
		b.task.Committed()
	}
	asOf := func(f *fake) int64 {
		if at := f.c.Space.Mark().AsOf; !at.IsZero() {
			return at.UnixMilli()
		}
		return 0
	}
	b.add("a", 10, "x@1", "y@2")
	if err := b.task.SetEnd("dev.a", 1, 13); err != nil {
		t.Fatal(err)
	}
	b.run()
	commit()
	if asOf(logged) != 1000 || asOf(source) != 0 || asOf(unlogged) != 0 {
		t.Errorf("noted %d, %d of a source topic that has more, %d without a changelog", asOf(logged), asOf(source), asOf(unlogged))
	}
	b.now += 90_000
	commit() // of nothing
	if asOf(logged) != 1000 {
		t.Errorf("noted %d without a commit", asOf(logged))
	}
	b.add("a", 12, "z@3")
	b.run()
	commit()
	if asOf(logged) != 91_000 || asOf(source) != 91_000 {
		t.Errorf("noted %d, %d of a source topic that has no more", asOf(logged), asOf(source))
	}
}
