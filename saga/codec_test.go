package saga

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

type trip struct {
	City  string           `json:"city"`
	Legs  []string         `json:"legs,omitempty"`
	Costs map[string]int64 `json:"costs,omitempty"`
}

func someInstance() Instance[trip] {
	at := func(s int) time.Time { return scriptStart.Add(time.Duration(s) * time.Second) }
	return Instance[trip]{
		Name: "trip", ID: "제주/1", Version: 3, Revision: 7, Status: NeedsReview, CorrelationID: "c", Reason: "why",
		State:  trip{City: "제주", Legs: []string{"a"}, Costs: map[string]int64{"b": 1}},
		Turned: "because", Overdue: true, Begun: true, Told: true,
		Steps: []StepState{
			{Name: "hotel", Phase: StepUndoFailed, Attempt: 2, Undo: 3, Left: 1, Unanswered: 1, Parked: true, Command: "m", Reason: "r", Since: at(1)},
			{Name: "flight", Phase: StepSucceeded, Attempt: 1, Since: at(2)},
			{Name: "car", Phase: StepRunning, Attempt: 1, Since: at(2)},
		},
		Timers:  []Timer{{Kind: DeadlineTimer, Due: at(60)}, {Kind: TimeoutTimer, Step: "car", Attempt: 1, Due: at(30)}},
		Started: at(0), Changed: at(2),
	}
}

func TestRecordKeepsTheInstance(t *testing.T) {
	want := someInstance()
	r, err := encodeInstance(want)
	if err != nil {
		t.Fatal(err)
	}
	if r.Current != "hotel, car" || !r.Due.Equal(scriptStart.Add(30*time.Second)) || string(r.State) != `{"city":"제주","legs":["a"],"costs":{"b":1}}` {
		t.Errorf("current %q, due %s, state %s", r.Current, r.Due, r.State)
	}
	got, err := decodeRecord[trip](r)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if s, ok := got.Step("car"); !ok || s.Attempt != 1 {
		t.Errorf("step car: %+v", s)
	}
	if _, ok := got.Step("ship"); ok {
		t.Error("a step that has not begun was found")
	}
	want.Status, want.Timers = Compensated, nil
	if r, err = encodeInstance(want); err != nil || r.Current != "" || !r.Due.IsZero() {
		t.Errorf("ended: current %q, due %s, %v", r.Current, r.Due, err)
	}
}

// What a StepState gains must be stored.
func TestRecordKeepsEveryField(t *testing.T) {
	i := someInstance()
	for _, v := range []reflect.Value{reflect.ValueOf(i), reflect.ValueOf(i.Steps[0]), reflect.ValueOf(i.Timers[1])} {
		for n := range v.NumField() {
			if name := v.Type().Field(n).Name; v.Field(n).IsZero() && name != "Ended" {
				t.Errorf("%s.%s is zero in the test above, which so does not test it", v.Type(), name)
			}
		}
	}
}

func TestRecordsThatAreNone(t *testing.T) {
	good, err := encodeInstance(someInstance())
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Record){
		"state as saga.trip":      func(r *Record) { r.State = []byte(`{"city":1}`) },
		"unexpected end of JSON":  func(r *Record) { r.State = nil },
		"progress: invalid char":  func(r *Record) { r.Progress = []byte(`x`) },
		`unknown status "GONE"`:   func(r *Record) { r.Status = "GONE" },
		"revision 0":              func(r *Record) { r.Revision = 0 },
		`unknown phase "HALF" of`: func(r *Record) { r.Progress = []byte(`{"steps":[{"name":"a","phase":"HALF"}]}`) },
		"stored saga trip 제주/1":   func(r *Record) { r.Status = "" },
	} {
		r := good
		change(&r)
		if _, err := decodeRecord[trip](r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := encodeInstance(Instance[func()]{}); err == nil {
		t.Error("a function was stored")
	}
}

// FuzzDecodeRecord: whatever a row holds, reading it ends in an error or in an instance
// that Decide takes without a panic and that can be stored again.
func FuzzDecodeRecord(f *testing.F) {
	r, err := encodeInstance(someInstance())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(r.Status), string(r.State), string(r.Progress), "car", int8(0))
	f.Add("RUNNING", "{}", `{"steps":null,"timers":[{"kind":"undo-retry","step":"car","attempt":-1}]}`, "car", int8(1))
	f.Add("RUNNING", "null", `{"steps":[{"name":"car","phase":"UNDOING","left":-9}],"timers":[{"kind":"undo-retry","step":"car"}]}`, "car", int8(2))
	f.Add("COMPENSATED", "{}", `{"steps":[{"name":"car","phase":"UNKNOWN","attempt":1},{"name":"car","phase":"UNDOING"}]}`, "car", int8(3))
	step := func(name string) Step[trip] {
		return Step[trip]{Name: name, Compensation: nil, Timeout: time.Second, Retry: Retry{Attempts: 1}}
	}
	d := Definition[trip]{Name: "trip", Version: 3, Steps: []Step[trip]{step("hotel"), step("flight"), step("car")}}
	d.Steps[1].OnlySuccess = true
	results := []Result{Succeeded, Refused, Failed, Undone, UndoFailed}
	f.Fuzz(func(t *testing.T, status, state, progress, name string, n int8) {
		r := Record{Name: "trip", ID: "1", Version: 3, Revision: 1, Status: Status(status), State: json.RawMessage(state), Progress: json.RawMessage(progress)}
		i, err := decodeRecord[trip](r)
		if err != nil {
			return
		}
		inputs := []Input[trip]{
			{Answer: &Answer[trip]{Step: name, Result: results[int(uint8(n))%len(results)]}},
			{Act: &Act{Do: RetryAct, Step: name, Reason: "x"}}, {Act: &Act{Do: SkipAct, Reason: "x"}},
		}
		for _, timer := range i.Timers {
			inputs = append(inputs, Input[trip]{Timer: &timer})
		}
		for _, in := range inputs {
			decision, err := d.Decide(i, in, scriptStart)
			if err != nil {
				continue
			}
			if _, err := encodeInstance(decision.Instance); err != nil {
				t.Fatalf("cannot be stored again: %v", err)
			}
		}
	})
}
