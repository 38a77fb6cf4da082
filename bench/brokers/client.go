package brokers

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// client is the same work on any side: for brokers with Kafka's protocol and for NATS.
type client interface {
	// create makes a topic; settings are Kafka's.
	create(ctx context.Context, topic string, partitions int, settings map[string]string) error
	drop(ctx context.Context, topic string) error
	// produce sends the records from…to of that size as fast as it goes, and returns when all
	// are acknowledged.
	produce(ctx context.Context, topic string, size, from, to int) error
	// producers send one record at a time to a partition each, by turns.
	producers(ctx context.Context, topic string, n, partitions int, have connections) ([]producer, error)
	// read hands over what is committed, n records in all, in the order of each partition.
	read(ctx context.Context, topic string, n int, each func(partition int32, value []byte)) error
	// count is how many offsets the topic's partitions have.
	count(ctx context.Context, topic string) (int64, error)
	close()
}

// connections are what synchronous producers send by.
type connections int

const (
	// ownClient: each has a client of its own, as a process with one producer has.
	ownClient connections = iota
	// oneClient: all have the same, as goroutines of a service do. No batch has two records of
	// sharedSize.
	oneClient
	// ownConnection: each has a connection, and makes its requests itself.
	ownConnection
)

// sharedBatch is the smallest that franz-go has batches limited to.
const sharedBatch, sharedSize = 512, 400

type producer interface {
	// send returns when the record is acknowledged.
	send(ctx context.Context, value []byte) error
	close()
}

// values makes the values of records: a number, and bytes that do not compress.
type values struct {
	noise []byte
	slab  []byte
	size  int
}

func newValues(size int) *values {
	v := &values{size: max(size, 8), noise: make([]byte, 64<<10+size)}
	r := rand.New(rand.NewPCG(2, 2))
	for i := range v.noise {
		v.noise[i] = byte(r.Uint32())
	}
	return v
}

// of is the n-th value; it is the caller's.
func (v *values) of(n uint64) []byte {
	if len(v.slab) < v.size {
		v.slab = make([]byte, 1000*v.size)
	}
	b := v.slab[:v.size:v.size]
	v.slab = v.slab[v.size:]
	copy(b, v.noise[n%(64<<10):])
	binary.BigEndian.PutUint64(b, n)
	return b
}

// tally finds out whether each producer's records are there once and in order. Values of a
// producer who numbers by who<<32 are sequences of its own.
type tally struct {
	of    map[uint64]numbers   // by producer
	last  map[[2]uint64]uint64 // by partition and producer
	wrong error
}

// numbers are those of one producer that were seen.
type numbers struct{ count, sum, largest uint64 }

func newTally() *tally {
	return &tally{of: map[uint64]numbers{}, last: map[[2]uint64]uint64{}}
}

func (t *tally) add(partition int32, value []byte) {
	if len(value) < 8 {
		t.wrong = fmt.Errorf("a value of %d bytes, which no producer sent", len(value))
		return
	}
	n := binary.BigEndian.Uint64(value)
	who, number := n>>32, n&(1<<32-1)
	place := [2]uint64{uint64(partition), who}
	if last, ok := t.last[place]; ok && number <= last {
		t.wrong = fmt.Errorf("partition %d has record %d of producer %d after record %d", partition, number, who, last)
	}
	t.last[place] = number
	s := t.of[who]
	t.of[who] = numbers{s.count + 1, s.sum + number, max(s.largest, number)}
}

// complete fails unless the producer's records 0 to n-1 are there, once each. In a partition
// numbers only rise, so that what is twice is in two of them, and shows in the sum.
func (t *tally) complete(who, n uint64) error {
	if t.wrong != nil {
		return t.wrong
	}
	want := numbers{count: n, sum: n * (n - 1) / 2, largest: n - 1}
	if got := t.of[who]; got != want && n > 0 {
		return fmt.Errorf("producer %d had %d records acknowledged; there are %d up to number %d, and their sum is off by %d",
			who, n, got.count, got.largest, int64(got.sum-want.sum))
	}
	return nil
}
