package batch

// machine decides when what is flushed, without clock, goroutine or lock: its
// methods are the events, the step they return is what to do. E stands for an item.
type machine[E any] struct {
	limits
	shared lane[E]             // items without a key
	lanes  map[string]*lane[E] // keys that have items, here or in flight
	spare  []*lane[E]
	ready  queue[*lane[E]] // lanes that have items and are not in flight

	// Of what is ready: how much a flush could take, and in how many lanes the
	// first item is due.
	readyItems, readyBytes, readyDue int
	// Items that are not in flight, and how many of them are due: up to dueThrough.
	pending, pendingDue int
	last, dueThrough    uint64 // numbers of items, ascending

	flying      int // flights
	flyingItems int
	armed       bool
	timer       uint64 // number of the timer that was set last
	closing     bool
	drains      []drain
}

type limits struct {
	items, bytes, flushes int
	onePerKey             bool
	lingers               bool
}

// lane is the items of one key. It is in ready, or in flight, or neither where it
// is empty.
type lane[E any] struct {
	key    string
	shared bool
	flying bool
	items  queue[numbered[E]]
	bytes  int
}

type numbered[E any] struct {
	item   E
	size   int
	number uint64
}

// flight is the items of one flush.
type flight[E any] struct {
	items []E
	bytes int

	lanes   []*lane[E]
	numbers []uint64
}

// drain waits for the items up to a number.
type drain struct {
	id      int
	through uint64
	left    int
}

// step is what to do after an event.
type step[E any] struct {
	// Flushes to begin.
	flights []*flight[E]
	// disarm cancels the timer; arm sets one, whose end is expired(timer).
	disarm, arm bool
	timer       uint64
	// Drains that are done.
	drained []int
}

func newMachine[E any](l limits) *machine[E] {
	m := &machine[E]{limits: l, lanes: map[string]*lane[E]{}}
	m.shared.shared = true
	return m
}

// add is the event of an item that was accepted.
func (m *machine[E]) add(item E, key string, size int) step[E] {
	m.last++
	l := m.laneOf(key)
	if !l.flying {
		m.leaveReady(l)
	}
	l.items.push(numbered[E]{item, size, m.last})
	l.bytes += size
	m.pending++
	if !l.flying {
		m.enterReady(l)
		if l.items.len() == 1 {
			m.ready.push(l)
		}
	}
	if !m.lingers || m.closing {
		m.makeDue()
	}
	return m.next()
}

// expired is the event of a timer's end. Of one that is not the last it means
// nothing: its batch has gone.
func (m *machine[E]) expired(timer uint64) step[E] {
	if !m.armed || timer != m.timer {
		return step[E]{}
	}
	m.armed = false
	m.makeDue()
	return m.next()
}

// landed is the event of a flight whose items have their results.
func (m *machine[E]) landed(f *flight[E]) step[E] {
	m.flying--
	m.flyingItems -= len(f.items)
	for _, l := range f.lanes {
		l.flying = false
		if l.items.len() == 0 {
			m.forget(l)
			continue
		}
		m.enterReady(l)
		m.ready.push(l)
	}
	s := step[E]{drained: m.settle(f.numbers)}
	return m.onward(s)
}

// drain is the event of somebody who waits for all that was accepted so far.
func (m *machine[E]) drain(id int) step[E] {
	left := m.outstanding()
	if left == 0 {
		return step[E]{drained: []int{id}}
	}
	m.drains = append(m.drains, drain{id, m.last, left})
	m.makeDue()
	return m.next()
}

// close is the event of stopping: what is there and what may still come is due.
func (m *machine[E]) close() step[E] {
	m.closing = true
	m.makeDue()
	return m.next()
}

// abandon takes every item that is not in flight.
func (m *machine[E]) abandon() []E {
	var all []E
	for _, l := range m.lanes {
		all = l.abandon(all)
	}
	all = m.shared.abandon(all)
	m.ready = queue[*lane[E]]{}
	m.readyItems, m.readyBytes, m.readyDue, m.pending, m.pendingDue = 0, 0, 0, 0, 0
	return all
}

// outstanding is how many items have no result yet.
func (m *machine[E]) outstanding() int { return m.pending + m.flyingItems }

func (m *machine[E]) next() step[E] { return m.onward(step[E]{}) }

// onward begins the flushes that can begin, and sets the timer where items are
// left that are not due.
func (m *machine[E]) onward(s step[E]) step[E] {
	for m.flying < m.flushes && m.wantsFlush() {
		s.flights = append(s.flights, m.cut())
	}
	undue := m.pending - m.pendingDue
	if m.armed && (len(s.flights) > 0 || undue == 0) {
		m.armed, s.disarm = false, true
	}
	if !m.armed && undue > 0 {
		m.armed, s.arm = true, true
		m.timer++
		s.timer = m.timer
	}
	return s
}

func (m *machine[E]) wantsFlush() bool {
	return m.readyItems > 0 && (m.readyDue > 0 || m.readyItems >= m.items || m.readyBytes >= m.bytes)
}

// cut takes as much as fits into a flush.
func (m *machine[E]) cut() *flight[E] {
	n := min(m.readyItems, m.items)
	f := &flight[E]{items: make([]E, 0, n), numbers: make([]uint64, 0, n)}
	for m.ready.len() > 0 {
		l := *m.ready.first()
		m.leaveReady(l)
		took := m.take(f, l)
		switch {
		case took && !l.shared:
			m.ready.pop()
			l.flying = true
			f.lanes = append(f.lanes, l)
		case l.items.len() == 0:
			m.ready.pop()
		default: // it does not fit, or not all of it
			m.enterReady(l)
			if took {
				m.ready.push(m.ready.pop()) // the others' turn
			}
			return m.depart(f)
		}
	}
	return m.depart(f)
}

func (m *machine[E]) depart(f *flight[E]) *flight[E] {
	m.flying++
	m.flyingItems += len(f.items)
	return f
}

// take moves items of a lane to the flight.
func (m *machine[E]) take(f *flight[E], l *lane[E]) (took bool) {
	for l.items.len() > 0 {
		first := l.items.first()
		if len(f.items) > 0 && (len(f.items) == m.items || f.bytes+first.size > m.bytes) {
			return took
		}
		it := l.items.pop()
		l.bytes -= it.size
		f.items = append(f.items, it.item)
		f.numbers = append(f.numbers, it.number)
		f.bytes += it.size
		m.pending--
		if it.number <= m.dueThrough {
			m.pendingDue--
		}
		took = true
		if m.onePerKey && !l.shared {
			return took
		}
	}
	return took
}

// makeDue makes all that is pending due.
func (m *machine[E]) makeDue() {
	m.dueThrough = m.last
	m.pendingDue = m.pending
	m.readyDue = m.ready.len()
}

// enterReady counts what a flush could take of a lane; leaveReady takes it back.
func (m *machine[E]) enterReady(l *lane[E]) { m.count(l, 1) }
func (m *machine[E]) leaveReady(l *lane[E]) { m.count(l, -1) }

func (m *machine[E]) count(l *lane[E], sign int) {
	if l.items.len() == 0 {
		return
	}
	first, items, bytes := l.items.first(), l.items.len(), l.bytes
	if m.onePerKey && !l.shared {
		items, bytes = 1, first.size
	}
	m.readyItems += sign * items
	m.readyBytes += sign * bytes
	if first.number <= m.dueThrough {
		m.readyDue += sign
	}
}

// settle takes landed items off the drains and returns those that are done.
func (m *machine[E]) settle(numbers []uint64) (done []int) {
	waiting := m.drains[:0]
	for _, d := range m.drains {
		for _, n := range numbers {
			if n <= d.through {
				d.left--
			}
		}
		if d.left == 0 {
			done = append(done, d.id)
		} else {
			waiting = append(waiting, d)
		}
	}
	m.drains = waiting
	return done
}
