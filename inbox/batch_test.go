package inbox

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
)

func testItem(offset int64, id, key string, extra ...event.Header) item {
	headers := []event.Header{
		{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_source", Value: []byte("/test")},
		{Key: "ce_type", Value: []byte("test")}, {Key: "ce_id", Value: []byte(id)},
	}
	return newItem(offset, append(headers, extra...), []byte(key), []byte("value"), time.Unix(1, 0))
}

func malformed(offset int64, key string) item {
	return newItem(offset, nil, []byte(key), []byte("value"), time.Unix(1, 0))
}

var testPlanner = planner{consumer: "me", claim: Claim{
	Consumer: "me", Partition: Partition{TopicID: "aa", Topic: "orders", Partition: 3}, Replay: Replay{Generation: 7, From: 10, To: 20},
}}

const noBound = 1 << 40

// describe writes a plan as text.
func describe(p plan) string {
	var out []string
	for i, m := range p.marks {
		out = append(out, fmt.Sprintf("%s:%s@%d", m.Outcome, m.ID, p.items[i].offset))
	}
	for _, w := range p.waiting {
		out = append(out, fmt.Sprintf("wait@%d parked=%t", w.Offset, w.Parked))
	}
	return fmt.Sprintf("%s; skipped %d, taken %d, next %d", strings.Join(out, " "), p.skipped, p.taken, p.next)
}

func TestPlan(t *testing.T) {
	redriven := func(to string) event.Header { return event.Header{Key: RedriveHeader, Value: []byte(to)} }
	line := func(key string) lineState {
		return map[string]lineState{"slow": lineWaits, "stuck": lineParked}[key]
	}
	for _, c := range []struct {
		name  string
		items []item
		room  int64
		want  string
	}{
		{"free keys are handled, in order", []item{testItem(4, "a", "x"), testItem(6, "b", "y"), testItem(9, "c", "")}, noBound,
			"handled:a@4 handled:b@6 handled:c@9; skipped 0, taken 3, next 10"},
		{"followers wait", []item{testItem(4, "a", "slow"), testItem(5, "b", "x"), testItem(6, "c", "stuck")}, noBound,
			"handled:b@5 wait@4 parked=false wait@6 parked=true; skipped 0, taken 3, next 7"},
		{"malformed records are dead, whatever their key", []item{malformed(4, "slow"), malformed(5, "x")}, noBound,
			"dead:aa/3/4@4 dead:aa/3/5@5; skipped 0, taken 2, next 6"},
		{"redriven ones only for their consumer", []item{testItem(4, "a", "x", redriven("other")), testItem(5, "b", "x", redriven("me")), testItem(6, "c", "slow", redriven("other"))}, noBound,
			"handled:b@5; skipped 2, taken 3, next 7"},
		{"a follower without room ends the plan", []item{testItem(4, "a", "x"), testItem(5, "b", "slow"), testItem(6, "c", "y")}, 10,
			"handled:a@4; skipped 0, taken 1, next 5"},
		{"nothing fits", []item{testItem(5, "b", "slow"), testItem(6, "c", "y")}, 10, "; skipped 0, taken 0, next 0"},
		{"room for one follower", []item{testItem(5, "b", "slow"), testItem(6, "c", "slow")}, testItem(5, "b", "slow").waiting(0, time.Time{}, "").Size,
			"wait@5 parked=false; skipped 0, taken 1, next 6"},
		{"a key no database can store", []item{testItem(4, "a", "x\x00y")}, noBound, "dead:aa/3/4@4; skipped 0, taken 1, next 5"},
	} {
		if got := describe(testPlanner.plan(c.items, line, c.room)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestMarksOfReplayedAndRedrivenMessages(t *testing.T) {
	redriven := event.Header{Key: RedriveHeader, Value: []byte("me")}
	for _, c := range []struct {
		item item
		want Mark
	}{
		{testItem(9, "a", "x"), Mark{ID: "a", Outcome: Handled}},
		{testItem(10, "a", "x"), Mark{ID: "a", Generation: 7, Outcome: Handled}},
		{testItem(20, "a", "x", redriven), Mark{ID: "a", Outcome: Handled, Redriven: true}},
		{malformed(19, "x"), Mark{ID: "aa/3/19", Generation: 7, Outcome: Dead}},
	} {
		if got := testPlanner.mark(c.item); got != c.want {
			t.Errorf("got %+v, want %+v", got, c.want)
		}
	}
}

func TestWaitingRowKeepsTheRecord(t *testing.T) {
	i := testItem(4, "a", "x", event.Header{Key: "trace", Value: []byte{0xff}})
	row := i.waiting(2, time.Unix(9, 0), "why")
	back := itemOf(row)
	if back.fault != nil || back.event.ID != "a" || back.event.Key != "x" || back.event.Headers["trace"] != "\xff" || string(back.value) != "value" {
		t.Errorf("the item came back as %+v", back)
	}
	if row.Attempts != 2 || row.Reason != "why" || row.Size < int64(len("value")) {
		t.Errorf("row %+v", row)
	}
}

func TestBegin(t *testing.T) {
	for _, c := range []struct {
		name  string
		next  []int64
		log   bounds
		at    StartAt
		lanes []int64
		lost  bool
	}{
		{"first claim", []int64{-1, -1}, bounds{5, 9}, Earliest, []int64{5, 5}, false},
		{"first claim, latest", []int64{-1, -1}, bounds{5, 9}, Latest, []int64{9, 9}, false},
		{"goes on", []int64{6, 8}, bounds{5, 9}, Latest, []int64{6, 8}, false},
		{"all is read", []int64{9}, bounds{9, 9}, Earliest, []int64{9}, false},
		{"retention was faster", []int64{3, 8}, bounds{5, 9}, Earliest, []int64{5, 8}, true},
		{"Kafka lost the end", []int64{6, 12}, bounds{5, 9}, Earliest, []int64{6, 9}, true},
	} {
		lanes, lost := begin(c.next, c.log, c.at)
		if fmt.Sprint(lanes) != fmt.Sprint(c.lanes) || errors.Is(lost, ErrMissed) != c.lost {
			t.Errorf("%s: lanes %v, lost %v", c.name, lanes, lost)
		}
	}
}

func TestLaneOfIsStableAndEven(t *testing.T) {
	for key, want := range map[string]int{"order-1": 2, "order-2": 3, "order-3": 0} {
		if got := laneOf([]byte(key), 0, 4); got != want {
			t.Errorf("lane of %s is %d; the offsets in databases say %d", key, got, want)
		}
	}
	counts := make([]int, 4)
	for i := range 4000 {
		counts[laneOf(fmt.Appendf(nil, "key-%d", i), 0, 4)]++
	}
	for lane, n := range counts {
		if n < 800 {
			t.Errorf("lane %d has %d of 4000 keys", lane, n)
		}
	}
	if laneOf(nil, 6, 4) != 2 || laneOf(nil, 7, 1) != 0 {
		t.Error("records without key go by offset")
	}
}

func TestBackoff(t *testing.T) {
	b := Backoff{Min: 100 * time.Millisecond, Max: time.Second}
	for failures, most := range map[int]time.Duration{1: 100, 2: 200, 3: 400, 4: 800, 5: 1000, 500: 1000} {
		most *= time.Millisecond
		if low, high := b.delay(failures, 0), b.delay(failures, 0.999); low != most/2 || high < most*9/10 || high > most {
			t.Errorf("after %d failures: %s to %s, want %s to %s", failures, low, high, most/2, most)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	handler := Handler[Tx](nil)
	for _, c := range []Config[Tx]{
		{}, {Name: "a"}, {Name: "a/b", Topics: map[string]Handler[Tx]{"t": handler}}, {Name: "a", Topics: map[string]Handler[Tx]{"t": nil}},
		{Name: "a", Topics: map[string]Handler[Tx]{"t": handler}, BatchSize: -1},
	} {
		if err := c.validate(); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
