package node

import (
	"errors"
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/twmb/franz-go/pkg/kerr"
)

func open(t *testing.T, o Options) *Node {
	t.Helper()
	if o.FS == nil {
		o.FS, o.Dir = vfs.NewMemory(), "data"
	}
	n, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

func create(t *testing.T, n *Node, name string, partitions int) *Topic {
	t.Helper()
	made, errs := n.Create([]NewTopic{{Name: name, Partitions: partitions}}, false)
	if errs[0] != nil {
		t.Fatal(errs[0])
	}
	return made[0]
}

// put appends a record and waits until it is acknowledged.
func put(p *Partition, value string) error {
	b := batch.Build(batch.Header{ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1}, batch.Record{Timestamp: p.Topic.node.o.Now().UnixMilli(), Key: []byte("k"), Value: []byte(value)})
	h, err := batch.Parse(b)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	p.Append(b, h, nil, func(_ log.Appended, err error) { done <- err })
	return <-done
}

// values are those of all records of a partition.
func values(t *testing.T, p *Partition) (all []string) {
	t.Helper()
	at := p.Log().Offsets()
	for offset := at.Start; offset < at.HighWatermark; {
		read, err := p.Log().Read(offset, 1<<20, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		for data := read.Data; len(data) > 0; {
			h, err := batch.Verify(data)
			if err != nil {
				t.Fatal(err)
			}
			it, err := batch.Records(data[:h.Size], 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			for r, ok := it.Next(); ok; r, ok = it.Next() {
				all = append(all, string(r.Value))
			}
			offset, data = h.NextOffset(), data[h.Size:]
		}
	}
	return all
}

// TestEverythingIsKept over a stop and over a kill, in each mode.
func TestEverythingIsKept(t *testing.T) {
	for _, mode := range []commit.Mode{commit.Fsync, commit.OS} {
		for _, end := range []string{"stop", "kill"} {
			t.Run(fmt.Sprint(mode, " ", end), func(t *testing.T) { testKept(t, mode, end == "kill") })
		}
	}
}

func testKept(t *testing.T, mode commit.Mode, kill bool) {
	o := Options{FS: vfs.OS, Dir: t.TempDir(), Durability: mode}
	n := open(t, o)
	topic := create(t, n, "t", 2)
	create(t, n, "gone", 1)
	for i := range 10 {
		if err := put(topic.Partition(int32(i%2)), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(n.AddPartitions("t", 3, false), n.SetSettings("t", map[string]string{"retention.ms": "-1"}, false), n.Delete("gone")[0]); err != nil {
		t.Fatal(err)
	}
	kept := make(chan error, 1)
	n.KeyLog(Txns).Append([]keylog.Record{keylog.ProducerIDs(7)}, func(err error) { kept <- err })
	if err := <-kept; err != nil {
		t.Fatal(err)
	}
	cluster := n.ClusterID()
	if kill {
		n.Kill()
	} else if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if err := put(topic.Partition(0), "late"); !errors.Is(err, ErrClosed) {
		t.Errorf("an append after the end: %v", err)
	}

	n = open(t, o)
	again := n.Topic("t")
	if n.ClusterID() != cluster || again == nil || again.ID != topic.ID || len(again.Partitions()) != 3 || n.Topic("gone") != nil {
		t.Fatalf("cluster %s, topic %+v, gone %v", n.ClusterID(), again, n.Topic("gone"))
	}
	if got := fmt.Sprint(values(t, again.Partition(0)), values(t, again.Partition(1))); got != "[0 2 4 6 8] [1 3 5 7 9]" {
		t.Errorf("records: %s", got)
	}
	if again.Setting("retention.ms") != "-1" {
		t.Errorf("retention.ms is %s", again.Setting("retention.ms"))
	}
	if epoch := again.Partition(0).Epoch(); (epoch > 0) != kill {
		t.Errorf("the leader epoch is %d", epoch)
	}
	records := 0
	if err := n.Replay(Txns, func(keylog.Record) error { records++; return nil }); err != nil || records != 1 {
		t.Errorf("%d records of the coordinator, %v", records, err)
	}
}

func TestWhatCannotBeMade(t *testing.T) {
	n := open(t, Options{MaxPartitions: 10})
	create(t, n, "a.b", 4)
	for _, c := range []struct {
		topic NewTopic
		want  *kerr.Error
	}{
		{NewTopic{Name: "a.b", Partitions: 1}, kerr.TopicAlreadyExists},
		{NewTopic{Name: "a_b", Partitions: 1}, kerr.InvalidTopicException},
		{NewTopic{Name: "..", Partitions: 1}, kerr.InvalidTopicException},
		{NewTopic{Name: "a/b", Partitions: 1}, kerr.InvalidTopicException},
		{NewTopic{Name: "c", Partitions: 0}, kerr.InvalidPartitions},
		{NewTopic{Name: "c", Partitions: 4}, kerr.InvalidPartitions}, // three are the coordinators'
		{NewTopic{Name: "c", Partitions: 1 << 31}, kerr.InvalidPartitions},
		{NewTopic{Name: "c", Partitions: 1, Settings: map[string]string{"no.such": "1"}}, kerr.InvalidConfig},
		{NewTopic{Name: "c", Partitions: 1, Settings: map[string]string{"retention.ms": "long"}}, kerr.InvalidConfig},
	} {
		_, errs := n.Create([]NewTopic{c.topic}, false)
		if !errors.Is(errs[0], c.want) {
			t.Errorf("%+v: got %v, want %v", c.topic, errs[0], c.want)
		}
	}
	if _, errs := n.Create([]NewTopic{{Name: "c", Partitions: 2}}, true); errs[0] != nil || n.Topic("c") != nil {
		t.Errorf("validate only: %v, %v", errs[0], n.Topic("c"))
	}
}
