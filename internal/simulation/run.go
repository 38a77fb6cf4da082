package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// Scenario is a system with something to do.
type Scenario struct {
	System service.System
	// Script makes requests. What they are answered depends on the plan.
	Script func(c *Client)
	// Check recomputes the invariants from the databases, by service, once nothing is
	// under way. What an answer's Location named is asked for before.
	Check func(ctx context.Context, databases map[string]storage.DB) error
	// Horizon is how long is waited for timers in the end; 1 h where zero.
	Horizon time.Duration
}

// run is a scenario by one plan, in one goroutine.
type run struct {
	ctx      context.Context
	scenario Scenario
	plan     Plan
	random   *rand.Rand
	nodes    []*node
	underWay []delivery
	clock    time.Time
	steps    int
	lost     bool // the last crash was after a commit
	notes    []string
	made     []resource
}

// resource is what an answer said was made.
type resource struct{ service, path string }

// delivery is a message on its way to one reader.
type delivery struct {
	outbox.Message
	to *node
	// view: it is for the service's view, which stores how far it has come in the
	// transaction that handles it, and so never handles it twice.
	view bool
	// last: it was handled, and comes a second time.
	last bool
}

func (d delivery) reader() string {
	if d.view {
		return d.to.def.Name + ".view"
	}
	return d.to.def.Name
}

func (d delivery) queue() string { return d.reader() + " " + d.Topic + " " + d.Key }

// begin is when a run begins, by its own clock.
var begin = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

const (
	defaultHorizon = time.Hour
	// maxDeliveries ends a run that goes round in circles.
	maxDeliveries = 100_000
)

func newRun(ctx context.Context, s Scenario, p Plan, disks map[string]storage.DB) (*run, error) {
	r := &run{ctx: ctx, scenario: s, plan: p, random: rand.New(rand.NewPCG(p.Seed, 0)), clock: begin}
	if r.scenario.Horizon == 0 {
		r.scenario.Horizon = defaultHorizon
	}
	for _, d := range s.System.Definitions {
		n := &node{run: r, def: d, disk: disks[d.Name]}
		r.nodes = append(r.nodes, n)
		if err := n.start(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// all is the whole run.
func (r *run) all(disks map[string]storage.DB) (err error) {
	defer func() {
		if p := recover(); p != nil {
			failed, ok := p.(failure)
			if !ok {
				panic(p)
			}
			err = failed.error
		}
	}()
	c := &Client{r}
	r.scenario.Script(c)
	r.finish()
	steps := r.steps // of the scenario, without the look at what it made
	for _, m := range r.made {
		if a := c.ask("GET", m.service, m.path, "", nil); a.Status != http.StatusOK {
			return fmt.Errorf("%s of %s was made, and is answered with %s", m.path, m.service, a)
		}
	}
	r.steps = steps
	return r.scenario.Check(r.ctx, disks)
}

// failure ends a run from within a script.
type failure struct{ error }

func (r *run) fail(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// now is the run's clock: every look at it is a bit later.
func (r *run) now() time.Time {
	r.clock = r.clock.Add(time.Millisecond)
	return r.clock
}

func (r *run) note(format string, a ...any) { r.notes = append(r.notes, fmt.Sprintf(format, a...)) }

// sent puts a message under way to all that handle it.
func (r *run) sent(from *node, m outbox.Message) {
	r.note("  %s sends %s %s %s", from.def.Name, m.Topic, m.Key, m.Payload)
	for _, n := range r.nodes {
		if n.handlers[m.Topic] != nil {
			r.underWay = append(r.underWay, delivery{Message: m, to: n})
		}
		if n.view[m.Topic] != nil {
			r.underWay = append(r.underWay, delivery{Message: m, to: n, view: true})
		}
	}
}

// between is what happens between two requests.
func (r *run) between() {
	switch r.plan.Pace {
	case Prompt:
		r.settle()
	case Shuffled:
		for range r.random.IntN(4) {
			if len(r.underWay) > 0 {
				r.one()
			}
		}
	}
}

// settle handles all messages.
func (r *run) settle() {
	for range maxDeliveries {
		if len(r.underWay) == 0 {
			return
		}
		r.one()
	}
	r.fail(errors.New("messages go round in circles"))
}

// finish handles all messages and lets all timers fire within the horizon.
func (r *run) finish() {
	end := r.clock.Add(r.scenario.Horizon)
	for range maxDeliveries {
		r.settle()
		due := r.nextDue()
		if due.IsZero() || due.After(end) {
			return
		}
		r.fire(due)
	}
	r.fail(errors.New("timers go round in circles"))
}

// one handles the next message, or a few of one topic together.
func (r *run) one() {
	if r.plan.Pace == Shuffled && r.random.IntN(8) == 0 {
		if due := r.nextDue(); !due.IsZero() && due.Before(r.clock.Add(r.scenario.Horizon)) {
			r.fire(due)
			return
		}
	}
	places := []int{0}
	if r.plan.Pace == Shuffled {
		places = r.choose()
	}
	var all []outbox.Message
	for _, i := range places {
		all = append(all, r.underWay[i].Message)
	}
	d := r.underWay[places[0]]
	what := fmt.Sprintf("%s handles %s %s", d.reader(), d.Topic, about(all))
	r.note("%s", what)
	crashed, err := d.to.attempt(func(ctx context.Context) error { return d.to.handle(ctx, d.Topic, d.view, all) })
	if err != nil {
		r.fail(fmt.Errorf("%s: %w", what, err))
	}
	if !crashed || d.view && r.lost {
		r.handled(places)
	}
}

// choose picks the next of a queue, and sometimes what follows it in its topic.
func (r *run) choose() []int {
	var heads []int
	seen := map[string]bool{}
	for i, d := range r.underWay {
		if !seen[d.queue()] {
			seen[d.queue()] = true
			heads = append(heads, i)
		}
	}
	first := heads[r.random.IntN(len(heads))]
	places, d := []int{first}, r.underWay[first]
	for most := r.random.IntN(3); most > 0; most-- {
		if i := r.follows(d, places); i >= 0 {
			places = append(places, i)
		}
	}
	return places
}

// follows is a message that can be handled together with those at some places.
func (r *run) follows(d delivery, places []int) int {
	ahead := map[string]bool{}
	for i, next := range r.underWay {
		if slices.Contains(places, i) {
			continue
		}
		if next.reader() == d.reader() && next.Topic == d.Topic && !ahead[next.queue()] && i > places[len(places)-1] {
			return i
		}
		ahead[next.queue()] = true
	}
	return -1
}

// handled takes away what was handled; some of it comes again.
func (r *run) handled(places []int) {
	var left []delivery
	for i, d := range r.underWay {
		if slices.Contains(places, i) {
			if r.plan.Pace != Shuffled || d.last || d.view || r.random.IntN(10) > 0 {
				continue
			}
			d.last = true
		}
		left = append(left, d)
	}
	r.underWay = left
}

func about(all []outbox.Message) string {
	var keys []string
	for _, m := range all {
		keys = append(keys, m.Key)
	}
	return strings.Join(keys, ", ")
}

// nextDue is when the earliest timer of all fires.
func (r *run) nextDue() (next time.Time) {
	for _, n := range r.nodes {
		due, err := n.nextDue()
		r.fail(err)
		if next.IsZero() || !due.IsZero() && due.Before(next) {
			next = due
		}
	}
	return next
}

// fire lets time pass until then.
func (r *run) fire(due time.Time) {
	if r.clock.Before(due) {
		r.clock = due
	}
	r.note("timers fire that are due at %s", due.Format(time.RFC3339Nano))
	for _, n := range r.nodes {
		for crashed := true; crashed; {
			var err error
			crashed, err = n.attempt(n.fireDue)
			r.fail(err)
		}
	}
}
