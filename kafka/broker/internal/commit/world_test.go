package commit_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/producer"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

const partitions = 3

// broker is a journal and its logs.
type broker struct {
	logs     map[commit.Key]*log.Log
	journal  *commit.Journal
	recovery commit.Recovery
}

func key(partition int) commit.Key {
	return commit.Key{Topic: [16]byte{7}, Partition: int32(partition)}
}

func open(fs vfs.FS, opts commit.Options, n int, segment int64) (*broker, error) {
	b := &broker{logs: map[commit.Key]*log.Log{}}
	for p := range n {
		l, err := log.Open(fs, fmt.Sprint("/data/topic-", p), log.Config{SegmentBytes: segment}, func() time.Time { return time.UnixMilli(5000) })
		if err != nil {
			return nil, err
		}
		b.logs[key(p)] = l
	}
	var err error
	b.journal, b.recovery, err = commit.Open(fs, "/data/journal", opts, func(k commit.Key) *log.Log { return b.logs[k] })
	return b, err
}

// send appends a batch and waits until it is acknowledged.
func (b *broker) send(partition int, data []byte) (log.Appended, error) {
	h, err := batch.Verify(data)
	if err != nil {
		return log.Appended{}, err
	}
	type result struct {
		at  log.Appended
		err error
	}
	done := make(chan result, 1)
	b.journal.Append(key(partition), b.logs[key(partition)], data, h, 0, func(at log.Appended, err error) { done <- result{at, err} })
	r := <-done
	return r.at, r.err
}

func (b *broker) close() error {
	err := b.journal.Close()
	for _, l := range b.logs {
		err = errors.Join(err, l.Close())
	}
	return err
}

// one is the batch with a producer's sequence.
func one(id int64, sequence int32) []byte {
	value := fmt.Appendf(nil, "producer %d sequence %d", id, sequence)
	return batch.Build(batch.Header{ProducerID: id, BaseSequence: sequence}, batch.Record{Timestamp: 1, Value: value})
}

// acked is what was acknowledged: the last sequence of each producer and its offset.
type acked struct {
	mu   sync.Mutex
	last map[int64]ack
}

type ack struct {
	partition int
	sequence  int32
	offset    int64
}

func (a *acked) set(id int64, to ack) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last[id] = to
}

func (a *acked) get() map[int64]ack {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := map[int64]ack{}
	for id, last := range a.last {
		c[id] = last
	}
	return c
}

// produce sends a producer's batches, one after another, until one fails.
func (b *broker) produce(id int64, from, n int32, a *acked) error {
	partition := int(id % partitions)
	for s := from; s < from+n; s++ {
		at, err := b.send(partition, one(id, s))
		if err != nil {
			return err
		}
		a.set(id, ack{partition, s, at.Base})
	}
	return nil
}

// check looks for what was acknowledged: each producer's batches once, in order, up to
// the last acknowledged one at least, which a retry finds.
func check(b *broker, want map[int64]ack) error {
	for p := range partitions {
		l := b.logs[key(p)]
		next := map[int64]int32{}
		for offset := int64(0); ; {
			got, err := l.Read(offset, 1000, false, nil)
			if err != nil {
				return err
			}
			if len(got.Data) == 0 {
				break
			}
			for data := got.Data; len(data) > 0; {
				h, err := batch.Verify(data)
				if err != nil {
					return err
				}
				if h.BaseOffset != offset || h.BaseSequence != next[h.ProducerID] || !bytes.Contains(data[:h.Size], one(h.ProducerID, h.BaseSequence)[batch.HeaderSize:]) {
					return fmt.Errorf("partition %d has at offset %d sequence %d of producer %d, after %d", p, h.BaseOffset, h.BaseSequence, h.ProducerID, next[h.ProducerID]-1)
				}
				next[h.ProducerID]++
				offset = h.NextOffset()
				data = data[h.Size:]
			}
		}
		for id, last := range want {
			if last.partition == p && next[id] <= last.sequence {
				return fmt.Errorf("sequence %d of producer %d was acknowledged at %d, and partition %d has %d; %+v", last.sequence, id, last.offset, p, next[id]-1, l.Offsets())
			}
		}
	}
	for id, last := range want {
		at, err := b.send(last.partition, one(id, last.sequence))
		if err == nil && (!at.Duplicate || at.Base != last.offset) {
			return fmt.Errorf("a retry of producer %d: %+v, first at %+v", id, at, last)
		}
		if err != nil && !errors.Is(err, producer.ErrOutOfOrderSequence) {
			return err
		}
	}
	return nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
