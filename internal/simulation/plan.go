package simulation

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Plan of a run. The zero Plan has no faults, and does one thing after the other.
type Plan struct {
	Faults []Fault
	Pace   Pace
	// Seed of the order of a Shuffled run.
	Seed uint64
}

// Fault is a crash at a durable step, counted from 0 over all services.
type Fault struct {
	Step int
	Kind Kind
}

// Kind of a crash.
type Kind int

// Kinds.
const (
	// RolledBack: the process crashed before the commit.
	RolledBack Kind = iota
	// AnswerLost: it crashed after it.
	AnswerLost
)

var kinds = [...]string{"rolled back", "answer lost"}

// Pace is when messages are handled.
type Pace int

// Paces.
const (
	// Prompt handles all messages before the next request, in the order in which they
	// were sent. Timers fire when nothing else is left.
	Prompt Pace = iota
	// Lazy makes all requests first.
	Lazy
	// Shuffled handles some between requests, in any order that keeps that of each topic
	// and key for each reader; some twice, some together. Timers fire early.
	Shuffled
)

var paces = [...]string{"prompt", "lazy", "shuffled"}

func (p Plan) String() string {
	var faults []string
	for _, f := range p.Faults {
		faults = append(faults, fmt.Sprintf("step %d %s", f.Step, kinds[f.Kind]))
	}
	text := paces[p.Pace]
	if p.Pace == Shuffled {
		text += fmt.Sprintf(" with seed %d", p.Seed)
	}
	return text + "; " + strings.Join(append(faults, "then no fault"), ", ")
}

// Go is the plan as Go code.
func (p Plan) Go() string {
	return strings.ReplaceAll(fmt.Sprintf("%#v", p), "[]simulation.Fault(nil)", "nil")
}

// pairs are all plans of that pace with two faults among so many steps, and those with
// one.
func pairs(pace Plan, steps int) (all []Plan) {
	add := func(faults ...Fault) {
		p := pace
		p.Faults = faults
		all = append(all, p)
	}
	for i := range steps {
		for _, first := range []Kind{RolledBack, AnswerLost} {
			add(Fault{i, first})
			for j := i + 1; j < steps+2; j++ { // the first fault adds steps
				add(Fault{i, first}, Fault{j, RolledBack})
				add(Fault{i, first}, Fault{j, AnswerLost})
			}
		}
	}
	return all
}

// Mix brings plans into a random order in which the first ones have every pair of steps
// once, and returns how many these are.
func Mix(random *rand.Rand, all []Plan) (mixed []Plan, cover int) {
	random.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	seen := map[[2]int]bool{}
	var rest []Plan
	for _, p := range all {
		pair := p.pair()
		if seen[pair] {
			rest = append(rest, p)
			continue
		}
		seen[pair] = true
		mixed = append(mixed, p)
	}
	return append(mixed, rest...), len(mixed)
}

// pair are the steps with faults, twice the same where it is one.
func (p Plan) pair() [2]int {
	return [2]int{p.Faults[0].Step, p.Faults[len(p.Faults)-1].Step}
}
