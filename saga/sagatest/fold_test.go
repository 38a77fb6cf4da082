package sagatest

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
)

type door struct{ Opened, Closed int }

func doors() Model[door, string] {
	send := func(topic string) func(saga.Context, *string) []outbox.Message {
		return func(c saga.Context, _ *string) []outbox.Message {
			return []outbox.Message{{Event: event.New(topic, c.ID, c.Attempt)}}
		}
	}
	return Model[door, string]{
		Definition: saga.Definition[string]{
			Name: "door",
			Steps: []saga.Step[string]{{Name: "both", Parallel: [][]saga.Step[string]{
				{{Name: "left", Action: send("open"), Compensation: send("close"), Timeout: time.Second, CompensationNotify: true}},
				{{Name: "right", Action: send("open"), Notify: true}},
			}}},
			Replies: []saga.Reply[string]{{Topic: "opened", Read: func(event.Event) (saga.Answer[string], error) {
				return saga.Answer[string]{Step: "left", Result: saga.Succeeded}, nil
			}}},
		},
		Start: func(door) string { return "" },
		Participants: []Participant[door]{{Name: "door", Topics: []string{"open", "close"}, NoOutbox: true,
			Handle: func(w *door, m outbox.Message, choose Choose) []outbox.Message {
				if m.Topic == "close" {
					w.Closed++
					return nil
				}
				w.Opened++
				if choose("well", "stuck") == "stuck" {
					return nil
				}
				return []outbox.Message{{Event: event.New("opened", m.Key, nil)}}
			}}},
		Timeouts: 1, Duplicates: 1, Crashes: 1, Cancels: 1,
	}
}

// TestFoldingLosesNothing compares the exploration with one that walks every single
// schedule to its end.
func TestFoldingLosesNothing(t *testing.T) {
	report, err := Explore(doors())
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSystem(doors())
	if err != nil {
		t.Fatal(err)
	}
	all := walk{s: s, ends: map[key]saga.Status{}}
	x := expander[door, string]{system: s}
	x.visit = func(st *state, _ happening) bool {
		all.from(st.clone(), 1)
		return true
	}
	x.first()
	ends := map[saga.Status]int{}
	for _, status := range all.ends {
		ends[status]++
	}
	t.Logf("%s; one by one: %d schedules of up to %d steps", report, all.schedules, all.depth)
	if report.Schedules != float64(all.schedules) || report.Longest != all.depth {
		t.Errorf("there are %d schedules of up to %d steps, and the exploration says %s", all.schedules, all.depth, report)
	}
	for status, n := range ends {
		if report.Ends[status] != n {
			t.Errorf("%d states end as %s, and the exploration says %s", n, status, report)
		}
	}
	if all.schedules < 1000 || len(report.Ends) != len(ends) || len(ends) < 2 {
		t.Errorf("this says little: %d schedules, ends %v", all.schedules, ends)
	}
}

type walk struct {
	s         *system[door, string]
	ends      map[key]saga.Status
	schedules int
	depth     int
}

func (w *walk) from(st *state, depth int) {
	x := expander[door, string]{system: w.s}
	last := true
	x.visit = func(next *state, h happening) bool {
		last = false
		w.from(next.clone(), depth+1)
		return true
	}
	x.expand(st)
	w.depth = max(w.depth, depth)
	if x.quiet(st) {
		k, _ := st.key(nil)
		w.ends[k] = w.s.instances.values[st.instance].Status
		last = true
	}
	if last {
		w.schedules++
	}
}

func TestEveryWayToChooseIsTaken(t *testing.T) {
	var seen []string
	for path, more := []int(nil), true; more; {
		c := &choices{path: path}
		way := c.choose("a", "b")
		if way == "a" {
			way += c.choose("x", "y", "z")
		}
		seen = append(seen, way)
		path, more = c.next()
	}
	if got := len(seen); got != 4 || seen[0] != "ax" || seen[3] != "b" {
		t.Errorf("got %v", seen)
	}
}
