package task

import (
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// queue is what was read of an input partition and not processed. Its first record is
// decoded when its time is needed.
type queue struct {
	node      string
	topic     string
	partition int32
	head      plan.Head

	batches []batch // the first may be partly processed
	first   int     // of batches: the ones before are done
	records int
	bytes   int64

	loaded  bool  // the first record is decoded
	time    int64 // of the first record
	arrival int64 // when it became the first

	partitionTime int64
	// position is the offset after the last processed record, committed the one last
	// committed, end the one after the broker's last; -1 unknown.
	position, committed, end int64
	epoch                    int32
	// told is as of when the end is known, asked since when an answer to Awaited is waited for, 0 not
	// (ms of the wall clock).
	told, asked int64
	// deadline of waiting for records (ms), 0 not waiting.
	deadline int64
}

// batch is what was added at once.
type batch struct {
	records []*kgo.Record
	next    int
}

// recordOverhead is what a record takes besides its bytes.
const recordOverhead = 256

func newQueue(node, topic string, partition int32) *queue {
	return &queue{node: node, topic: topic, partition: partition, partitionTime: -1, position: -1, committed: -1, end: -1, epoch: -1}
}

// add takes recs over and returns their bytes.
func (q *queue) add(recs []*kgo.Record) int64 {
	var size int64
	for _, r := range recs {
		size += weigh(r)
	}
	if q.first > 0 && q.first*2 >= len(q.batches) {
		n := copy(q.batches, q.batches[q.first:])
		clear(q.batches[n:])
		q.batches, q.first = q.batches[:n], 0
	}
	q.batches = append(q.batches, batch{records: recs})
	q.records += len(recs)
	q.bytes += size
	q.end = max(q.end, recs[len(recs)-1].Offset+1)
	return size
}

func weigh(r *kgo.Record) int64 {
	n := len(r.Key) + len(r.Value) + recordOverhead
	for i := range r.Headers {
		n += len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return int64(n)
}

func (q *queue) front() *kgo.Record {
	b := &q.batches[q.first]
	return b.records[b.next]
}

// pop ends with the first record and returns its bytes.
func (q *queue) pop() int64 {
	b := &q.batches[q.first]
	r := b.records[b.next]
	b.records[b.next] = nil
	b.next++
	if b.next == len(b.records) {
		*b = batch{}
		q.first++
		if q.first == len(q.batches) {
			q.batches, q.first = q.batches[:0], 0
		}
	}
	size := weigh(r)
	q.records--
	q.bytes -= size
	q.loaded = false
	q.position, q.epoch = r.Offset+1, r.LeaderEpoch
	return size
}

// drained: nothing is queued, and the broker is known to have no more.
func (q *queue) drained() bool {
	return q.records == 0 && q.end >= 0 && q.end <= max(q.position, 0)
}

// offset is set by the producer's goroutines and read by the owner.
type offset struct{ atomic.Int64 }

func (o *offset) raise(to int64) {
	for {
		now := o.Load()
		if now >= to || o.CompareAndSwap(now, to) {
			return
		}
	}
}
