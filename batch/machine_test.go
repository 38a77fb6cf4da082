package batch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// script drives a machine with events written as text and writes down what it
// does.
//
//	add KEY[:SIZE]    items are named a, b, c...
//	expire N          timer N ends
//	land N            flight N has its results
//	drain | close
type script struct {
	machine *machine[string]
	flights []*flight[string]
	drains  int
	items   int
}

func (s *script) run(t *testing.T, event string) string {
	t.Helper()
	verb, argument, _ := strings.Cut(event, " ")
	switch verb {
	case "add":
		key, size, sized := strings.Cut(argument, ":")
		if !sized {
			size = "1"
		}
		s.items++
		return s.told(s.machine.add(string(rune('a'+s.items-1)), key, number(t, size)))
	case "expire":
		return s.told(s.machine.expired(uint64(number(t, argument))))
	case "land":
		return s.told(s.machine.landed(s.flights[number(t, argument)-1]))
	case "drain":
		s.drains++
		return s.told(s.machine.drain(s.drains))
	case "close":
		return s.told(s.machine.close())
	}
	t.Fatalf("no such event: %q", event)
	return ""
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (s *script) told(step step[string]) string {
	var told []string
	for _, f := range step.flights {
		s.flights = append(s.flights, f)
		told = append(told, fmt.Sprintf("flight%d(%s)", len(s.flights), strings.Join(f.items, "")))
	}
	if step.disarm {
		told = append(told, "disarm")
	}
	if step.arm {
		told = append(told, fmt.Sprintf("arm%d", step.timer))
	}
	for _, id := range step.drained {
		told = append(told, fmt.Sprintf("drained%d", id))
	}
	return strings.Join(told, " ")
}

func TestMachine(t *testing.T) {
	bulk := limits{items: 3, bytes: 10, flushes: 1, lingers: true}
	natural := limits{items: 3, bytes: 10, flushes: 1}
	groups := limits{items: 3, bytes: 10, flushes: 2, onePerKey: true}
	tests := []struct {
		name   string
		limits limits
		events [][2]string // event, what is done
	}{
		{"the first item starts the timer, further ones do not", bulk,
			[][2]string{{"add", "arm1"}, {"add", ""}, {"expire 1", "flight1(ab)"}, {"land 1", ""}}},
		{"a full batch goes and the timer is stopped", bulk,
			[][2]string{{"add", "arm1"}, {"add", ""}, {"add", "flight1(abc) disarm"}, {"land 1", ""}, {"add", "arm2"}}},
		{"bytes fill it too: the item that does not fit begins the next one", bulk,
			[][2]string{{"add :6", "arm1"}, {"add :6", "flight1(a) disarm arm2"}, {"land 1", ""}, {"expire 2", "flight2(b)"}}},
		{"exactly as many bytes fit", bulk,
			[][2]string{{"add :6", "arm1"}, {"add :4", "flight1(ab) disarm"}}},
		{"an item larger than a batch goes alone", bulk,
			[][2]string{{"add :1", "arm1"}, {"add :99", "flight1(a) disarm arm2"}, {"add :1", ""}, {"land 1", "flight2(b) disarm arm3"}, {"expire 3", ""}, {"land 2", "flight3(c)"}}},
		{"a stale timer never flushes the next batch", bulk,
			[][2]string{{"add", "arm1"}, {"add", ""}, {"add", "flight1(abc) disarm"}, {"land 1", ""}, {"add", "arm2"}, {"expire 1", ""}, {"expire 2", "flight2(d)"}, {"expire 2", ""}}},
		{"the timer ends while the flush is busy: what gathered goes next", bulk,
			[][2]string{{"add", "arm1"}, {"expire 1", "flight1(a)"}, {"add", "arm2"}, {"expire 2", ""}, {"add", "arm3"}, {"land 1", "flight2(bc) disarm"}}},
		{"more than a batch is due: one after the other", bulk,
			[][2]string{{"add", "arm1"}, {"expire 1", "flight1(a)"}, {"add", "arm2"}, {"add", ""}, {"add", ""}, {"add", ""}, {"expire 2", ""}, {"land 1", "flight2(bcd)"}, {"land 2", "flight3(e)"}}},
		{"a drain flushes at once and is answered after the flush", bulk,
			[][2]string{{"add", "arm1"}, {"drain", "flight1(a) disarm"}, {"land 1", "drained1"}}},
		{"a drain with nothing to do is answered at once", bulk,
			[][2]string{{"drain", "drained1"}, {"add", "arm1"}}},
		{"a drain does not wait for what came after it", bulk,
			[][2]string{{"add", "arm1"}, {"drain", "flight1(a) disarm"}, {"add", "arm2"}, {"land 1", "drained1"}}},
		{"a drain waits for what was in flight before it", bulk,
			[][2]string{{"add", "arm1"}, {"expire 1", "flight1(a)"}, {"drain", ""}, {"drain", ""}, {"land 1", "drained1 drained2"}}},
		{"closing flushes, and later items do not linger", bulk,
			[][2]string{{"add", "arm1"}, {"close", "flight1(a) disarm"}, {"add", ""}, {"land 1", "flight2(b)"}}},
		{"natural batching: at once, and then what gathered meanwhile", natural,
			[][2]string{{"add", "flight1(a)"}, {"add", ""}, {"add", ""}, {"land 1", "flight2(bc)"}, {"land 2", ""}, {"add", "flight3(d)"}}},
		{"a key in flight holds its own items only", groups,
			[][2]string{{"add x", "flight1(a)"}, {"add x", ""}, {"add y", "flight2(c)"}, {"land 2", ""}, {"land 1", "flight3(b)"}}},
		{"one item of a key in a flush", groups,
			[][2]string{{"add x", "flight1(a)"}, {"add y", "flight2(b)"}, {"add z", ""}, {"add z", ""}, {"add x", ""}, {"land 1", "flight3(ce)"}, {"land 3", "flight4(d)"}}},
		{"without that, a flush may have several, in their order", limits{items: 3, bytes: 10, flushes: 2},
			[][2]string{{"add x", "flight1(a)"}, {"add y", "flight2(b)"}, {"add z", ""}, {"add y", ""}, {"add z", ""}, {"land 1", "flight3(ce)"}, {"land 2", "flight4(d)"}}},
		{"a key with more than a batch keeps its rest", limits{items: 2, bytes: 10, flushes: 2, lingers: true},
			[][2]string{{"add x", "arm1"}, {"add x", "flight1(ab) disarm"}, {"add x", "arm2"}, {"add x", ""}, {"expire 2", ""}, {"land 1", "flight2(cd)"}}},
		{"a key that cannot go does not keep others from the timer", limits{items: 3, bytes: 10, flushes: 2, lingers: true},
			[][2]string{{"add x", "arm1"}, {"expire 1", "flight1(a)"}, {"add x", "arm2"}, {"expire 2", ""}, {"add y", "arm3"}, {"expire 3", "flight2(c)"}, {"land 1", "flight3(b)"}}},
		{"items without a key leave others their turn", limits{items: 2, bytes: 10, flushes: 1},
			[][2]string{{"add", "flight1(a)"}, {"add", ""}, {"add", ""}, {"add", ""}, {"add x", ""}, {"land 1", "flight2(bc)"}, {"land 2", "flight3(ed)"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &script{machine: newMachine[string](test.limits)}
			for i, event := range test.events {
				if got := s.run(t, event[0]); got != event[1] {
					t.Fatalf("event %d, %s: got %q, want %q", i+1, event[0], got, event[1])
				}
			}
		})
	}
}

func TestAbandonTakesWhatIsNotInFlight(t *testing.T) {
	s := &script{machine: newMachine[string](limits{items: 3, bytes: 10, flushes: 1})}
	for _, event := range []string{"add x", "add x", "add y", "add"} {
		s.run(t, event)
	}
	left := s.machine.abandon()
	slices.Sort(left)
	if !slices.Equal(left, []string{"b", "c", "d"}) {
		t.Errorf("abandoned %v, want b, c, d", left)
	}
	if got := s.run(t, "land 1"); got != "" || s.machine.outstanding() != 0 {
		t.Errorf("after the flight: %q, %d outstanding", got, s.machine.outstanding())
	}
}
