package wire

import (
	"context"
	"sync"
)

// Budget is a number of bytes that many share. Who asks for more than is left waits in
// line.
type Budget struct {
	mu   sync.Mutex
	all  int64
	used int64
	line []*claim // first come, first served
}

type claim struct {
	n     int64
	given chan struct{}
}

// NewBudget makes a budget of n bytes.
func NewBudget(n int64) *Budget { return &Budget{all: n} }

// Take waits until n bytes can be had, at most all, or ctx ends.
func (b *Budget) Take(ctx context.Context, n int64) error {
	b.mu.Lock()
	if len(b.line) == 0 && b.used+n <= b.all {
		b.used += n
		b.mu.Unlock()
		return nil
	}
	c := &claim{n, make(chan struct{})}
	b.line = append(b.line, c)
	b.mu.Unlock()
	select {
	case <-c.given:
		return nil
	case <-ctx.Done():
		b.leave(c)
		return ctx.Err()
	}
}

// Try takes n bytes where they can be had at once.
func (b *Budget) Try(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.line) > 0 || b.used+n > b.all {
		return false
	}
	b.used += n
	return true
}

// Resize has who took some bytes have others instead, whatever is left.
func (b *Budget) Resize(from, to int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used += to - from
	b.serve()
}

// Size is how many bytes there are in all.
func (b *Budget) Size() int64 { return b.all }

// Free returns how many bytes are left: none where others wait for them.
func (b *Budget) Free() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.line) > 0 {
		return 0
	}
	return b.all - b.used
}

// Give gives back n bytes.
func (b *Budget) Give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
	b.serve()
}

// Used returns how many bytes are taken.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// leave takes a claim out of the line, or gives back what it just got.
func (b *Budget) leave(c *claim) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, other := range b.line {
		if other == c {
			b.line = append(b.line[:i], b.line[i+1:]...)
			b.serve()
			return
		}
	}
	b.used -= c.n
	b.serve()
}

func (b *Budget) serve() {
	for len(b.line) > 0 && b.used+b.line[0].n <= b.all {
		b.used += b.line[0].n
		close(b.line[0].given)
		b.line = b.line[1:]
	}
}
