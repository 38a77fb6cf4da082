package task_test

import (
	"errors"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

func TestOrderOfTime(t *testing.T) {
	b := newBench(t, "a", "b", "c").start()
	b.add("a", 0, "a@5", "a@1", "a@9")
	b.add("b", 0, "b@5", "b@7")
	b.add("c", 0, "c@6")
	// Only first records compare; of equal ones that which is there for longest.
	b.expect("a@5 a@1 b@5 c@6 b@7 a@9")
	if got := b.task.StreamTime(); got != 9 {
		t.Errorf("stream time %d", got)
	}
	if want := []int64{-1, 5, 5}; !reflect.DeepEqual(b.heads["dev.a"].times, want) {
		t.Errorf("loaded at partition times %v, want %v", b.heads["dev.a"].times, want)
	}
}

func TestEqualTimesTakeTurns(t *testing.T) {
	b := newBench(t, "a", "b").start()
	b.add("a", 0, "a@1", "a@1", "a@1")
	b.add("b", 0, "b@1", "b@1")
	b.expect("a@1 b@1 a@1 b@1 a@1")
}

func TestProcessCountsAndNext(t *testing.T) {
	b := newBench(t, "a").start()
	b.add("a", 0, "x@3", "y@4")
	if at, ok, err := b.task.Next(); at != 3 || !ok || err != nil {
		t.Fatal(at, ok, err)
	}
	if n, err := b.task.Process(1); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := b.task.Process(5); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if _, ok, err := b.task.Next(); ok || err != nil {
		t.Fatal(ok, err)
	}
}

func TestUnknownPartition(t *testing.T) {
	b := newBench(t, "a").start()
	if err := b.task.Add("dev.a", 0, nil); err == nil {
		t.Error("a partition of another task was taken")
	}
	if err := b.task.SetEnd("dev.z", 1, 0); err == nil {
		t.Error("an unknown topic was taken")
	}
}

func TestMemoryIsGivenBack(t *testing.T) {
	b := newBench(t, "a").start()
	b.add("a", 0, "x@1", "y@2", "z@3")
	if b.held != b.task.Buffered("dev.a", 1) || b.held < 3*256 {
		t.Errorf("%d bytes held, %d buffered", b.held, b.task.Buffered("dev.a", 1))
	}
	b.task.Process(2)
	if b.held != b.task.Buffered("dev.a", 1) || b.held == 0 {
		t.Errorf("%d bytes held, %d buffered", b.held, b.task.Buffered("dev.a", 1))
	}
	b.task.Close()
	if b.held != 0 {
		t.Errorf("%d bytes held after the end", b.held)
	}
}

// TestControlRecords: they move the position and are not seen.
func TestControlRecords(t *testing.T) {
	b := newBench(t, "a").start()
	b.add("a", 0, "x@1")
	marker := &kgo.Record{Topic: "dev.a", Partition: 1, Offset: 1, Timestamp: time.UnixMilli(50)}
	*(*uint8)(unsafe.Pointer(&marker.Attrs)) = 1 << 5
	if !marker.Attrs.IsControl() {
		t.Fatal("the test's marker is none")
	}
	if err := b.task.Add("dev.a", 1, []*kgo.Record{marker}); err != nil {
		t.Fatal(err)
	}
	b.expect("x@1")
	if got := b.task.Offsets(); len(got) != 1 || got[0].At != 2 {
		t.Errorf("offsets %v", got)
	}
	if b.task.StreamTime() != 1 {
		t.Errorf("stream time %d", b.task.StreamTime())
	}
}

func TestNegativeTimestampIsDropped(t *testing.T) {
	b := newBench(t, "a").start()
	b.add("a", 0, "x@-1", "y@2")
	b.expect("y@2")
	s := b.task.Stats()
	if len(s.Dropped) != 1 || s.Dropped[0].Count != 1 || s.Dropped[0].Node != "source" {
		t.Errorf("dropped %v", s.Dropped)
	}
	if len(b.failures) != 0 {
		t.Error("that is no failure")
	}
}

// TestIdle is Kafka Streams' rule of max.task.idle.ms.
func TestIdle(t *testing.T) {
	const unknown = -1
	tests := []struct {
		name  string
		idle  time.Duration
		end   int64 // of the empty partition
		later int64 // ms that pass before the second try
		first string
		then  string
	}{
		{"disabled does not even wait for what is there", -1, 7, 0, "a@1", ""},
		{"none, end unknown", 0, unknown, 1000, "", ""},
		{"none, broker has more", 0, 7, 1000, "", ""},
		{"none, broker has none", 0, 0, 0, "a@1", ""},
		{"some, broker has none, too early", 100, 0, 99, "", ""},
		{"some, broker has none, long enough", 100, 0, 100, "", "a@1"},
		{"some, broker has more", 100, 7, 1000, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, "a", "b")
			b.config.MaxIdle = tt.idle * time.Millisecond
			b.start()
			b.add("a", 0, "a@1")
			if tt.end != unknown {
				b.task.SetEnd("dev.b", 1, tt.end)
			}
			b.expect(tt.first)
			b.now += tt.later
			b.expect(tt.then)
		})
	}
}

func TestIdleWaitsAnew(t *testing.T) {
	b := newBench(t, "a", "b")
	b.config.MaxIdle = 100 * time.Millisecond
	b.start()
	b.task.SetEnd("dev.b", 1, 0)
	b.add("a", 0, "a@5")
	b.expect("")
	if next := b.task.Due(); next.UnixMilli() != b.now+100 { // at once, not only after Punctuate
		t.Errorf("due at %v", next)
	}
	if next, err := b.task.Punctuate(); err != nil || next.UnixMilli() != b.now+100 {
		t.Errorf("to be called at %v, %v", next, err)
	}
	b.now += 60
	b.add("b", 0, "b@3")
	b.expect("b@3") // and now b is empty again
	b.now += 60
	b.expect("")
	b.now += 100
	b.expect("a@5")
}

func TestAwaited(t *testing.T) {
	b := newBench(t, "a", "b")
	b.config.MaxIdle = 0
	b.start()
	awaited := func() (out []string) {
		b.task.Awaited(func(topic string, partition int32) { out = append(out, topic) })
		return out
	}
	if got := awaited(); got != nil {
		t.Errorf("an empty task waits for %v", got)
	}
	b.add("a", 0, "a@1")
	b.expect("")
	if got := awaited(); !reflect.DeepEqual(got, []string{"dev.b"}) {
		t.Errorf("waits for %v", got)
	}
	b.task.SetEnd("dev.b", 1, 0)
	b.expect("a@1")
	if got := awaited(); got != nil {
		t.Errorf("still waits for %v", got)
	}
}

func TestClosedTask(t *testing.T) {
	b := newBench(t, "a").start()
	if err := b.task.Close(); err != nil || b.closes != 1 {
		t.Fatal(err, b.closes)
	}
	if _, err := b.task.Process(1); err == nil {
		t.Error("a closed task processes")
	}
	if err := b.task.Add("dev.a", 1, nil); err == nil {
		t.Error("a closed task takes records")
	}
	if err := b.task.Close(); err != nil || b.closes != 1 {
		t.Error("closing twice", err, b.closes)
	}
}

func TestNewClosesWhatItMade(t *testing.T) {
	b := newBench(t, "a")
	b.config.Partitions = func(string) (int32, error) { return 0, errors.New("no broker") }
	closed := &fake{name: "s"}
	b.config.Sub.Stores = []*plan.Store{closed.plan(true)}
	if err := b.tryStart(); err == nil {
		t.Fatal("started without partitions")
	}
	if !closed.closed || b.closes != 1 {
		t.Error("what was made is open still")
	}
}
