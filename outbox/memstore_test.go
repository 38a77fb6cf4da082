package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// memStore is a Store in memory: the model that the relay's own tests drive
// through every failure. The real databases run the conformance suite.
type memStore struct {
	mu       sync.Mutex
	id       Identity
	seq      int64
	rows     []memRow // visible, by id
	history  []memRow
	writers  map[string]bool
	lease    Lease
	until    time.Time
	held     bool
	replays  int64
	wake     chan struct{}
	before   func(op string) error // a failure before the call has an effect
	after    func(op string) error // a failure after it
	calls    int
	refusals []Refusal
}

type memRow struct {
	Row
	status    Status
	enqueued  time.Time
	published time.Time
}

func newMemStore() *memStore {
	return &memStore{id: Identity{Outbox: newUUID(), System: "sys"}, writers: map[string]bool{}, wake: make(chan struct{}, 1)}
}

var uuids struct {
	sync.Mutex
	n int
}

func newUUID() string {
	uuids.Lock()
	defer uuids.Unlock()
	uuids.n++
	return fmt.Sprintf("00000000-0000-7000-8000-%012d", uuids.n)
}

func (m *memStore) do(ctx context.Context, op string, fn func() error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	m.mu.Lock()
	before, after := m.before, m.after
	m.calls++
	m.mu.Unlock()
	if before != nil {
		if err := before(op); err != nil {
			return err
		}
	}
	m.mu.Lock()
	err := fn()
	m.mu.Unlock()
	if err == nil && after != nil {
		err = after(op)
	}
	return err
}

func (m *memStore) signal() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// take gives out ids, as an enqueue of a transaction that has not committed.
func (m *memStore) take(writer string, n int) (first int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writers[writer] = true
	first = m.seq + 1
	m.seq += int64(n)
	return first
}

// commit makes rows visible (or none, for a rollback) and ends the writer.
func (m *memStore) commit(writer string, first int64, messages ...Message) {
	m.mu.Lock()
	for i, msg := range messages {
		m.rows = append(m.rows, memRow{Row: Row{Message: msg, ID: first + int64(i)}, status: Started, enqueued: time.Now()})
	}
	slices.SortFunc(m.rows, func(a, b memRow) int { return int(a.ID - b.ID) })
	delete(m.writers, writer)
	m.mu.Unlock()
	m.signal()
}

func (m *memStore) enqueue(messages ...Message) {
	writer := fmt.Sprint("w", len(messages), time.Now().UnixNano())
	m.commit(writer, m.take(writer, len(messages)), messages...)
}

func (m *memStore) Identity(ctx context.Context) (id Identity, err error) {
	err = m.do(ctx, "Identity", func() error { id = m.id; id.Position = slices.Clone(id.Position); return nil })
	return id, err
}

func (m *memStore) check(l Lease) error {
	if !m.held || l.Token != m.lease.Token {
		return ErrLeaseLost
	}
	return nil
}

func (m *memStore) Bind(ctx context.Context, l Lease, system, cluster string) error {
	return m.do(ctx, "Bind", func() error {
		if err := m.check(l); err != nil {
			return err
		}
		m.id.BoundSystem, m.id.BoundCluster = system, cluster
		return nil
	})
}

func (m *memStore) Renew(ctx context.Context) error {
	return m.do(ctx, "Renew", func() error { m.id.Outbox, m.id.Position = newUUID(), nil; return nil })
}

func (m *memStore) AcquireLease(ctx context.Context, holder string, ttl time.Duration) (l Lease, ok bool, err error) {
	err = m.do(ctx, "AcquireLease", func() error {
		if m.held && m.lease.Holder != holder && time.Now().Before(m.until) {
			return nil
		}
		m.held, m.until = true, time.Now().Add(ttl)
		m.lease = Lease{Holder: holder, Token: m.lease.Token + 1}
		l, ok = m.lease, true
		return nil
	})
	return l, ok && err == nil, err
}

func (m *memStore) ExtendLease(ctx context.Context, l Lease, ttl time.Duration) error {
	return m.do(ctx, "ExtendLease", func() error {
		if err := m.check(l); err != nil {
			return err
		}
		m.until = time.Now().Add(ttl)
		return nil
	})
}

func (m *memStore) ReleaseLease(ctx context.Context, l Lease) error {
	return m.do(ctx, "ReleaseLease", func() error {
		if m.check(l) == nil {
			m.held = false
		}
		return nil
	})
}

func (m *memStore) expireLease() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.until = time.Time{}
}

func fresh(r memRow) bool { return r.status == Started && r.Attempts == 0 && r.Replay == 0 }

func (m *memStore) Pending(ctx context.Context, above int64, except Exclusion, limit int, maxBytes int64) (out []Row, err error) {
	err = m.do(ctx, "Pending", func() error {
		bytes := int64(0)
		for _, r := range m.rows {
			if !fresh(r) || r.ID <= above || slices.Contains(except.Topics, r.Topic) ||
				r.Key != "" && slices.Contains(except.Keys, r.place()) || ranges(except.IDs).contains(r.ID) {
				continue
			}
			bytes += int64(len(r.Payload))
			if len(out) == limit || len(out) > 0 && bytes > maxBytes {
				break
			}
			out = append(out, r.Row)
		}
		return nil
	})
	return out, err
}

func (m *memStore) OldestPending(ctx context.Context, above int64) (id int64, ok bool, err error) {
	err = m.do(ctx, "OldestPending", func() error {
		for _, r := range m.rows {
			if fresh(r) && r.ID > above {
				id, ok = r.ID, true
				return nil
			}
		}
		return nil
	})
	return id, ok, err
}

func (m *memStore) SetAside(ctx context.Context, limit int) (out []Row, err error) {
	err = m.do(ctx, "SetAside", func() error {
		for _, r := range m.rows {
			if r.status == Started && !fresh(r) && len(out) < limit {
				row := r.Row
				row.Payload, row.Headers = nil, nil
				out = append(out, row)
			}
		}
		return nil
	})
	return out, err
}

func (m *memStore) Load(ctx context.Context, ids []int64, maxBytes int64) (out []Row, err error) {
	err = m.do(ctx, "Load", func() error {
		bytes := int64(0)
		for _, r := range m.rows {
			if r.status != Started || !slices.Contains(ids, r.ID) {
				continue
			}
			if bytes += int64(len(r.Payload)); len(out) > 0 && bytes > maxBytes {
				break
			}
			out = append(out, r.Row)
		}
		return nil
	})
	return out, err
}

func (m *memStore) Horizon(ctx context.Context) (h Horizon, err error) {
	err = m.do(ctx, "Horizon", func() error {
		h.LastID = m.seq
		for w := range m.writers {
			h.Writers = append(h.Writers, w)
		}
		return nil
	})
	return h, err
}

func (m *memStore) Complete(ctx context.Context, l Lease, ids []int64, position []byte, keep bool) error {
	return m.do(ctx, "Complete", func() error {
		if err := m.check(l); err != nil {
			return err
		}
		m.rows = slices.DeleteFunc(m.rows, func(r memRow) bool {
			if !slices.Contains(ids, r.ID) {
				return false
			}
			if keep {
				r.status, r.published = Completed, time.Now()
				m.history = append(m.history, r)
			}
			return true
		})
		m.id.Position = slices.Clone(position)
		return nil
	})
}

func (m *memStore) Refuse(ctx context.Context, l Lease, refusals []Refusal) error {
	return m.do(ctx, "Refuse", func() error {
		if err := m.check(l); err != nil {
			return err
		}
		for _, f := range refusals {
			for i := range m.rows {
				if r := &m.rows[i]; r.ID == f.ID {
					r.Attempts, r.NextAttempt, r.Reason = f.Attempts, f.Next, f.Reason
				}
			}
			m.refusals = append(m.refusals, f)
		}
		return nil
	})
}

func (m *memStore) Fail(ctx context.Context, l Lease, ids []int64, upTo int64, position []byte) error {
	return m.do(ctx, "Fail", func() error {
		if err := m.check(l); err != nil {
			return err
		}
		for i := range m.rows {
			if r := &m.rows[i]; slices.Contains(ids, r.ID) && r.Replay <= upTo {
				r.status = Failed
			}
		}
		m.id.Position = slices.Clone(position)
		return nil
	})
}

func (m *memStore) Replay(ctx context.Context, ids ...int64) (n int64, err error) {
	err = m.do(ctx, "Replay", func() error {
		m.replays++
		for i := range m.rows {
			if r := &m.rows[i]; r.status == Failed && (len(ids) == 0 || slices.Contains(ids, r.ID)) {
				r.status, r.Attempts, r.NextAttempt, r.Replay = Started, 0, time.Now(), m.replays
				n++
			}
		}
		return nil
	})
	m.signal()
	return n, err
}

func (m *memStore) LastReplay(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.replays, nil
}

func (m *memStore) Republish(ctx context.Context, since time.Time) (n int64, err error) {
	err = m.do(ctx, "Republish", func() error {
		m.history = slices.DeleteFunc(m.history, func(r memRow) bool {
			if r.published.Before(since) {
				return false
			}
			m.seq++
			n++
			m.rows = append(m.rows, memRow{Row: Row{Message: r.Message, ID: m.seq}, status: Started, enqueued: r.enqueued})
			return true
		})
		return nil
	})
	return n, err
}

func (m *memStore) TrimHistory(ctx context.Context, before time.Time, limit int) (n int64, err error) {
	err = m.do(ctx, "TrimHistory", func() error {
		m.history = slices.DeleteFunc(m.history, func(r memRow) bool {
			if n == int64(limit) || !r.published.Before(before) {
				return false
			}
			n++
			return true
		})
		return nil
	})
	return n, err
}

func (m *memStore) Backlog(context.Context) (b Backlog, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rows {
		switch r.status {
		case Started:
			if b.Started++; b.Oldest.IsZero() || r.enqueued.Before(b.Oldest) {
				b.Oldest = r.enqueued
			}
		case Failed:
			b.Failed++
		}
	}
	b.Completed = int64(len(m.history))
	return b, nil
}

func (m *memStore) Wakeups(ctx context.Context) (<-chan struct{}, <-chan struct{}) {
	wake, done := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-m.wake:
				select {
				case wake <- struct{}{}:
				default:
				}
			}
		}
	}()
	return wake, done
}

// clone is a copy of the database, files and all.
func (m *memStore) clone(system string) *memStore {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := newMemStore()
	c.id, c.seq, c.rows, c.history = m.id, m.seq, slices.Clone(m.rows), slices.Clone(m.history)
	c.id.System = system
	return c
}

func (m *memStore) started() int {
	b, _ := m.Backlog(context.Background())
	return int(b.Started)
}

var errInjected = errors.New("injected failure")

var _ Store = (*memStore)(nil)
