package node

import (
	"fmt"
	"sync"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/coord"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
)

// KeyLog is the log of a coordinator: Append is for its core, and replay for its start.
// Records are those of one of the internal topics. The sets that wait are bounded by what
// the requests that they answer may hold, by crowded and by maxQueued.
func (n *Node) KeyLog(name string) coord.Log { return n.keyLogs[name] }

// keyLog appends sets of records from a goroutine of its own, because a coordinator
// decides under a lock, and answers from another one, because answers may append again.
type keyLog struct {
	partition *Partition

	mu      sync.Mutex
	changed sync.Cond // of queue, closing, failed
	queue   []set
	bytes   int // of queue
	closing bool
	ended   bool // nobody writes any more
	failed  error

	answers answers
	running sync.WaitGroup
}

// set is records that are durable together.
type set struct {
	records []batch.Record
	bytes   int
	done    func(error)
}

const (
	// shared is how many bytes of sets go to one batch, where many wait.
	shared = 1 << 20
	// crowded is how many bytes may wait before requests are refused.
	crowded = 64 << 20
	// maxQueued is how many bytes may wait. More of them fail the log: what follows from
	// requests that were not refused is less.
	maxQueued = 512 << 20
	// maxSet is how large one set may be: the log takes no larger batches.
	maxSet = 100 << 20
)

func newKeyLog(p *Partition) *keyLog {
	k := &keyLog{partition: p}
	k.changed.L = &k.mu
	k.answers.changed.L = &k.answers.mu
	k.running.Go(k.write)
	k.running.Go(k.answers.give)
	return k
}

// Append is coord.Log's.
func (k *keyLog) Append(records []keylog.Record, done func(error)) {
	s := newSet(records, k.partition.Topic.node.o.Now().UnixMilli(), done)
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.failed != nil:
	case s.bytes > maxSet:
		k.failed = fmt.Errorf("%s: %d bytes of records cannot be written at once, %d are the most", k.partition, s.bytes, maxSet)
	case k.bytes+s.bytes > maxQueued:
		k.failed = fmt.Errorf("%s: more than %d bytes wait to be written", k.partition, maxQueued)
	}
	if k.ended { // the coordinator's lock is held, and done takes it
		go done(ErrClosed)
		return
	}
	k.queue = append(k.queue, s)
	k.bytes += s.bytes
	k.changed.Signal()
}

// Full is coord.Log's.
func (k *keyLog) Full() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.bytes > crowded
}

func newSet(records []keylog.Record, now int64, done func(error)) set {
	s := set{done: done, records: make([]batch.Record, len(records))}
	for i, r := range records {
		s.records[i] = batch.Record{Timestamp: now, Key: r.Key, Value: r.Value}
		s.bytes += len(r.Key) + len(r.Value) + recordOverhead
	}
	return s
}

// recordOverhead is the most that a record has beside key and value, nearly.
const recordOverhead = 32

// write appends what is queued until the log is closed.
func (k *keyLog) write() {
	defer k.answers.close()
	for {
		sets, failed, more := k.next()
		if !more {
			return
		}
		if failed != nil {
			k.answers.settle(k.answers.add(sets), failed)
			continue
		}
		k.append(sets)
	}
}

// next takes sets for one batch, or waits for one.
func (k *keyLog) next() (sets []set, failed error, more bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.queue) == 0 && !k.closing {
		k.changed.Wait()
	}
	n, bytes := 0, 0
	for n < len(k.queue) && (n == 0 || bytes+k.queue[n].bytes <= shared) {
		bytes += k.queue[n].bytes
		n++
	}
	k.ended = n == 0
	sets = k.queue[:n:n]
	k.queue, k.bytes = k.queue[n:], k.bytes-bytes
	return sets, k.failed, n > 0
}

// append writes sets as one batch, which is there as a whole or not at all.
func (k *keyLog) append(sets []set) {
	var records []batch.Record
	for _, s := range sets {
		records = append(records, s.records...)
	}
	number := k.answers.add(sets)
	b := batch.Build(batch.Header{ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1}, records...)
	h, err := batch.Parse(b)
	if err != nil {
		k.settle(number, fmt.Errorf("%s: %w", k.partition, err))
		return
	}
	k.partition.Append(b, h, nil, func(_ log.Appended, err error) { k.settle(number, err) })
}

// settle answers a batch. After a failure nothing is written any more, for what comes
// later may tell of what failed.
func (k *keyLog) settle(number uint64, err error) {
	if err != nil {
		k.mu.Lock()
		if k.failed == nil {
			k.failed = err
		}
		err = k.failed
		k.mu.Unlock()
	}
	k.answers.settle(number, err)
}

// close writes what is queued, answers it and ends. Sets that come later fail.
func (k *keyLog) close() {
	k.mu.Lock()
	k.closing = true
	k.mu.Unlock()
	k.changed.Broadcast()
	k.running.Wait()
}
