package entity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
)

var errForGood = errors.New("the database refuses this")

// TestFailEveryCall fails the nth call of the store, for every n until none fails:
// before it is carried out, for a while or for good, and after it, without an answer.
// Every deposit counts once.
func TestFailEveryCall(t *testing.T) {
	for name, open := range map[string]func(testing.TB, journal.Store, Config) *accountHost{"events": openSnapshotting, "states": openDurable} {
		for fault, fail := range map[string]func(*memory, func() bool){
			"away":        func(m *memory, now func() bool) { m.set(failing(now, errAway), nil) },
			"for good":    func(m *memory, now func() bool) { m.set(failing(now, errForGood), nil) },
			"lost answer": func(m *memory, now func() bool) { m.set(nil, failing(now, errAway)) },
		} {
			t.Run(name+"/"+fault, func(t *testing.T) {
				t.Parallel()
				for n := 1; ; n++ {
					store, calls := newMemory(), 0
					h := open(t, store, Config{MaxLive: 1, SnapshotsAtOnce: 1})
					fail(store, func() bool {
						store.mu.Lock()
						defer store.mu.Unlock()
						calls++
						return calls == n
					})
					scenario(t, h, fmt.Sprintf("call %d", n))
					stop(t, h)
					if calls < n {
						t.Logf("%d calls", calls)
						return
					}
				}
			})
		}
	}
}

func openSnapshotting(t testing.TB, store journal.Store, c Config) *accountHost {
	return openWith(t, store, journal.SnapshotPolicy{Every: 2}, c)
}

func failing(now func() bool, err error) func(context.Context, string) error {
	return func(context.Context, string) error {
		if now() {
			return err
		}
		return nil
	}
}

// scenario uses two entities in turn, of which one has room in memory.
func scenario(t *testing.T, h *accountHost, what string) {
	t.Helper()
	for i := range 3 {
		for _, id := range []string{"kim", "lee"} {
			insist(t, h, id, deposit{1, fmt.Sprint(i)})
		}
	}
	for _, id := range []string{"kim", "lee"} {
		view := see(t, h, id)
		if view.State.Balance != 3 || !slices.Equal(view.State.IDs, []string{"0", "1", "2"}) || view.SeqNr != 3 {
			t.Fatalf("%s: %s is %+v", what, id, view)
		}
	}
}

// insist deposits once: where the outcome is not known it looks.
func insist(t *testing.T, h *accountHost, id string, d deposit) {
	t.Helper()
	for range 20 {
		_, err := h.Ask(t.Context(), id, d)
		if err == nil || errors.Is(err, ErrUnknown) && slices.Contains(see(t, h, id).State.IDs, d.ID) {
			return
		}
	}
	t.Fatalf("%+v fails again and again", d)
}

func see(t *testing.T, h *accountHost, id string) View[account] {
	t.Helper()
	var last error
	for range 20 {
		var view View[account]
		if view, last = h.StateAt(t.Context(), id, 0); last == nil {
			return view
		}
	}
	t.Fatalf("the state of %s cannot be read: %v", id, last)
	return View[account]{}
}

// TestModel does anything in any order, through two hosts with little memory, and
// compares with a map. The seed is printed.
func TestModel(t *testing.T) {
	for name, open := range map[string]func(testing.TB, journal.Store, Config) *accountHost{"events": openSnapshotting, "states": openDurable} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := testenv.Rand(t)
			rounds := testenv.Sized(8, 200)
			for range rounds {
				store, clock := newMemory(), newClock()
				m := model{TB: t, store: store, random: random, states: map[string]account{}, steps: map[string]int64{}, erased: map[string]bool{}}
				for range 2 {
					m.hosts = append(m.hosts, open(t, store, Config{MaxLive: 2, Clock: clock.now}))
				}
				for range 100 {
					m.step()
				}
				for _, h := range m.hosts {
					stop(t, h)
				}
			}
		})
	}
}

type model struct {
	testing.TB
	store  *memory
	random *rand.Rand
	hosts  []*accountHost
	states map[string]account
	steps  map[string]int64 // sequence numbers
	erased map[string]bool
	log    []string
}

func (m *model) step() {
	m.Helper()
	n := m.random.IntN(len(m.hosts))
	h, id := m.hosts[n], fmt.Sprint("e", m.random.IntN(4))
	amount := int64(1 + m.random.IntN(5))
	state := m.states[id]
	m.log = append(m.log, fmt.Sprintf("host %d, %s", n, id))
	lost := m.random.IntN(8) == 0 && h.Kind() == journal.Events // a lost answer of a state leaves the outcome open
	if lost {
		m.store.set(nil, loseOne())
		defer m.store.set(nil, nil)
	}
	switch what := m.random.IntN(10); {
	case what < 4:
		state.Balance += amount
		m.steps[id]++
		m.erased[id] = false
		m.expect(h, id, deposit{Amount: amount}, state.Balance, false)
	case what < 6 && amount > state.Balance:
		m.expect(h, id, withdraw{amount}, 0, true)
	case what < 6:
		state.Balance -= amount
		m.steps[id]++
		m.erased[id] = false
		m.expect(h, id, withdraw{amount}, state.Balance, false)
	case what < 8:
		m.expect(h, id, balance{}, state.Balance, false)
	case what < 9:
		if view, err := h.StateAt(m.Context(), id, 0); err != nil || view.State.Balance != state.Balance || view.SeqNr != m.steps[id] {
			m.Fatalf("%s is %+v (%v), want %+v at %d, after %q", id, view, err, state, m.steps[id], m.log)
		}
	default:
		m.erase(h, id)
		state = account{}
	}
	m.states[id] = state
}

func (m *model) expect(h *accountHost, id string, c command, reply int64, refused bool) {
	m.Helper()
	m.log[len(m.log)-1] += fmt.Sprintf(", %T%v", c, c)
	got, err := h.Ask(m.Context(), id, c)
	if refused != isRefusal(err) || !refused && (err != nil || got != reply) {
		m.Fatalf("the reply is %d, %v; want %d, refused %v; states %v after %q", got, err, reply, refused, maps.Collect(maps.All(m.states)), m.log)
	}
	if refused {
		return
	}
	view, err := h.Read(m.Context(), id)
	if err != nil || view.State.Balance != reply || view.SeqNr != m.steps[id] {
		m.Fatalf("%s reads as %+v (%v), want %d at %d, after %q", id, view, err, reply, m.steps[id], m.log)
	}
}

func (m *model) erase(h *accountHost, id string) {
	m.Helper()
	m.log[len(m.log)-1] += ", erased"
	for _, other := range m.hosts { // a snapshot of theirs must not come after
		if err := other.saved(m.Context(), identity{id, "account|" + id}); err != nil {
			m.Fatal(err)
		}
	}
	if err := h.Erase(m.Context(), id, false); err != nil {
		m.Fatalf("erasing %s: %v", id, err)
	}
	for _, other := range m.hosts { // they are not told
		other.use(identity{id, "account|" + id}).stale.Store(true)
	}
	if h.Kind() == journal.States && m.steps[id] > 0 && !m.erased[id] {
		m.steps[id]++ // the marker
	}
	m.erased[id] = true
}

func loseOne() func(context.Context, string) error {
	lost := false
	return func(_ context.Context, method string) error {
		if method != "AppendGroup" || lost {
			return nil
		}
		lost = true
		return errAway
	}
}
