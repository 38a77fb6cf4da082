package mongodb

import (
	"context"
	"sync"
	"time"
)

// bounded is a queue between one goroutine that puts and one that takes, bounded by bytes and by
// number. A piece that is larger than the bound goes in alone.
type bounded[T any] struct {
	maxBytes int64
	maxItems int

	mu      sync.Mutex
	pieces  []piece[T]
	bytes   int64
	items   int
	err     error
	ended   bool
	changed chan struct{} // closed and replaced with each change
}

type piece[T any] struct {
	items []T
	bytes int64
}

func newBounded[T any](maxBytes int64, maxItems int) *bounded[T] {
	return &bounded[T]{maxBytes: max(maxBytes, 1), maxItems: max(maxItems, 1), changed: make(chan struct{})}
}

// put waits for room.
func (q *bounded[T]) put(ctx context.Context, items []T, bytes int64) error {
	if len(items) == 0 {
		return ctx.Err()
	}
	for {
		q.mu.Lock()
		if len(q.pieces) == 0 || q.bytes+bytes <= q.maxBytes && q.items+len(items) <= q.maxItems {
			q.pieces = append(q.pieces, piece[T]{items, bytes})
			q.bytes, q.items = q.bytes+bytes, q.items+len(items)
			q.notify()
			q.mu.Unlock()
			return nil
		}
		changed := q.changed
		q.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// end tells who takes that nothing more comes, and why.
func (q *bounded[T]) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended, q.err = true, err
	q.notify()
}

// take waits for a piece, for so long. After the last piece ended is true, with the error of end.
func (q *bounded[T]) take(ctx context.Context, wait time.Duration) (items []T, ended bool, err error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		q.mu.Lock()
		if len(q.pieces) > 0 {
			first := q.pieces[0]
			q.pieces[0] = piece[T]{}
			q.pieces = q.pieces[1:]
			q.bytes, q.items = q.bytes-first.bytes, q.items-len(first.items)
			q.notify()
			q.mu.Unlock()
			return first.items, false, nil
		}
		ended, err, changed := q.ended, q.err, q.changed
		q.mu.Unlock()
		if ended {
			return nil, true, err
		}
		select {
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-timer.C:
			return nil, false, nil
		case <-changed:
		}
	}
}

// notify with the lock held.
func (q *bounded[T]) notify() {
	close(q.changed)
	q.changed = make(chan struct{})
}
