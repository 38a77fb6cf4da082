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
	taken  int64        // for the read to come
	last   *wire.Buffer // of the read under way
}

const (
	// leastFetched is what there must be room for before something is read.
	leastFetched = 64 << 10
	// fetchShare is the part of what is left that one fetch reads, so that those which are
	// slow to take what they asked for leave something for the others.
	fetchShare = 4
)

// most is how much a fetch may read now.
func (m *fetched) most() int { return int(max(m.budget.Free()/fetchShare, leastFetched)) }

// wait waits until there is room to read so many bytes. Who has read something goes on
// without. A single batch may be larger: so much the budget may be exceeded by those that
// read at a time.
func (m *fetched) wait(most int, context func() (context.Context, context.CancelFunc), first bool) bool {
	n := min(max(int64(most), leastFetched), m.budget.Size()/fetchShare)
	if !m.budget.Try(n) {
		if !first {
			return false
		}
		ctx, cancel := context()
		defer cancel()
		if m.budget.Take(ctx, n) != nil {
			return false
		}
	}
	m.taken = n
	return true
}

// waiting ends with the client's patience.
func (f *fetch) waiting() (context.Context, context.CancelFunc) {
	return context.WithTimeout(f.call.ctx, max(f.patience(), time.Second))
}

// room is memory to read into. What it gave before is not used any more.
func (m *fetched) room(n int) []byte {
	had := m.taken
	if m.last != nil {
		had += int64(cap(m.last.B))
		m.last.Put()
	}
	m.last, m.taken = wire.GetBuffer(n), 0
	m.budget.Resize(had, int64(cap(m.last.B)))
	return m.last.B
}

// unread gives back what was taken for the last read.
func (m *fetched) unread() {
	if m.last != nil {
		m.taken += int64(cap(m.last.B))
		m.last.Put()
		m.last = nil
	}
	if m.taken > 0 {
		m.budget.Give(m.taken)
		m.taken = 0
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
