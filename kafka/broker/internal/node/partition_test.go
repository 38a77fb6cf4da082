package node

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs/simfs"
	"github.com/twmb/franz-go/pkg/kerr"
)

// record is a batch of one record.
func record(at time.Time) ([]byte, batch.Header) {
	b := batch.Build(batch.Header{ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1}, batch.Record{Timestamp: at.UnixMilli(), Value: []byte("v")})
	h, err := batch.Parse(b)
	if err != nil {
		panic(err)
	}
	return b, h
}

func TestAppendAsksInTurn(t *testing.T) {
	n := open(t, Options{})
	p := create(t, n, "t", 1).Partition(0)
	refused := errors.New("refused")
	var inside, most int
	var mu sync.Mutex
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			b, h := record(time.Now())
			may := func() error {
				mu.Lock()
				inside++
				most = max(most, inside)
				mu.Unlock()
				defer func() { mu.Lock(); inside--; mu.Unlock() }()
				if i%2 == 0 {
					return refused
				}
				return nil
			}
			done := make(chan error, 1)
			p.Append(b, h, may, func(_ log.Appended, err error) { done <- err })
			if err := <-done; (i%2 == 0) != errors.Is(err, refused) {
				t.Errorf("append %d: %v", i, err)
			}
		})
	}
	group.Wait()
	if next := p.Log().Offsets().HighWatermark; next != 25 || most != 1 {
		t.Errorf("high watermark %d, %d asked at a time", next, most)
	}
}

// TestDoneMayAppend to the same partition, in modes that call done at once.
func TestDoneMayAppend(t *testing.T) {
	n := open(t, Options{FS: simfs.New(), Dir: "data", Durability: commit.OS})
	p := create(t, n, "t", 1).Partition(0)
	left := 5
	var again func(log.Appended, error)
	again = func(at log.Appended, err error) {
		if err != nil {
			t.Error(err)
		}
		if left--; left > 0 {
			b, h := record(time.Now())
			p.Append(b, h, nil, again)
		}
	}
	b, h := record(time.Now())
	p.Append(b, h, nil, again)
	if next := p.Log().Offsets().HighWatermark; next != 5 {
		t.Errorf("high watermark %d", next)
	}
}

func TestTimestampLimits(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	n := open(t, Options{Now: func() time.Time { return now }})
	limits := map[string]string{"message.timestamp.before.max.ms": "1000", "message.timestamp.after.max.ms": "500"}
	made, errs := n.Create([]NewTopic{
		{Name: "limited", Partitions: 1, Settings: limits},
		{Name: "default", Partitions: 1},
		{Name: "broker's", Partitions: 1},
		{Name: "brokers", Partitions: 1, Settings: map[string]string{"message.timestamp.type": "LogAppendTime", "message.timestamp.before.max.ms": "1"}},
	}, false)
	if errs[0] != nil || errs[1] != nil || errs[2] == nil || errs[3] != nil {
		t.Fatal(errs)
	}
	for _, c := range []struct {
		topic *Topic
		off   time.Duration
		ok    bool
	}{
		{made[0], -time.Second, true}, {made[0], -1001 * time.Millisecond, false},
		{made[0], 500 * time.Millisecond, true}, {made[0], 501 * time.Millisecond, false},
		{made[1], -90000 * time.Hour, true}, {made[1], time.Hour, true}, {made[1], time.Hour + time.Millisecond, false},
		{made[3], -time.Hour, true}, {made[3], 90 * time.Hour, true},
	} {
		b, h := record(now.Add(c.off))
		done := make(chan error, 1)
		c.topic.Partition(0).Append(b, h, nil, func(_ log.Appended, err error) { done <- err })
		if err := <-done; (err == nil) != c.ok || err != nil && !errors.Is(err, kerr.InvalidTimestamp) {
			t.Errorf("%s, %s off: %v", c.topic.Name, c.off, err)
		}
	}
	// The second record of a batch is what is too old.
	b := batch.Build(batch.Header{ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1}, batch.Record{Timestamp: now.UnixMilli()}, batch.Record{Timestamp: now.Add(-time.Hour).UnixMilli()})
	h, _ := batch.Parse(b)
	done := make(chan error, 1)
	made[0].Partition(0).Append(b, h, nil, func(_ log.Appended, err error) { done <- err })
	if err := <-done; !errors.Is(err, kerr.InvalidTimestamp) {
		t.Errorf("an old record after another: %v", err)
	}
}

// news says whether there was some, and takes it.
func news(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestWatch(t *testing.T) {
	n := open(t, Options{})
	p := create(t, n, "t", 1).Partition(0)
	one, two := make(chan struct{}, 1), make(chan struct{}, 1)
	p.Watch(one)
	p.Watch(two)
	if news(one) {
		t.Error("news before anything happened")
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(put(p, "a"))
	must(put(p, "b")) // nobody has taken the news of a
	if !news(one) || !news(two) || news(one) {
		t.Error("after an append: want news once for each")
	}
	p.Unwatch(two)
	_, err := p.DeleteRecords(1)
	must(err)
	if !news(one) || news(two) {
		t.Error("after records were deleted")
	}
	marked := make(chan error, 1)
	p.AppendMarker(batch.Marker{ProducerID: 7, ProducerEpoch: 0}, func(_ log.Appended, err error) { marked <- err })
	must(<-marked)
	if !news(one) {
		t.Error("after a marker")
	}
	b, h := record(time.Now())
	p.Append(b, h, func() error { return errDisk }, func(log.Appended, error) {})
	if news(one) {
		t.Error("news of what was refused")
	}
	must(n.Delete("t")[0])
	if !news(one) || !p.Gone() {
		t.Error("after the topic was deleted")
	}
	p.Unwatch(one)
	p.Unwatch(one)
	if p.watchers.count.Load() != 0 {
		t.Error("somebody watches still")
	}
}

// TestWatchMissesNothing: who watches first and looks then sees all, or is told.
func TestWatchMissesNothing(t *testing.T) {
	n := open(t, Options{})
	p := create(t, n, "t", 1).Partition(0)
	const count = 300
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for seen := int64(0); seen < count; {
				c := make(chan struct{}, 1)
				p.Watch(c)
				if at := p.Log().Offsets().HighWatermark; at > seen {
					seen = at
				} else {
					<-c
				}
				p.Unwatch(c)
			}
		})
	}
	for i := range count {
		if err := put(p, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	group.Wait()
}

func TestGone(t *testing.T) {
	n := open(t, Options{})
	before := create(t, n, "t", 1)
	if err := n.Delete("t")[0]; err != nil {
		t.Fatal(err)
	}
	after := create(t, n, "t", 1)
	if err := put(before.Partition(0), "v"); !errors.Is(err, ErrGone) || !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("an append to a deleted topic: %v", err)
	}
	if _, err := before.Partition(0).DeleteRecords(0); !errors.Is(err, ErrGone) {
		t.Errorf("deleting records of a deleted topic: %v", err)
	}
	if before.ID == after.ID || n.TopicByID(before.ID) != nil || n.TopicByID(after.ID) != after {
		t.Error("the new topic has the old one's id")
	}
	if err := put(after.Partition(0), "v"); err != nil || after.Partition(0).Log().Offsets().Next != 1 {
		t.Errorf("the new topic: %v", err)
	}
}

// TestDeleteUnderLoad while records are appended, read, and maintained.
func TestDeleteUnderLoad(t *testing.T) {
	for _, o := range []Options{{FS: simfs.New(), Dir: "data"}, {FS: vfs.OS, Dir: t.TempDir(), Durability: commit.OS}} {
		n := open(t, o)
		for round := range 3 {
			deleteUnderLoad(t, n, round)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		checkNoOrphans(t, "after the end", n)
	}
}

func deleteUnderLoad(t *testing.T, n *Node, round int) {
	made, errs := n.Create([]NewTopic{{Name: "t", Partitions: 2, Settings: map[string]string{"cleanup.policy": "compact", "segment.bytes": "500", "min.cleanable.dirty.ratio": "0"}}}, false)
	if errs[0] != nil {
		t.Fatal(errs[0])
	}
	began, acked := make(chan struct{}, 100), sync.WaitGroup{}
	for i := range 4 {
		p := made[0].Partition(int32(i % 2))
		acked.Go(func() {
			var err error
			for i := 0; err == nil; i++ {
				if err = put(p, fmt.Sprint(i)); i == 20 {
					began <- struct{}{}
				}
			}
			if !errors.Is(err, ErrGone) {
				t.Errorf("round %d, an append: %v", round, err)
			}
		})
		acked.Go(func() {
			var err error
			for err == nil {
				_, err = p.Log().Read(p.Log().Offsets().Start, 1000, false, nil)
				if errors.Is(err, log.ErrOffsetOutOfRange) {
					err = nil
				}
			}
			if !p.Gone() {
				t.Errorf("round %d, a read: %v", round, err)
			}
		})
	}
	for range 4 {
		<-began
	}
	acked.Go(n.Maintain)
	if err := n.Delete("t")[0]; err != nil {
		t.Error(err)
	}
	acked.Wait()
}

// TestFullDisk stops acknowledgements, says so once, and loses nothing that was acknowledged.
func TestFullDisk(t *testing.T) {
	fs := simfs.New()
	var said bytes.Buffer
	o := Options{FS: fs, Dir: "data", Logger: slog.New(slog.NewTextHandler(&said, nil))}
	n := open(t, o)
	p := create(t, n, "t", 1).Partition(0)
	if err := put(p, "kept"); err != nil {
		t.Fatal(err)
	}
	fs.Hook(func(op simfs.Op) error {
		if op.Kind == "write" && strings.Contains(op.Name, journalFolder) {
			return syscall.ENOSPC
		}
		return nil
	})
	for range 3 {
		if err := put(p, "refused"); !errors.Is(err, ErrFailed) || !errors.Is(err, kerr.KafkaStorageError) {
			t.Errorf("an append: %v", err)
		}
	}
	if err := n.Failed(); !errors.Is(err, ErrFailed) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("failed: %v", err)
	}
	if got := said.String(); strings.Count(got, "nothing more is acknowledged") != 1 || !strings.Contains(got, "free space") {
		t.Errorf("said: %s", got)
	}
	fs.Hook(nil)
	if err := n.Close(); err == nil {
		t.Error("the end is no clean one")
	}
	again := open(t, o)
	if got := values(t, again.Topic("t").Partition(0)); got[0] != "kept" {
		t.Errorf("after the start: %q", got)
	}
	if epoch := again.Topic("t").Partition(0).Epoch(); epoch != 1 {
		t.Errorf("the leader epoch is %d", epoch)
	}
}
