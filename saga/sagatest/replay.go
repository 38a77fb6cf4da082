package sagatest

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
)

// Replay runs one schedule, as Check printed it, and then lets the rest happen: messages
// in the order in which they were sent, after them timers. It fails the test where an
// invariant is violated on the way or at the end. Steps that are not possible (any
// more, because the definition has changed) are left out and logged.
func Replay[W, S any](t testing.TB, m Model[W, S], schedule Schedule) {
	t.Helper()
	left, err := Run(m, schedule)
	for _, step := range left {
		t.Logf("not possible, left out: %s", step)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Run is Replay without a test: it returns the steps that were left out, and a *Failure
// where an invariant is violated.
func Run[W, S any](m Model[W, S], schedule Schedule) (left Schedule, err error) {
	s, err := newSystem(m)
	if err != nil {
		return nil, err
	}
	r := &replay[W, S]{expander: expander[W, S]{system: s, free: true}, failure: &Failure{Saga: m.Definition.Name, source: m.Source}}
	for i, step := range schedule {
		if (step.Do == Begin) != (i == 0) {
			return nil, fmt.Errorf("%w: step %d: a schedule begins with Begin, and only there", ErrModel, i+1)
		}
		if !r.take(func(possible Step) bool { return equal(possible, step) }) {
			left = append(left, step)
		}
		if r.failure.Err != nil {
			return left, r.failed()
		}
	}
	if r.at == nil {
		return left, fmt.Errorf("%w: the schedule's first step is not possible: want Begin with the choices of the model's World", ErrModel)
	}
	return left, r.finish()
}

// replay is a walk along one way.
type replay[W, S any] struct {
	expander[W, S]
	at      *state
	failure *Failure
}

// maxSteps ends the rest of a replay that goes round in circles.
const maxSteps = 10_000

// finish lets happen what is left.
func (r *replay[W, S]) finish() error {
	for range maxSteps {
		if r.quiet(r.at) {
			if r.failure.Err = r.checkEnd(r.at.world, r.at.instance); r.failure.Err != nil {
				return r.failed()
			}
			return nil
		}
		deliver := slices.ContainsFunc(r.at.entries, func(e entry) bool { return e.queue != late })
		r.take(func(possible Step) bool { return possible.Do == Deliver || !deliver && possible.Do == Fire })
		if r.failure.Err != nil {
			return r.failed()
		}
	}
	return fmt.Errorf("%w: %d steps after the schedule it has not come to rest", ErrModel, maxSteps)
}

// take does the first possible step that is wanted; false where there is none.
func (r *replay[W, S]) take(wanted func(Step) bool) (taken bool) {
	before := r.at
	r.visit = func(next *state, h happening) bool {
		step := r.step(before, h)
		if taken = wanted(step); !taken {
			return true
		}
		r.failure.note(step, r.words(before, next, h))
		r.at = next.clone()
		if r.failure.Err = h.outcome.err; r.failure.Err == nil {
			r.failure.Err = r.check(next.world, next.instance)
		}
		return false
	}
	if before == nil {
		r.first()
	} else {
		r.expand(before)
	}
	return taken
}

func (r *replay[W, S]) failed() error {
	r.failure.World, r.failure.Instance = r.worlds.texts[r.at.world], r.instances.texts[r.at.instance]
	return r.failure
}

func equal(a, b Step) bool { return a.key() == b.key() && slices.Equal(a.Choices, b.Choices) }

// key is the step without its choices.
func (s Step) key() [8]string {
	return [8]string{string(s.Do), s.Message, s.To, string(s.Timer), string(s.Act), s.Step, strconv.Itoa(s.Attempt), s.Request}
}
