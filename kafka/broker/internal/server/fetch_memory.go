package server

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
)

// fetched is the memory of what a fetch has read, all of which counts in the budget that
// fetches share.
type fetched struct {
	budget *wire.Budget
	kept   []*wire.Buffer
	held   int64
	last   *wire.Buffer // of the read under way
}

// leastFetched is what there must be room for before something is read. What is read
// then may be more, so that the budget is exceeded by what is read at one time.
const leastFetched = 64 << 10

// wait waits until there is room to read. Who has read something goes on without.
func (m *fetched) wait(context func() (context.Context, context.CancelFunc), first bool) bool {
	if m.budget.Free() >= leastFetched {
		return true
	}
	if !first {
		return false
	}
	ctx, cancel := context()
	defer cancel()
	if m.budget.Take(ctx, leastFetched) != nil {
		return false
	}
	m.budget.Give(leastFetched)
	return true
}

// waiting ends with the client's patience.
func (f *fetch) waiting() (context.Context, context.CancelFunc) {
	return context.WithTimeout(f.call.ctx, max(f.patience(), time.Second))
}

// room is memory to read into. What it gave before is not used any more.
func (m *fetched) room(n int) []byte {
	m.unread()
	m.last = wire.GetBuffer(n)
	m.budget.Force(int64(cap(m.last.B)))
	return m.last.B
}

// unread gives back what was asked for last.
func (m *fetched) unread() {
	if m.last != nil {
		m.budget.Give(int64(cap(m.last.B)))
		m.last.Put()
		m.last = nil
	}
}

// keep keeps what was asked for last, of which n bytes are used.
func (m *fetched) keep(n int) {
	if n == 0 || m.last == nil {
		m.unread()
		return
	}
	m.kept = append(m.kept, m.last)
	m.held += int64(cap(m.last.B))
	m.last = nil
}

// release gives back all.
func (m *fetched) release() {
	m.unread()
	for i, b := range m.kept {
		b.Put()
		m.kept[i] = nil
	}
	if m.held > 0 {
		m.budget.Give(m.held)
	}
	m.kept, m.held = m.kept[:0], 0
}
