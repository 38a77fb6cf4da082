package saga

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
)

// TestRandomWalks leads random definitions by random inputs and holds what must be
// true after each, whatever came before. In the end everybody answers, and every saga
// must end.
func TestRandomWalks(t *testing.T) { randomWalks(t, 400) }

// TestRandomWalksForLong is the same, in the long mode.
func TestRandomWalksForLong(t *testing.T) {
	testenv.Full(t)
	randomWalks(t, 20_000)
}

func randomWalks(t *testing.T, walks int) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	seen := map[Status]int{}
	for n := range walks {
		w := newWalk(t, rand.New(rand.NewPCG(seed, uint64(n))))
		for range 60 {
			w.take(w.randomInput())
		}
		w.finish()
		seen[w.i.Status]++
		if t.Failed() {
			t.Fatalf("walk %d of seed %d: %s", n, seed, w.told())
		}
	}
	t.Logf("ends: %v", seen)
	for _, s := range []Status{Completed, Compensated, Resolved} {
		if seen[s] < walks/50 {
			t.Errorf("only %d of %d walks ended %s: the walk has lost its way", seen[s], walks, s)
		}
	}
}

// walk is one saga and what was seen of it.
type walk struct {
	t       *testing.T
	r       *rand.Rand
	d       Definition[walkState]
	i       Instance[walkState]
	now     time.Time
	keys    map[string]bool // of all sends so far
	ends    int
	history []visit
}

// visit is an input and what came of it.
type visit struct {
	in    Input[walkState]
	err   error
	after Instance[walkState]
}

func (w *walk) told() (text string) {
	for _, v := range w.history {
		text += fmt.Sprintf("\n%s -> %v: %s", show(v.in), v.err, v.after.Status)
		for _, s := range v.after.Steps {
			text += fmt.Sprintf(" %s=%s/%d/%d", s.Name, s.Phase, s.Attempt, s.Undo)
		}
	}
	return text
}

// walkState is what the functions of the definition change.
type walkState struct{ Calls []string }

func newWalk(t *testing.T, r *rand.Rand) *walk {
	w := &walk{t: t, r: r, now: scriptStart, keys: map[string]bool{}}
	w.d = randomDefinition(r, w)
	if err := w.d.Validate(); err != nil {
		t.Fatal(err)
	}
	w.i = Instance[walkState]{ID: "1", CorrelationID: "c1"}
	if !w.d.choreographed || r.IntN(2) == 0 { // some begin with whatever is seen first
		w.take(Input[walkState]{Start: &walkState{}})
	}
	return w
}

func (w *walk) take(in Input[walkState]) {
	if in.Timer != nil && in.Timer.Due.After(w.now) {
		w.now = in.Timer.Due
	}
	before, frozen := w.i, frozen(w.i)
	decision, err := w.d.Decide(w.i, in, w.now)
	w.history = append(w.history, visit{in, err, decision.Instance})
	if frozen != fmt.Sprintf("%+v", w.i) {
		w.t.Errorf("Decide changed its input")
	}
	switch {
	case err != nil:
		return
	case decision.Stale:
		if fmt.Sprintf("%+v", decision.Instance) != frozen || decision.Messages != nil || decision.Entries != nil {
			w.t.Errorf("stale, and something changed: %+v", decision)
		}
		return
	}
	w.i = restore(w.t, decision.Instance)
	w.check(before, decision, in)
}

func frozen(i Instance[walkState]) string { return fmt.Sprintf("%+v", i) }

// finish answers whatever is awaited, until the saga has ended.
func (w *walk) finish() {
	if w.i.Revision == 0 {
		w.take(Input[walkState]{Start: &walkState{}})
	}
	for range 200 {
		if w.i.Status.Ended() {
			return
		}
		w.take(w.helpfulInput())
	}
	w.t.Errorf("does not end, though all answer: %+v", w.i)
}

func (w *walk) helpfulInput() Input[walkState] {
	for _, s := range w.i.Steps {
		switch {
		case s.Parked:
			return Input[walkState]{Act: &Act{Do: ForceAct, Step: s.Name, Reason: "finish"}}
		case s.Phase == StepUndoing:
			return Input[walkState]{Answer: &Answer[walkState]{Step: s.Name, Result: Undone}}
		case s.Phase == StepRunning && !w.d.step(s.Name).optional:
			return Input[walkState]{Answer: &Answer[walkState]{Step: s.Name, Result: Succeeded}}
		}
	}
	w.t.Fatalf("nothing is awaited, and it has not ended: %+v%s", w.i, w.told())
	panic("unreachable")
}

func (w *walk) randomInput() Input[walkState] {
	step := w.randomStep()
	switch n := w.r.IntN(100); {
	case n < 60:
		return Input[walkState]{Answer: w.randomAnswer(step), Event: event.Event{ID: fmt.Sprint("m", w.r.Uint32()), Type: "answer"}}
	case n < 85 && len(w.i.Timers) > 0:
		timer := w.i.Timers[w.r.IntN(len(w.i.Timers))]
		if w.r.IntN(10) == 0 {
			timer.Attempt += w.r.IntN(3) - 1
		}
		return Input[walkState]{Timer: &timer}
	case n < 87:
		reason := "changed my mind"
		return Input[walkState]{Cancel: &reason}
	case n < 93:
		acts := []ActAction{RetryAct, SkipAct, ForceAct, RetryAct, SkipAct, ForceAct, RetryAct, SkipAct, ForceAct, ResolveAct, "jump"}
		return Input[walkState]{Act: &Act{Do: acts[w.r.IntN(len(acts))], Step: step, Reason: "because"}}
	case n < 95:
		return Input[walkState]{Start: &walkState{}}
	}
	return Input[walkState]{Answer: &Answer[walkState]{Begins: true, Apply: calls("begun")}}
}

func (w *walk) randomStep() string {
	switch n := w.r.IntN(12); {
	case n == 0:
		return ""
	case n == 1 || len(w.i.Steps) == 0:
		return fmt.Sprint("s", w.r.IntN(8))
	case n < 8: // one that is waited for, if there is one
		for range 10 {
			s := w.i.Steps[w.r.IntN(len(w.i.Steps))]
			if s.Phase == StepRunning || s.Phase == StepUndoing {
				return s.Name
			}
		}
	}
	return w.i.Steps[w.r.IntN(len(w.i.Steps))].Name
}

func (w *walk) randomAnswer(step string) *Answer[walkState] {
	results := []Result{Succeeded, Succeeded, Succeeded, Succeeded, Refused, Failed, Undone, Undone, UndoFailed, Ignored, "BAD"}
	a := &Answer[walkState]{Step: step, Result: results[w.r.IntN(len(results))], Apply: calls("answered")}
	if w.r.IntN(3) == 0 {
		a.Attempt = w.r.IntN(5) - 1
	}
	return a
}

func show(in Input[walkState]) string {
	switch {
	case in.Start != nil:
		return "start"
	case in.Answer != nil:
		return fmt.Sprintf("%s %s %d", in.Answer.Step, in.Answer.Result, in.Answer.Attempt)
	case in.Timer != nil:
		return fmt.Sprintf("timer %+v", *in.Timer)
	case in.Cancel != nil:
		return "cancel"
	}
	return fmt.Sprintf("%s %s", in.Act.Do, in.Act.Step)
}

func calls(name string) func(*walkState) {
	return func(s *walkState) { s.Calls = append(s.Calls, name) }
}

func randomDefinition(r *rand.Rand, w *walk) Definition[walkState] {
	send := func(name string, least int) func(Context, *walkState) []outbox.Message {
		return func(c Context, s *walkState) []outbox.Message {
			calls(name)(s)
			messages := make([]outbox.Message, least+r.IntN(2))
			for k := range messages {
				messages[k] = outbox.Message{Topic: name, Event: event.New(name, c.ID, nil)}
			}
			return messages
		}
	}
	d := Definition[walkState]{Name: "walk", OnDeadline: DeadlinePolicy(r.IntN(2)), OnCompensate: send("compensate", 0)}
	d.OnEnd = func(Context, *walkState, Status) []outbox.Message { w.ends++; return nil }
	if r.IntN(2) == 0 {
		d.Deadline = time.Minute
	}
	if r.IntN(4) == 0 {
		return randomChoreography(r, d, send)
	}
	left, next := 1+r.IntN(7), 0
	leaf := func() Step[walkState] {
		next, left = next+1, left-1
		return randomStep(r, fmt.Sprint("s", next-1), send)
	}
	for left > 0 {
		if r.IntN(3) > 0 {
			d.Steps = append(d.Steps, leaf())
			continue
		}
		group := Step[walkState]{Name: fmt.Sprint("group", next)}
		for range 2 + r.IntN(2) {
			branch := []Step[walkState]{leaf()}
			if r.IntN(2) == 0 {
				branch = append(branch, leaf())
			}
			group.Parallel = append(group.Parallel, branch)
		}
		d.Steps = append(d.Steps, group)
	}
	if s := d.step(fmt.Sprint("s", r.IntN(next*2))); s != nil {
		s.Pivot, s.ContinueOnError, s.Abortable, s.Compensation, s.CompensationNotify = true, false, false, nil, false
	}
	return d
}

type sender func(name string, least int) func(Context, *walkState) []outbox.Message

func randomStep(r *rand.Rand, name string, send sender) Step[walkState] {
	chance := func(n int) bool { return r.IntN(n) == 0 }
	s := Step[walkState]{Name: name, Action: send(name, 1), ContinueOnError: chance(6)}
	if chance(8) {
		s.Notify = true
	} else if chance(8) {
		s.Action, s.Timeout = nil, time.Second
	} else if chance(2) {
		s.Timeout, s.Retry.Attempts = time.Second, r.IntN(4)
	}
	if chance(8) {
		s.Skip = func(s walkState) bool { return len(s.Calls)%2 == 0 }
	}
	if !chance(4) {
		s.Compensation, s.CompensationNotify = send("un-"+name, r.IntN(2)), chance(5)
		s.CompensationRetry.Attempts = r.IntN(3)
		s.CompensationTimeout = time.Duration(r.IntN(2)) * time.Second
		s.Abortable = chance(4)
		s.OnlySuccess = !s.Abortable && chance(3)
	}
	return s
}

func randomChoreography(r *rand.Rand, d Definition[walkState], send sender) Definition[walkState] {
	c := Choreography[walkState]{Name: d.Name, Deadline: time.Minute, OnDeadline: d.OnDeadline, OnCompensate: d.OnCompensate, OnEnd: d.OnEnd}
	for k := range 1 + r.IntN(4) {
		p := Participant[walkState]{Name: fmt.Sprint("s", k), Optional: k > 0 && r.IntN(3) == 0}
		if r.IntN(4) > 0 {
			p.Compensation, p.CompensationNotify = send("un-"+p.Name, 1), r.IntN(3) == 0
			p.CompensationTimeout = time.Duration(r.IntN(2)) * time.Second
		}
		c.Participants = append(c.Participants, p)
	}
	return c.Definition()
}
