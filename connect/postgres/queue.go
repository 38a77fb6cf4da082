package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// queue is between the goroutine that makes records and Poll, bounded in bytes and records.
type queue struct {
	maxBytes, maxRecords int

	mu     sync.Mutex
	items  []plugin.SourceRecord
	bytes  int
	err    error
	closed bool
	filled chan struct{} // has one once there is something
	taken  chan struct{} // has one once there is room
}

func newQueue(bytes int64, records int) *queue {
	return &queue{maxBytes: int(max(bytes, 1)), maxRecords: max(records, 1), filled: make(chan struct{}, 1), taken: make(chan struct{}, 1)}
}

// batch is how large batches may become before they are added.
func (q *queue) batch() int { return max(q.maxBytes/8, 1) }

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// add records, unless there is no room: one batch is always taken by an empty queue.
func (q *queue) add(records []plugin.SourceRecord) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) > 0 && (q.bytes >= q.maxBytes || len(q.items)+len(records) > q.maxRecords) {
		return false
	}
	q.items = append(q.items, records...)
	for i := range records {
		q.bytes += records[i].Bytes
	}
	wake(q.filled)
	return true
}

// fail ends the queue: what is in it is taken first, then the error.
func (q *queue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.err, q.closed = err, true
	wake(q.filled)
}

// take at most so many records, waiting until there are any. done is that no more will come, and
// why.
func (q *queue) take(ctx context.Context, most int, wait time.Duration) (out []plugin.SourceRecord, done bool, err error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		q.mu.Lock()
		if n := min(most, len(q.items)); n > 0 {
			out = q.items[:n:n]
			if q.items = q.items[n:]; len(q.items) == 0 {
				q.items = nil
			} else {
				wake(q.filled)
			}
			for i := range out {
				q.bytes -= out[i].Bytes
			}
			q.mu.Unlock()
			wake(q.taken)
			return out, false, nil
		}
		done, err = q.closed, q.err
		q.mu.Unlock()
		if done {
			return nil, true, err
		}
		select {
		case <-q.filled:
		case <-timer.C:
			return nil, false, nil
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
}
