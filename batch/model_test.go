package batch

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// model knows of each item where it is, in the plainest way, and holds a machine to
// the promises of the package after every event.
type model struct {
	limits  limits
	machine *machine[int]
	items   []modelItem // by number, from 0
	flights []*flight[int]
	timer   uint64      // that is set; 0: none
	timers  uint64      // that were ever set
	drains  map[int]int // to how many items there were
	closed  bool
	trail   []string
}

type modelItem struct {
	key   string
	size  int
	place place
	due   bool
}

type place int

const (
	waits place = iota
	flies
	landed
)

func newModel(l limits) *model {
	return &model{limits: l, machine: newMachine[int](l), drains: map[int]int{}}
}

func (m *model) add(key string, size int) error {
	m.note("add %q:%d", key, size)
	m.items = append(m.items, modelItem{key: key, size: size, due: !m.limits.lingers || m.closed})
	if m.items[len(m.items)-1].due {
		m.allDue()
	}
	return m.take(m.machine.add(len(m.items)-1, key, size))
}

func (m *model) expire(timer uint64) error {
	m.note("expire %d", timer)
	if timer == m.timer {
		m.timer = 0
		m.allDue()
	}
	return m.take(m.machine.expired(timer))
}

func (m *model) land(i int) error {
	f := m.flights[i]
	m.note("land %v", f.items)
	m.flights = append(m.flights[:i:i], m.flights[i+1:]...)
	for _, n := range f.items {
		m.items[n].place = landed
	}
	return m.take(m.machine.landed(f))
}

func (m *model) drain() error {
	id := len(m.trail)
	m.note("drain %d", id)
	m.drains[id] = len(m.items)
	if m.through(len(m.items)) {
		return m.take(m.machine.drain(id))
	}
	m.allDue()
	return m.take(m.machine.drain(id))
}

func (m *model) close() error {
	m.note("close")
	m.closed = true
	m.allDue()
	return m.take(m.machine.close())
}

func (m *model) note(format string, args ...any) {
	m.trail = append(m.trail, fmt.Sprintf(format, args...))
}

func (m *model) allDue() {
	for i := range m.items {
		m.items[i].due = true
	}
}

// through says whether the first n items have landed.
func (m *model) through(n int) bool {
	for _, it := range m.items[:n] {
		if it.place != landed {
			return false
		}
	}
	return true
}

// take does what a step says and checks everything.
func (m *model) take(s step[int]) error {
	for _, f := range s.flights {
		if err := m.depart(f); err != nil {
			return m.fail(err)
		}
	}
	if s.disarm {
		if m.timer == 0 {
			return m.fail(fmt.Errorf("a timer is cancelled that is not set"))
		}
		m.timer = 0
	}
	if s.arm {
		if m.timer != 0 || s.timer <= m.timers {
			return m.fail(fmt.Errorf("timer %d is set while %d is", s.timer, m.timer))
		}
		m.timer, m.timers = s.timer, s.timer
	}
	if len(s.flights) > 0 && m.timer != 0 && !s.arm {
		return m.fail(fmt.Errorf("timer %d stays after its batch has gone", m.timer))
	}
	for _, id := range s.drained {
		n, open := m.drains[id]
		if !open || !m.through(n) {
			return m.fail(fmt.Errorf("drain %d is answered: asked for: %v, items %d", id, open, n))
		}
		delete(m.drains, id)
	}
	return m.fail(m.check())
}

func (m *model) fail(err error) error {
	if err != nil {
		return fmt.Errorf("%w\nwith %+v\nafter %s", err, m.limits, strings.Join(m.trail, "; "))
	}
	return nil
}

// depart checks a flight against the bounds and the order of keys.
func (m *model) depart(f *flight[int]) error {
	m.flights = append(m.flights, f)
	bytes, keys := 0, map[string]int{}
	for _, n := range f.items {
		it := &m.items[n]
		bytes += it.size
		keys[it.key]++
		for i, other := range m.items {
			switch {
			case i == n && other.place != waits:
				return fmt.Errorf("item %d departs twice", n)
			case it.key == "" || other.key != it.key:
			case i < n && other.place == waits:
				return fmt.Errorf("item %d of key %q departs before %d", n, it.key, i)
			case other.place == flies && !contains(f.items, i):
				return fmt.Errorf("item %d of key %q departs while %d is in flight", n, it.key, i)
			}
		}
		it.place = flies
		if m.limits.onePerKey && it.key != "" && keys[it.key] > 1 {
			return fmt.Errorf("key %q is twice in flight %v", it.key, f.items)
		}
	}
	if len(f.items) == 0 || len(f.items) > m.limits.items || bytes > m.limits.bytes && len(f.items) > 1 {
		return fmt.Errorf("flight %v has %d bytes", f.items, bytes)
	}
	return nil
}

func contains(items []int, n int) bool {
	for _, i := range items {
		if i == n {
			return true
		}
	}
	return false
}

// check holds the machine to what must be true between events.
func (m *model) check() error {
	busy := map[string]bool{}
	for _, it := range m.items {
		if it.place == flies && it.key != "" {
			busy[it.key] = true
		}
	}
	var pending, undue, readyItems, readyBytes int
	var readyDue bool
	seen := map[string]bool{}
	for _, it := range m.items {
		if it.place != waits {
			continue
		}
		pending++
		if !it.due {
			undue++
		}
		if busy[it.key] || m.limits.onePerKey && it.key != "" && seen[it.key] {
			continue
		}
		seen[it.key] = true
		readyItems++
		readyBytes += it.size
		readyDue = readyDue || it.due
	}
	switch free := len(m.flights) < m.limits.flushes; {
	case len(m.flights) > m.limits.flushes:
		return fmt.Errorf("%d flights at a time", len(m.flights))
	case pending != m.machine.pending || readyItems != m.machine.readyItems || readyBytes != m.machine.readyBytes:
		return fmt.Errorf("counted %d items, %d ready with %d bytes; the machine %d, %d, %d",
			pending, readyItems, readyBytes, m.machine.pending, m.machine.readyItems, m.machine.readyBytes)
	case (undue > 0) != (m.timer != 0):
		return fmt.Errorf("%d items wait for a timer, and timer %d is set", undue, m.timer)
	case free && readyDue:
		return fmt.Errorf("a flush is free and an item is due")
	case free && (readyItems >= m.limits.items || readyBytes >= m.limits.bytes):
		return fmt.Errorf("a flush is free and a batch is full")
	}
	for id, n := range m.drains {
		if m.through(n) {
			return fmt.Errorf("drain %d is not answered", id)
		}
	}
	return nil
}

// finish lands what flies until nothing does, and expects everything gone.
func (m *model) finish() error {
	if err := m.close(); err != nil {
		return err
	}
	for len(m.flights) > 0 {
		if err := m.land(0); err != nil {
			return err
		}
	}
	if !m.through(len(m.items)) || m.machine.outstanding() != 0 || len(m.machine.lanes) != 0 {
		return m.fail(fmt.Errorf("closed with %d outstanding items and %d keys", m.machine.outstanding(), len(m.machine.lanes)))
	}
	return nil
}

func TestMachineAgainstModel(t *testing.T) {
	random := testenv.Rand(t)
	for range 3000 {
		m := newModel(limits{
			items: 1 + random.IntN(6), bytes: 1 + random.IntN(30), flushes: 1 + random.IntN(4),
			onePerKey: random.IntN(2) == 0, lingers: random.IntN(3) > 0,
		})
		keys := 1 + random.IntN(5)
		for range 100 {
			if err := randomEvent(m, random, keys); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.finish(); err != nil {
			t.Fatal(err)
		}
	}
}

func randomEvent(m *model, random *rand.Rand, keys int) error {
	switch n := random.IntN(100); {
	case n < 55:
		return m.add([]string{"", "u", "v", "w", "x"}[random.IntN(keys)], random.IntN(8))
	case n < 85 && len(m.flights) > 0:
		return m.land(random.IntN(len(m.flights)))
	case n < 95 && m.timers > 0:
		return m.expire(m.timers - uint64(random.IntN(int(min(m.timers, 3)))))
	case n < 99:
		return m.drain()
	case random.IntN(5) == 0:
		return m.close()
	}
	return nil
}

// TestMachineInEveryOrder tries all orders of few events on small machines.
func TestMachineInEveryOrder(t *testing.T) { everyOrder(t, 5) }

func TestMachineInEveryLongOrder(t *testing.T) {
	testenv.Full(t)
	everyOrder(t, 7)
}

func everyOrder(t *testing.T, depth int) {
	events := []func(*model) error{
		func(m *model) error { return m.add("", 1) },
		func(m *model) error { return m.add("x", 1) },
		func(m *model) error { return m.add("y", 3) },
		func(m *model) error {
			if len(m.flights) == 0 {
				return nil
			}
			return m.land(0)
		},
		func(m *model) error {
			if len(m.flights) < 2 {
				return nil
			}
			return m.land(1)
		},
		func(m *model) error { return m.expire(m.timers) },
		(*model).drain,
	}
	for _, l := range []limits{
		{items: 2, bytes: 3, flushes: 1, lingers: true},
		{items: 2, bytes: 3, flushes: 2, lingers: true, onePerKey: true},
		{items: 2, bytes: 3, flushes: 2, onePerKey: true},
	} {
		order := make([]int, depth)
		for more := true; more; more = nextOrder(order, len(events)) {
			m := newModel(l)
			for _, e := range order {
				if err := events[e](m); err != nil {
					t.Fatal(err)
				}
			}
			if err := m.finish(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func nextOrder(order []int, n int) bool {
	for i := range order {
		if order[i]++; order[i] < n {
			return true
		}
		order[i] = 0
	}
	return false
}
