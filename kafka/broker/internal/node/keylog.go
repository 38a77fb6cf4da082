package node

import (
	"fmt"
	"sync"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/coord"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
)

// keyLog writes what a coordinator remembers, in order, each set as one batch, which is
// there whole or not at all. What waits is bounded by the requests that wait for it.
type keyLog struct {
	node *Node
	to   *Partition

	mu      sync.Mutex
	changed sync.Cond
	waiting []set
	failed  error
	closing bool
	written sync.WaitGroup // sets whose done is still to come
	ended   chan struct{}
}

type set struct {
	records []keylog.Record
	done    func(error)
}

func newKeyLog(n *Node, to *Partition) *keyLog {
	l := &keyLog{node: n, to: to, ended: make(chan struct{})}
	l.changed.L = &l.mu
	go l.run()
	return l
}

// KeyLog is the log of a coordinator: Append is for its core.
func (n *Node) KeyLog(name string) coord.Log { return n.keyLogs[name] }

// Append implements coord.Log.
func (l *keyLog) Append(records []keylog.Record, done func(error)) {
	l.mu.Lock()
	l.waiting = append(l.waiting, set{records, done})
	l.mu.Unlock()
	l.changed.Signal()
}

// close writes what waits, and returns when all of it was answered.
func (l *keyLog) close() {
	l.mu.Lock()
	l.closing = true
	l.mu.Unlock()
	l.changed.Signal()
	<-l.ended
	l.written.Wait()
}

func (l *keyLog) run() {
	defer close(l.ended)
	for {
		l.mu.Lock()
		for len(l.waiting) == 0 && !l.closing {
			l.changed.Wait()
		}
		sets, failed := l.waiting, l.failed
		l.waiting = nil
		l.mu.Unlock()
		if len(sets) == 0 {
			return
		}
		for _, s := range sets {
			if failed != nil {
				s.done(failed)
				continue
			}
			l.write(s)
		}
	}
}

// write appends a set. Later ones are not written where it fails: they could tell of what
// it was about.
func (l *keyLog) write(s set) {
	records := make([]batch.Record, len(s.records))
	now := l.node.o.Now().UnixMilli()
	for i, r := range s.records {
		records[i] = batch.Record{Timestamp: now, Key: r.Key, Value: r.Value}
	}
	b := batch.Build(batch.Header{ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1}, records...)
	h, err := batch.Parse(b)
	if err != nil {
		l.fail(err)
		s.done(err)
		return
	}
	l.written.Add(1)
	l.to.Append(b, h, l.earlier, func(_ log.Appended, err error) {
		defer l.written.Done()
		if err != nil {
			l.fail(fmt.Errorf("%s: %w", l.to, err))
		}
		s.done(err)
	})
}

func (l *keyLog) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = err
	}
}

// earlier is why a set before this one was not written.
func (l *keyLog) earlier() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// replayBytes is how much of a log is read at once.
const replayBytes = 1 << 20

// Replay reads the records of an internal topic in order, with bounded memory. Those that
// take gets are valid during the call.
func (n *Node) Replay(name string, take func(keylog.Record) error) error {
	l := n.catalog.Load().byName[name].Partitions()[0].log
	at := l.Offsets()
	buf := make([]byte, replayBytes)
	for offset := at.Start; offset < at.HighWatermark; {
		read, err := l.Read(offset, replayBytes, false, buf)
		if err != nil {
			return fmt.Errorf("%s at offset %d: %w", name, offset, err)
		}
		if len(read.Data) == 0 {
			return nil
		}
		if offset, err = replay(read.Data, offset, take); err != nil {
			return fmt.Errorf("%s at offset %d: %w", name, offset, err)
		}
	}
	return nil
}

// replay hands on the records of whole batches, and returns the offset after them.
func replay(data []byte, offset int64, take func(keylog.Record) error) (int64, error) {
	for len(data) > 0 {
		h, err := batch.Verify(data)
		if err != nil {
			return offset, err
		}
		it, err := batch.Records(data[:h.Size], maxReplayed)
		if err != nil {
			return h.BaseOffset, err
		}
		for r, ok := it.Next(); ok; r, ok = it.Next() {
			if err := take(keylog.Record{Key: r.Key, Value: r.Value}); err != nil {
				return r.Offset, err
			}
		}
		if err := it.Err(); err != nil {
			return h.BaseOffset, err
		}
		offset, data = h.NextOffset(), data[h.Size:]
	}
	return offset, nil
}

// maxReplayed is the most bytes of one set; the coordinators bound theirs far below.
const maxReplayed = 128 << 20
