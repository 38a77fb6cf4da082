package traffic

import (
	"sync"
	"time"
)

// Tracker knows the orders under way: the clients tell it what was placed, the
// watcher what ended. It may be used from any goroutine. What other systems call
// differently it counts as well: a reservation is approved where it is confirmed.
type Tracker struct {
	mustBeRefused func(Kind) bool

	mu      sync.Mutex
	open    map[string]placed
	early   [2]map[string]ending // ended before the POST was answered: of late, and before
	count   Counts
	first   chan struct{} // closed at the first approval
	freed   chan struct{} // buffered; a value after an order ended
	lastEnd time.Time
	latency Histogram
}

type placed struct {
	since time.Time
	kind  Kind
}

type ending struct {
	approved bool
	at       time.Time
}

// Counts are orders by state. Placed = Approved + Cancelled + those under way.
type Counts struct {
	Placed, Approved, Cancelled int64
	// WronglyApproved orders had to be refused.
	WronglyApproved int64
	// ByKind counts the placed ones.
	ByKind map[Kind]int64
}

// Open is the number of orders under way.
func (c Counts) Open() int64 { return c.Placed - c.Approved - c.Cancelled }

// NewTracker returns an empty one.
func NewTracker() *Tracker { return NewTrackerOf(Kind.MustBeRefused) }

// NewTrackerOf is told which kinds may never be approved.
func NewTrackerOf(mustBeRefused func(Kind) bool) *Tracker {
	return &Tracker{
		mustBeRefused: mustBeRefused,
		open:          map[string]placed{},
		early:         [2]map[string]ending{{}, {}},
		count:         Counts{ByKind: map[Kind]int64{}},
		first:         make(chan struct{}),
		freed:         make(chan struct{}, 1),
	}
}

// Placed records that a service accepted an order whose POST was due at since.
func (t *Tracker) Placed(id string, kind Kind, since time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count.Placed++
	t.count.ByKind[kind]++
	p := placed{since, kind}
	for _, early := range t.early {
		if e, ok := early[id]; ok {
			delete(early, id)
			t.end(p, e)
			return
		}
	}
	t.open[id] = p
}

// mostEarly bounds the endings kept for POSTs not answered yet, twice. Orders
// that somebody else placed end up there too.
const mostEarly = 10_000

// Ended records that an order reached a final state.
func (t *Tracker) Ended(id string, approved bool, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := ending{approved, at}
	if p, ok := t.open[id]; ok {
		delete(t.open, id)
		t.end(p, e)
		return
	}
	if len(t.early[0]) >= mostEarly {
		t.early = [2]map[string]ending{{}, t.early[0]}
	}
	t.early[0][id] = e
}

func (t *Tracker) end(p placed, e ending) {
	if e.approved {
		if t.count.Approved == 0 {
			close(t.first)
		}
		t.count.Approved++
		if t.mustBeRefused(p.kind) {
			t.count.WronglyApproved++
		}
	} else {
		t.count.Cancelled++
	}
	t.lastEnd = e.at
	t.latency.Add(e.at.Sub(p.since))
	select {
	case t.freed <- struct{}{}:
	default:
	}
}

// Counts are the orders of this run so far.
func (t *Tracker) Counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.count
	c.ByKind = make(map[Kind]int64, len(t.count.ByKind))
	for k, n := range t.count.ByKind {
		c.ByKind[k] = n
	}
	return c
}

// Open is the number of orders under way.
func (t *Tracker) Open() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open)
}

// Freed has a value after an order has ended.
func (t *Tracker) Freed() <-chan struct{} { return t.freed }

// OpenIDs are some orders under way, at most limit.
func (t *Tracker) OpenIDs(limit int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var ids []string
	for id := range t.open {
		if len(ids) == limit {
			break
		}
		ids = append(ids, id)
	}
	return ids
}

// Latency is that of all ended orders, from when the POST was due to when the
// final state was read from the log.
func (t *Tracker) Latency() *Histogram { return &t.latency }

// LastEnd is when the last order ended, zero before the first.
func (t *Tracker) LastEnd() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lastEnd
}

// FirstApproved is closed when the first order is approved.
func (t *Tracker) FirstApproved() <-chan struct{} { return t.first }
