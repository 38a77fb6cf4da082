package feed

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Queue is between one goroutine that puts items and one that takes them, bounded in bytes and in
// items.
type Queue[T any] struct {
	maxBytes, maxItems int
	size               func(*T) int

	mu     sync.Mutex
	items  []T
	bytes  int
	err    error
	ended  bool
	filled chan struct{} // has one once there is something
	taken  chan struct{} // has one once there is room
}

// NewQueue of so many bytes and items, each at least one. size is an item's in bytes, which must not
// change while it is in the queue.
func NewQueue[T any](maxBytes int64, maxItems int, size func(*T) int) *Queue[T] {
	return &Queue[T]{
		maxBytes: int(max(maxBytes, 1)), maxItems: max(maxItems, 1), size: size,
		filled: make(chan struct{}, 1), taken: make(chan struct{}, 1),
	}
}

// Batch is how many bytes should be put together at most, so that the queue is neither empty nor
// beyond its bound.
func (q *Queue[T]) Batch() int { return max(q.maxBytes/8, 1) }

// Offer items, and say whether they were taken: all of them, or none as there is no room. An empty
// queue has room for any. The items belong to the queue's reader then, their slice does not.
func (q *Queue[T]) Offer(items []T) bool {
	bytes := 0
	for i := range items {
		bytes += q.size(&items[i])
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) > 0 && (q.bytes+bytes > q.maxBytes || len(q.items)+len(items) > q.maxItems) {
		return false
	}
	q.items = append(q.items, items...)
	q.bytes += bytes
	wake(q.filled)
	return true
}

// Room has something once it is worthwhile to offer again.
func (q *Queue[T]) Room() <-chan struct{} { return q.taken }

// Put items, waiting for room until the context ends.
func (q *Queue[T]) Put(ctx context.Context, items []T) error {
	if len(items) == 0 {
		return ctx.Err()
	}
	for !q.Offer(items) {
		select {
		case <-q.taken:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Fill is how many bytes are in the queue, and how many may be.
func (q *Queue[T]) Fill() (bytes, limit int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return int64(q.bytes), int64(q.maxBytes)
}

// End the queue: what is in it is taken first, then the error, which may be nil.
func (q *Queue[T]) End(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.err, q.ended = err, true
	wake(q.filled)
}

// Take at most so many items, and wait so long until there are any. ended says that no more will
// come, and err why.
func (q *Queue[T]) Take(ctx context.Context, most int, wait time.Duration) (items []T, ended bool, err error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		if items, ended, err = q.next(most); len(items) > 0 || ended {
			return items, ended, err
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

func (q *Queue[T]) next(most int) (items []T, ended bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(max(most, 1), len(q.items))
	if n == 0 {
		return nil, q.ended, q.err
	}
	// The rest moves up: a slice of the same memory would keep what was taken alive.
	items = slices.Clone(q.items[:n])
	kept := copy(q.items, q.items[n:])
	clear(q.items[kept:])
	if q.items = q.items[:kept]; kept > 0 {
		wake(q.filled)
	}
	for i := range items {
		q.bytes -= q.size(&items[i])
	}
	wake(q.taken)
	return items, false, nil
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
