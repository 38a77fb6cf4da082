package saga

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

type basket struct {
	Items []string
	Paid  int64
}

func basketSends(topics ...string) func(Context, *basket) []outbox.Message {
	return func(c Context, s *basket) []outbox.Message {
		s.Items[0] += "!"
		var messages []outbox.Message
		for _, topic := range topics {
			e := event.New(topic, c.ID, s).WithHeader("tenant", "a").WithHeader(HeaderKey, "mine")
			messages = append(messages, outbox.Message{Event: e}) // to the topic of its type
		}
		return messages
	}
}

func baskets() Definition[basket] {
	return Definition[basket]{Name: "basket", Steps: []Step[basket]{
		{Name: "pay", Action: basketSends("pay", "audit"), Compensation: basketSends("refund"), Timeout: time.Second},
		{Name: "ship", Action: basketSends("ship")},
	}}
}

func decideBasket(t *testing.T, d Definition[basket], i Instance[basket], in Input[basket]) Decision[basket] {
	t.Helper()
	decision, err := d.Decide(i, in, scriptStart)
	if err != nil {
		t.Fatal(err)
	}
	return decision
}

func startBasket(t *testing.T, d Definition[basket]) Decision[basket] {
	return decideBasket(t, d, Instance[basket]{ID: "7", CorrelationID: "c"}, Input[basket]{Start: &basket{Items: []string{"tea"}}})
}

func TestMessagesAreStamped(t *testing.T) {
	d := baskets()
	started := startBasket(t, d)
	cause := event.New("paid", "7", nil)
	next := decideBasket(t, d, started.Instance, Input[basket]{Answer: &Answer[basket]{Step: "pay", Result: Succeeded}, Event: cause})
	for _, c := range []struct {
		m              outbox.Message
		key, causation string
	}{
		{started.Messages[0], "basket/7/pay/1", ""},
		{started.Messages[1], "basket/7/pay/1", ""},
		{next.Messages[0], "basket/7/ship/1", cause.ID},
	} {
		if c.m.Headers[HeaderKey] != c.key || c.m.CorrelationID != "c" || c.m.CausationID != c.causation || c.m.Headers["tenant"] != "a" || c.m.Topic != c.m.Type {
			t.Errorf("%s: %+v", c.m.Type, c.m.Event)
		}
		if err := c.m.Validate(); err != nil {
			t.Error(err)
		}
	}
	answered := next.Entries[0]
	if answered.MessageID != cause.ID || answered.Type != "paid" || !answered.At.Equal(scriptStart) {
		t.Errorf("the answer's entry is %+v", answered)
	}
	sent := next.Entries[1]
	if sent.MessageID != next.Messages[0].ID || sent.Topic != "ship" || sent.Kind != EntryCommand {
		t.Errorf("the command's entry is %+v", sent)
	}
	if s, _ := next.Instance.Step("ship"); s.Command != next.Messages[0].ID {
		t.Errorf("the step's command is %s", s.Command)
	}
}

// A saga without a correlation id has its id for one.
func TestCorrelationIsTheIDWhereThereIsNone(t *testing.T) {
	d := decideBasket(t, baskets(), Instance[basket]{ID: "7"}, Input[basket]{Start: &basket{Items: []string{"tea"}}})
	if d.Instance.CorrelationID != "7" || d.Messages[0].CorrelationID != "7" {
		t.Errorf("correlation id %q", d.Instance.CorrelationID)
	}
}

func TestStateOfTheInputIsNotChanged(t *testing.T) {
	d := baskets()
	fresh := basket{Items: []string{"tea"}}
	started := decideBasket(t, d, Instance[basket]{ID: "7"}, Input[basket]{Start: &fresh})
	if fresh.Items[0] != "tea" || started.Instance.State.Items[0] != "tea!" {
		t.Errorf("given %v, decided %v", fresh.Items, started.Instance.State.Items)
	}
	before := started.Instance
	apply := func(s *basket) { s.Items[0], s.Paid = "milk", 3 }
	next := decideBasket(t, d, before, Input[basket]{Answer: &Answer[basket]{Step: "pay", Result: Succeeded, Apply: apply}})
	if before.State.Items[0] != "tea!" || before.Steps[0].Phase != StepRunning || len(before.Timers) != 1 {
		t.Errorf("the input is now %+v", before)
	}
	if want := (basket{[]string{"milk!"}, 3}); !reflect.DeepEqual(next.Instance.State, want) {
		t.Errorf("decided %+v, want %+v", next.Instance.State, want)
	}
	// Two decisions on one instance share nothing.
	other := decideBasket(t, d, before, Input[basket]{Timer: &before.Timers[0]})
	if other.Instance.Steps[0].Phase != StepUndoing || next.Instance.Steps[0].Phase != StepSucceeded {
		t.Errorf("%+v and %+v", other.Instance.Steps, next.Instance.Steps)
	}
}

func TestTimesAreUTCMicroseconds(t *testing.T) {
	seoul := time.FixedZone("KST", 9*3600)
	now := time.Date(2026, 3, 4, 5, 6, 7, 123456789, seoul)
	d := baskets()
	var context Context
	action := d.Steps[0].Action
	d.Steps[0].Action = func(c Context, s *basket) []outbox.Message { context = c; return action(c, s) }
	decision, err := d.Decide(Instance[basket]{ID: "7"}, Input[basket]{Start: &basket{Items: []string{"tea"}}}, now)
	if err != nil {
		t.Fatal(err)
	}
	want := time.Date(2026, 3, 3, 20, 6, 7, 123456000, time.UTC)
	i := decision.Instance
	for name, got := range map[string]time.Time{
		"started": i.Started, "changed": i.Changed, "since": i.Steps[0].Since, "entry": decision.Entries[0].At,
		"context": context.Now, "due": i.NextDue().Add(-time.Second),
	} {
		if got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestDecideRefuses(t *testing.T) {
	d := baskets()
	running := startBasket(t, d).Instance
	version2, renamed, without := d, d, d
	version2.Version, renamed.Name, without.Steps = 2, "other", d.Steps[1:]
	act := func(a Act) Input[basket] { a.Reason = "r"; return Input[basket]{Act: &a} }
	timer, why := Timer{}, "why"
	fresh := Instance[basket]{ID: "7"}
	for name, c := range map[string]struct {
		d    Definition[basket]
		i    Instance[basket]
		in   Input[basket]
		want error
	}{
		"another version":           {version2, running, Input[basket]{Timer: &timer}, ErrVersion},
		"another saga":              {renamed, running, Input[basket]{Timer: &timer}, ErrVersion},
		"a step that was removed":   {without, running, Input[basket]{Timer: &timer}, ErrVersion},
		"an answer before":          {d, fresh, Input[basket]{Answer: &Answer[basket]{Step: "pay", Result: Succeeded}}, ErrNotFound},
		"a timer before":            {d, fresh, Input[basket]{Timer: &timer}, ErrNotFound},
		"a cancel before":           {d, fresh, Input[basket]{Cancel: &why}, ErrNotFound},
		"an act before":             {d, fresh, act(Act{Do: RetryAct}), ErrNotFound},
		"an act on another":         {d, running, act(Act{Do: RetryAct, Revision: 9}), ErrChanged},
		"an act that is none":       {d, running, act(Act{Do: "jump"}), ErrRefused},
		"an act without a reason":   {d, running, Input[basket]{Act: &Act{Do: RetryAct, Reason: " "}}, ErrRefused},
		"an act on no step":         {d, running, act(Act{Do: SkipAct, Step: "ship"}), ErrRefused},
		"a first message":           {d, running, Input[basket]{Answer: &Answer[basket]{Begins: true}}, ErrAnswer},
		"an unknown step":           {d, running, Input[basket]{Answer: &Answer[basket]{Step: "fly", Result: Succeeded}}, ErrAnswer},
		"an unknown result":         {d, running, Input[basket]{Answer: &Answer[basket]{Step: "pay", Result: "MAYBE"}}, ErrAnswer},
		"an attempt that cannot be": {d, running, Input[basket]{Answer: &Answer[basket]{Step: "pay", Result: Refused, Attempt: -1}}, ErrAnswer},
	} {
		decision, err := c.d.Decide(c.i, c.in, scriptStart)
		if !errors.Is(err, c.want) || !reflect.DeepEqual(decision, Decision[basket]{}) {
			t.Errorf("%s: %v, %+v", name, err, decision)
		}
	}
	if decision := decideBasket(t, d, running, act(Act{Do: RetryAct, Revision: 1})); decision.Stale {
		t.Error("an act on the revision that was seen is stale")
	}
}

// A choreography's first message begins it and nothing else.
func TestFirstMessageAnswersNoStep(t *testing.T) {
	d := Choreography[basket]{Name: "basket", Participants: []Participant[basket]{{Name: "pay"}}, Deadline: time.Minute}.Definition()
	first := &Answer[basket]{Begins: true, Step: "pay"}
	if _, err := d.Decide(Instance[basket]{ID: "7"}, Input[basket]{Answer: first}, scriptStart); !errors.Is(err, ErrAnswer) {
		t.Errorf("got %v", err)
	}
}

func TestStaleInputs(t *testing.T) {
	d := baskets()
	running := startBasket(t, d).Instance
	for name, in := range map[string]Input[basket]{
		"a second start":          {Start: &basket{}},
		"a message to be ignored": {Answer: &Answer[basket]{Step: "pay"}},
		"a timer of before":       {Timer: &Timer{Kind: TimeoutTimer, Step: "pay", Attempt: 7}},
		"nothing":                 {},
	} {
		decision := decideBasket(t, d, running, in)
		if !decision.Stale || !reflect.DeepEqual(decision.Instance, running) {
			t.Errorf("%s: %+v", name, decision)
		}
	}
}

// What cannot be stored fails the decision, not the process.
func TestStateThatCannotBeCopied(t *testing.T) {
	type odd struct{ F any }
	d := Definition[odd]{Name: "odd", Steps: []Step[odd]{{Name: "a", Action: func(Context, *odd) []outbox.Message { return nil }}}}
	if _, err := d.Decide(Instance[odd]{ID: "1"}, Input[odd]{Start: &odd{F: func() {}}}, scriptStart); err == nil {
		t.Error("a state with a function was taken")
	}
}

func TestPanicsPassThrough(t *testing.T) {
	d := baskets()
	d.Steps[0].Action = func(Context, *basket) []outbox.Message { panic("a bug") }
	defer func() {
		if got := recover(); got != "a bug" {
			t.Errorf("recovered %v", got)
		}
	}()
	startBasket(t, d)
}

func TestCloneSharesNothing(t *testing.T) {
	type plain struct {
		A string
		B [2]int64
		C time.Time
		D struct{ E bool }
	}
	type deep struct{ M map[string][]int }
	if _, err := clone(plain{}); err != nil || !assignable(reflect.TypeFor[plain]()) {
		t.Error("a plain state is copied by assignment", err)
	}
	one := deep{map[string][]int{"a": {1}}}
	two, err := clone(one)
	two.M["a"][0] = 2
	if err != nil || one.M["a"][0] != 1 || assignable(reflect.TypeFor[deep]()) {
		t.Error("a state with a map is copied by JSON", err, one)
	}
	for _, shared := range []any{new(int), []int{}, map[int]int{}, struct{ F any }{}, [1]*int{}} {
		if assignable(reflect.TypeOf(shared)) {
			t.Errorf("%T is taken for plain", shared)
		}
	}
}

// What others say is kept as a database can store it and a page can show it.
func TestReasonsAreReadable(t *testing.T) {
	for given, want := range map[string]string{
		"no credit\x00\n(2)": "no credit  (2)", "재고 없음": "재고 없음", "a\xffb": "a\uFFFDb",
		strings.Repeat("가", 1000): strings.Repeat("가", 332) + "…", strings.Repeat("x", 1000): strings.Repeat("x", 1000),
	} {
		d := baskets()
		decision := decideBasket(t, d, startBasket(t, d).Instance, Input[basket]{Answer: &Answer[basket]{Step: "pay", Result: Refused, Reason: given}})
		if i := decision.Instance; i.Reason != want || decision.Entries[0].Note != "REFUSED: "+want || i.Steps[0].Reason != want {
			t.Errorf("%q became %q, %q", given, i.Reason, decision.Entries[0].Note)
		}
	}
}

func TestBriefDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 10 * time.Second: "10s", time.Minute: "1m", 90 * time.Second: "1m30s",
		time.Hour: "1h", 20 * time.Hour: "20h", time.Hour + 10*time.Second: "1h0m10s", 100 * time.Minute: "1h40m", time.Millisecond: "1ms",
	} {
		if got := brief(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}

// BenchmarkDecide leads sagas of three steps to their end: 4 decisions each, with the
// cost of reading and writing the record apart.
func BenchmarkDecide(b *testing.B) {
	d := Definition[basket]{Name: "basket", Deadline: time.Hour}
	for k := range 3 {
		d.Steps = append(d.Steps, Step[basket]{Name: fmt.Sprint("step", k), Timeout: time.Minute,
			Action: func(c Context, s *basket) []outbox.Message {
				return []outbox.Message{{Topic: "t", Event: event.Event{ID: "m", Type: "t"}}}
			},
			Compensation: basketSends("undo")})
	}
	b.Run("only", func(b *testing.B) { benchmarkDecide(b, d, func(i Instance[basket]) Instance[basket] { return i }) })
	b.Run("stored", func(b *testing.B) {
		benchmarkDecide(b, d, func(i Instance[basket]) Instance[basket] { return restore(b, i) })
	})
}

func benchmarkDecide(b *testing.B, d Definition[basket], store func(Instance[basket]) Instance[basket]) {
	answers := make([]Input[basket], len(d.Steps))
	for k, s := range d.Steps {
		answers[k] = Input[basket]{Answer: &Answer[basket]{Step: s.Name, Result: Succeeded}, Event: event.Event{ID: "a"}}
	}
	b.ReportAllocs()
	for b.Loop() {
		decision, err := d.Decide(Instance[basket]{ID: "7"}, Input[basket]{Start: &basket{Items: []string{"tea"}}}, scriptStart)
		for _, in := range answers {
			decision, err = d.Decide(store(decision.Instance), in, scriptStart)
		}
		if err != nil || decision.Instance.Status != Completed {
			b.Fatal(err, decision.Instance.Status)
		}
	}
	b.ReportMetric(float64(b.N*4)/b.Elapsed().Seconds(), "decisions/s")
}
