package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
)

// commitWaitsForTheClient: a transaction whose only record is acknowledged while the client is still busy
// with the topic's first ones is committed, not aborted.
func commitWaitsForTheClient(t *testing.T, c kafka.Config) {
	for n := range 10 {
		if commitsWhileBusy(t, c, fmt.Sprintf("first-%d", n)) {
			return
		}
	}
	t.Error("no record was acknowledged before the client listed its topic: if that never is so any more, Commit need not wait")
}

// commitsWhileBusy is false where it did not come to that: Kafka refused the record at first, and the client
// that is to try again is busy; or it had the topic before the second record.
func commitsWhileBusy(t *testing.T, c kafka.Config, name string) bool {
	topic := newTopic(t, c, kafka.Topic{Name: name, Partitions: 1})
	busy := busyPartitioner{make(chan struct{}), make(chan struct{})}
	p := client(t, c, kgo.TransactionalID(c.TransactionalID(name)), kgo.RecordPartitioner(busy))
	goOn := sync.OnceFunc(func() { close(busy.goOn) })
	defer goOn()
	if err := p.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	acknowledged, refused := make(chan error, 1), make(chan error, 1)
	first := &kgo.Record{Topic: topic, Value: []byte("one")}
	p.Produce(t.Context(), first, func(_ *kgo.Record, err error) { acknowledged <- err })
	go p.Produce(t.Context(), &kgo.Record{Topic: topic}, func(_ *kgo.Record, err error) { refused <- err })
	patience := time.After(10 * time.Second)
	select {
	case err := <-acknowledged:
		if err != nil {
			t.Fatal(err)
		}
	case <-patience:
		return false
	}
	select {
	case <-busy.reached:
	case <-patience:
		return false
	}
	if leader, _, _ := p.PartitionLeader(topic, 0); leader >= 0 {
		return false
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := kafka.Commit(short, p, first); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it did not wait: %v", err)
	}
	goOn()
	if err := <-refused; err == nil {
		t.Error("the second record has no partition, and was produced")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := kafka.Commit(ctx, p, first); err != nil {
		t.Fatal(err)
	}
	reader := client(t, c, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	fetches := reader.PollFetches(ctx)
	if err := fetches.Err(); err != nil || fetches.NumRecords() != 1 {
		t.Errorf("%d records are committed, %v", fetches.NumRecords(), err)
	}
	return true
}

// busyPartitioner keeps the client busy with the second record, which it gives no partition.
type busyPartitioner struct{ reached, goOn chan struct{} }

func (p busyPartitioner) ForTopic(string) kgo.TopicPartitioner { return p }

func (p busyPartitioner) RequiresConsistency(*kgo.Record) bool { return true }

func (p busyPartitioner) Partition(r *kgo.Record, _ int) int {
	if r.Value != nil {
		return 0
	}
	close(p.reached)
	<-p.goOn
	return -1
}
