package pages

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(millis int) time.Time { return begin.Add(time.Duration(millis) * time.Millisecond) }

func order() api.Trace {
	partition, offset := int32(1), int64(7)
	placed := &api.Event{Type: "order-placed"}
	return api.Trace{Begin: begin, End: at(100), Hops: []api.Hop{
		{ID: "request", Kind: api.HopRequest, State: api.Done, Service: "orders", At: begin, LatencyMicros: -1},
		{ID: "row", Parents: []string{"request"}, Kind: api.HopOutbox, State: api.Done, Service: "orders", Event: placed, Topic: "orders", Row: 3, At: at(50), LatencyMicros: 50_000},
		{ID: "record", Parents: []string{"row"}, Kind: api.HopRecord, State: api.Done, Event: placed, Topic: "orders", Partition: &partition, Offset: &offset, At: at(60), LatencyMicros: 10_000},
		{ID: "handled", Parents: []string{"record"}, Kind: api.HopConsume, State: api.Failing, Service: "payment", Consumer: "payer", LatencyMicros: -1},
		{ID: "answer", Parents: []string{"handled", "gone"}, Kind: api.HopAnswer, State: api.Missing, Topic: "paid", LatencyMicros: -1},
		{ID: "odd", Kind: "something-new", State: api.Unknown, LatencyMicros: -1},
	}, Stuck: &api.Stuck{Hop: "handled", Cause: api.CauseHandlerError}}
}

func TestSteps(t *testing.T) {
	type line struct {
		name, where, lane string
		late, stuck       bool
	}
	var got []line
	steps := stepsOf(order())
	for _, s := range steps {
		got = append(got, line{s.Name, s.Where, s.Lane, s.Late, s.Stuck})
	}
	want := []line{
		{"Request", "orders", "orders", false, false},
		{"Outbox row", "row 3", "orders", false, false},
		{"In the log", "orders[1]@7", "Kafka", false, false},
		{"Handled", "payer", "payment", true, true},
		{"Answer owed", "paid", "unknown", true, false},
		{"something new", "", "unknown", true, false},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want\n%+v", got, want)
	}
	if s := steps[1]; s.From != 0 || s.Width != 50 || s.Number != 2 {
		t.Errorf("the row took the first half: %+v", s)
	}
	if s := steps[3]; s.From != 60 || s.Width != 40 {
		t.Errorf("what is under way lasts until now: %v, %v", s.From, s.Width)
	}
	if !steps[2].InLog() || steps[1].InLog() || steps[1].Type() != "order-placed" || steps[0].Type() != "" {
		t.Errorf("%+v", steps)
	}
}

func TestFlowOfATrace(t *testing.T) {
	trace := order()
	f := flowOf(trace, stepsOf(trace))
	var lanes, lines []string
	for _, l := range f.Lanes {
		lanes = append(lanes, l.Name)
	}
	for _, l := range f.Lines {
		lines = append(lines, fmt.Sprint(l.From, " ", l.To, " ", l.Label, " ", l.Late))
	}
	if want := []string{"orders", "Kafka", "payment", "unknown"}; !slices.Equal(lanes, want) {
		t.Errorf("lanes %q", lanes)
	}
	if want := []string{"request row 50 ms false", "row record 10 ms false", "record handled failing true", "handled answer missing true"}; !slices.Equal(lines, want) {
		t.Errorf("lines %q", lines)
	}
	if len(f.Boxes) != 6 || f.Boxes[1].Text != "order-placed" || f.Boxes[3].Text != "payer" || f.Left != 0 {
		t.Errorf("boxes %+v", f.Boxes)
	}
	if none := flowOf(api.Trace{}, nil); len(none.Boxes) != 0 || none.Left != 0 {
		t.Errorf("%+v", none)
	}
}

func TestStuck(t *testing.T) {
	trace := order()
	steps := stepsOf(trace)
	s := stuckOf(trace, steps)
	if s.Step != &steps[3] || s.Reason != "The handler fails and is tried again" {
		t.Errorf("%+v", s)
	}
	trace.Stuck = &api.Stuck{Hop: "nowhere", Cause: "new-cause"}
	if s := stuckOf(trace, steps); s.Step != nil || s.Reason != "new cause" {
		t.Errorf("%+v", s)
	}
	trace.Stuck = nil
	if stuckOf(trace, steps) != nil {
		t.Error("nothing is stuck")
	}
	if got, want := tallyOf(trace.Hops), []tally{{api.Done, 3}, {api.Failing, 1}, {api.Missing, 1}, {api.Unknown, 1}}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// TestRandomTraces: bars stay within their cell and the graph within its bounds,
// whatever the times, parents and states are.
func TestRandomTraces(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	kinds := []api.HopKind{api.HopRequest, api.HopOutbox, api.HopRecord, api.HopConsume, api.HopAnswer, ""}
	for range 300 {
		trace := api.Trace{Begin: at(r.IntN(100)), End: at(r.IntN(100)), Hops: make([]api.Hop, r.IntN(2*mostDrawn))}
		for i := range trace.Hops {
			hop := api.Hop{ID: fmt.Sprint(r.IntN(50)), Kind: kinds[r.IntN(len(kinds))], Service: fmt.Sprint(r.IntN(3)), LatencyMicros: r.Int64N(200_000) - 1}
			if r.IntN(3) > 0 {
				hop.At = at(r.IntN(200) - 50)
			}
			for range r.IntN(3) {
				hop.Parents = append(hop.Parents, fmt.Sprint(r.IntN(60)))
			}
			trace.Hops[i] = hop
		}
		steps := stepsOf(trace)
		for _, s := range steps {
			if s.From < 0 || s.Width <= 0 || s.From+s.Width > 100.001 {
				t.Fatalf("a bar from %v, %v wide: %+v in %v to %v", s.From, s.Width, s.Hop, trace.Begin, trace.End)
			}
		}
		if f := flowOf(trace, steps); len(f.Boxes)+f.Left != len(steps) || len(f.Boxes) > mostDrawn {
			t.Fatalf("%d boxes and %d left of %d", len(f.Boxes), f.Left, len(steps))
		}
	}
}
