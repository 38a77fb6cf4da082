package node

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs/simfs"
)

// clock is one that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)} }

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// maintained is a node that maintains its logs when it is told to, with one topic.
func maintained(t *testing.T, c *clock, settings map[string]string) (*Node, *Partition) {
	t.Helper()
	n := open(t, Options{FS: simfs.New(), Dir: "data", Now: c.time, MaintainEvery: time.Hour})
	made, errs := n.Create([]NewTopic{{Name: "t", Partitions: 1, Settings: settings}}, false)
	if errs[0] != nil {
		t.Fatal(errs[0])
	}
	return n, made[0].Partition(0)
}

// putKey appends a record with a key; an empty value is a tombstone.
func putKey(t *testing.T, p *Partition, key, value string) {
	t.Helper()
	r := batch.Record{Timestamp: p.Topic.node.o.Now().UnixMilli(), Key: []byte(key)}
	if value != "" {
		r.Value = []byte(value)
	}
	b := batch.Build(batch.Header{ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1}, r)
	h, err := batch.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	p.Append(b, h, nil, func(_ log.Appended, err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestRetentionByTime(t *testing.T) {
	c := newClock()
	n, p := maintained(t, c, map[string]string{"retention.ms": "3600000", "segment.ms": "60000"})
	news := make(chan struct{}, 1)
	putKey(t, p, "k", "old")
	c.add(2 * time.Minute)
	n.Maintain() // begins a segment
	putKey(t, p, "k", "new")
	c.add(59 * time.Minute)
	p.Watch(news)
	n.Maintain()
	if got := values(t, p); fmt.Sprint(got) != "[new]" {
		t.Errorf("after an hour: %v", got)
	}
	select {
	case <-news:
	default:
		t.Error("the log start rises without news")
	}
	s := n.Stats()
	if s.RetentionSegments != 1 || s.RetentionBytes == 0 {
		t.Errorf("%+v", s)
	}
	if err := n.Delete("t")[0]; err != nil {
		t.Fatal(err)
	}
	n.removing.Wait()
	if after := n.Stats(); after.RetentionSegments != 1 {
		t.Errorf("with the topic its part of the counts went: %+v", after)
	}
}

func TestRetentionBySize(t *testing.T) {
	c := newClock()
	n, p := maintained(t, c, map[string]string{"retention.bytes": "1000", "segment.bytes": "400"})
	for i := range 100 {
		putKey(t, p, "k", fmt.Sprint(i))
	}
	n.Maintain()
	if size := p.Log().Size(); size < 1000 || size > 1500 {
		t.Errorf("%d bytes are left", size)
	}
	if err := n.SetSettings("t", map[string]string{"retention.bytes": "100", "segment.bytes": "400"}, false); err != nil {
		t.Fatal(err)
	}
	n.Maintain()
	if size := p.Log().Size(); size > 600 {
		t.Errorf("with less: %d bytes are left", size)
	}
}

var compacted = map[string]string{"cleanup.policy": "compact", "segment.bytes": "500", "delete.retention.ms": "60000"}

func TestCompaction(t *testing.T) {
	c := newClock()
	n, p := maintained(t, c, compacted)
	for i := range 60 {
		putKey(t, p, fmt.Sprint("k", i%3), fmt.Sprint(i))
	}
	before := p.Log().Size()
	n.Maintain()
	s := n.Stats()
	if s.Compactions != 1 || s.CompactedAfter >= s.CompactedBefore || p.Log().Size() >= before || s.LastError != "" {
		t.Errorf("%d bytes of %d, %+v", p.Log().Size(), before, s)
	}
	n.Maintain()
	if again := n.Stats(); again.Compactions != s.Compactions {
		t.Error("compacted again though nothing is new")
	}
	got := strings.Join(values(t, p), " ")
	if !strings.HasSuffix(got, "57 58 59") {
		t.Errorf("records: %s", got)
	}
}

// TestTombstonesGo though nothing is appended any more, also after a start.
func TestTombstonesGo(t *testing.T) {
	for _, restart := range []bool{false, true} {
		c := newClock()
		n, p := maintained(t, c, compacted)
		putKey(t, p, "gone", "v")
		putKey(t, p, "gone", "")
		for i := range 20 {
			putKey(t, p, "k", fmt.Sprint(i))
		}
		n.Maintain()
		if !strings.Contains(fmt.Sprintf("%q", values(t, p)), `""`) {
			t.Errorf("the tombstone goes at once: %q", values(t, p))
		}
		if restart {
			if err := n.Close(); err != nil {
				t.Fatal(err)
			}
			n = open(t, n.o)
			p = n.Topic("t").Partition(0)
		}
		c.add(61 * time.Second)
		n.Maintain()
		if strings.Contains(fmt.Sprintf("%q", values(t, p)), `""`) {
			t.Errorf("restart %v: the tombstone stays: %q", restart, values(t, p))
		}
		runs := n.Stats().Compactions
		c.add(time.Hour)
		n.Maintain()
		if n.Stats().Compactions != runs {
			t.Error("compacted again though nothing is left to do")
		}
	}
}

func TestMaxCompactionLag(t *testing.T) {
	c := newClock()
	n, p := maintained(t, c, map[string]string{"cleanup.policy": "compact", "max.compaction.lag.ms": "60000", "min.cleanable.dirty.ratio": "1"})
	for i := range 10 {
		putKey(t, p, "k", fmt.Sprint(i))
	}
	n.Maintain()
	c.add(61 * time.Second)
	n.Maintain()
	if got := values(t, p); fmt.Sprint(got) != "[9]" {
		t.Errorf("after the lag: %v", got)
	}
}

// TestMaintenanceFails of one log: the others are maintained, and it is said once.
func TestMaintenanceFails(t *testing.T) {
	c := newClock()
	n, p := maintained(t, c, compacted)
	other := create(t, n, "u", 1)
	if err := n.SetSettings("u", compacted, false); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		putKey(t, p, "k", fmt.Sprint(i))
		putKey(t, other.Partition(0), "k", fmt.Sprint(i))
	}
	fs := n.o.FS.(*simfs.FS)
	fs.Hook(func(op simfs.Op) error {
		if op.Kind == "create" && strings.Contains(op.Name, "/t-") {
			return errDisk
		}
		return nil
	})
	n.Maintain()
	s := n.Stats()
	if s.Compactions != 1 || !strings.Contains(s.LastError, "t-0") {
		t.Errorf("%+v", s)
	}
	fs.Hook(nil)
	n.Maintain()
	if s := n.Stats(); s.Compactions != 1 {
		t.Error("tried again at once")
	}
	c.add(retryCompaction)
	n.Maintain()
	if s := n.Stats(); s.Compactions != 2 {
		t.Errorf("not tried again: %+v", s)
	}
}

// TestMaintainedByTimer without being asked.
func TestMaintainedByTimer(t *testing.T) {
	n := open(t, Options{MaintainEvery: time.Millisecond, Settings: map[string]string{"log.retention.check.interval.ms": "1"}})
	made, errs := n.Create([]NewTopic{{Name: "t", Partitions: 1, Settings: map[string]string{"retention.bytes": "100", "segment.bytes": "100"}}}, false)
	if errs[0] != nil {
		t.Fatal(errs[0])
	}
	p := made[0].Partition(0)
	news := make(chan struct{}, 1)
	for range 5 {
		if err := put(p, "v"); err != nil {
			t.Fatal(err)
		}
	}
	p.Watch(news)
	for p.Log().Offsets().Start == 0 {
		<-news
	}
}
