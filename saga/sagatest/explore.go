package sagatest

import (
	"fmt"

	"github.com/pabal-dev/pabal/saga"
)

// Explore runs the model through every schedule within its bounds. The error is a
// *Failure where one violates an invariant, and wraps ErrModel or saga.ErrConfig where
// the model is no good.
func Explore[W, S any](m Model[W, S]) (Report, error) {
	s, err := newSystem(m)
	if err != nil {
		return Report{}, err
	}
	e := &exploration[W, S]{
		expander: expander[W, S]{system: s},
		visited:  map[key]int32{},
		report:   Report{Ends: map[saga.Status]int{}},
	}
	return e.run()
}

// exploration is a breadth-first search, so that the first violation found is one of a
// shortest schedule.
type exploration[W, S any] struct {
	expander[W, S]
	visited map[key]int32
	// trace holds for each state whence it was first reached, and ways the states that
	// follow from it.
	trace  []origin
	ways   ways
	report Report
	buffer []byte
	next   []*numbered
	failed error
}

// origin of a state: the happening of that rank in the one before.
type origin struct{ before, rank int32 }

type numbered struct {
	*state
	number int32
}

// violation is where an exploration ends.
type violation struct {
	before, rank int32
	err          error
}

func (v *violation) Error() string { return v.err.Error() }

func (e *exploration[W, S]) run() (Report, error) {
	e.begin()
	for len(e.next) > 0 && e.failed == nil {
		level := e.next
		e.next = nil
		e.report.Depth++
		e.level(level)
	}
	e.report.States = len(e.trace)
	if e.failed != nil {
		return e.report, e.failure()
	}
	e.report.Schedules, e.report.Longest = e.ways.count()
	return e.report, nil
}

// level looks at the states that are so many steps deep.
func (e *exploration[W, S]) level(states []*numbered) {
	deepest := e.report.Depth == e.model.Depth
	for i, st := range states {
		ended := e.end(st)
		if deepest && !ended {
			e.report.Cut++
		}
		if !deepest && e.failed == nil {
			e.follow(st)
		}
		if e.failed != nil {
			return
		}
		states[i] = nil // what was followed is only known by its key
	}
}

// begin visits the states in which the model begins.
func (e *exploration[W, S]) begin() {
	rank := int32(-1)
	e.visit = func(next *state, h happening) bool {
		rank++
		return e.reach(next, h, origin{-1, rank})
	}
	e.first()
}

// end says whether a schedule ends here, and checks it if so.
func (e *exploration[W, S]) end(st *numbered) bool {
	if !e.quiet(st.state) {
		return false
	}
	e.report.Ends[e.instances.values[st.instance].Status]++
	e.ways.end(st.number)
	if err := e.checkEnd(st.world, st.instance); err != nil {
		e.failed = &violation{before: st.number, rank: -1, err: err}
	}
	return true
}

// follow visits the states that follow from one.
func (e *exploration[W, S]) follow(st *numbered) {
	rank := int32(-1)
	e.visit = func(next *state, h happening) bool {
		rank++
		return e.reach(next, h, origin{st.number, rank})
	}
	e.expand(st.state)
}

// reach looks at a state that was reached, and keeps it where it is new.
func (e *exploration[W, S]) reach(next *state, h happening, from origin) bool {
	e.report.Steps++
	err := h.outcome.err
	if err == nil {
		err = e.check(next.world, next.instance)
	}
	if err != nil {
		e.failed = &violation{before: from.before, rank: from.rank, err: err}
		return false
	}
	var k key
	k, e.buffer = next.key(e.buffer)
	number, known := e.visited[k]
	if !known {
		if len(e.trace) >= e.model.MaxStates {
			e.failed = fmt.Errorf("%w: more than %d states; %d schedule steps deep, nothing was found. "+
				"Lower Depth, Duplicates, Timeouts, Crashes, Cancels or Acts, or raise MaxStates", ErrModel, e.model.MaxStates, e.report.Depth)
			return false
		}
		number = int32(len(e.trace))
		e.visited[k] = number
		e.trace = append(e.trace, from)
		e.next = append(e.next, &numbered{next.clone(), number})
	}
	e.ways.add(from.before, number)
	return true
}

// failure turns what was found into a schedule.
func (e *exploration[W, S]) failure() error {
	v, ok := e.failed.(*violation)
	if !ok {
		return e.failed
	}
	var ranks []int32
	if v.rank >= 0 {
		ranks = append(ranks, v.rank)
	}
	for at := v.before; at >= 0; at = e.trace[at].before {
		ranks = append(ranks, e.trace[at].rank)
	}
	return e.tell(ranks, v.err)
}

// tell walks the way to a violation once more, and takes notes.
func (e *exploration[W, S]) tell(ranks []int32, err error) error {
	failure := &Failure{Saga: e.model.Definition.Name, Err: err, source: e.model.Source}
	var at *state
	for i := len(ranks) - 1; i >= 0; i-- {
		rank, before := ranks[i], at
		e.visit = func(next *state, h happening) bool {
			if rank--; rank >= 0 {
				return true
			}
			failure.note(e.step(before, h), e.words(before, next, h))
			at = next.clone()
			return false
		}
		if before == nil {
			e.first()
		} else {
			e.expand(before)
		}
	}
	failure.World, failure.Instance = e.worlds.texts[at.world], e.instances.texts[at.instance]
	return failure
}
