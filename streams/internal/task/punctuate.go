package task

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Punctuate runs the punctuators of the wall clock that are due, and moves the stream time
// of an idle task. It returns when it is to be called again, the zero time for never; an
// error is as of Process.
func (t *Task) Punctuate() (next time.Time, err error) {
	if t.failed != nil {
		return time.Time{}, t.failed
	}
	t.tick()
	err = t.guard(func() error {
		if err := t.punctuate(&t.wall, t.now); err != nil {
			return err
		}
		return t.moveIdle()
	})
	if err != nil {
		t.failed = err
		return time.Time{}, err
	}
	return t.Due(), nil
}

// Due is when Punctuate or Process have something to do without another record; the zero time for
// never. Both may change it.
func (t *Task) Due() time.Time {
	due := t.idleDue()
	if t.wall.due != never && (due == 0 || t.wall.due < due) {
		due = t.wall.due
	}
	if due == 0 {
		return time.Time{}
	}
	return time.UnixMilli(due)
}

// guard has a panic stop the task.
func (t *Task) guard(f func() error) error {
	err := t.protect(f)
	if err != nil {
		t.record = nil
		return t.located("", err)
	}
	return nil
}

// agenda is the punctuators of one kind of time. Which of those that are due at once comes first
// is what a heap makes of it, as in Kafka Streams.
type agenda struct {
	due int64 // of the first, or never
	all punctuators
}

const never = math.MaxInt64

// punctuator is due at its time; one that is cancelled leaves when its time has come.
type punctuator struct {
	at, interval int64
	node, order  int // that scheduled it while it was made, and how many there were before
	cancelled    bool
	f            func(timestamp int64) error
}

func (s *agenda) add(p *punctuator) {
	heap.Push(&s.all, p)
	s.due = s.all[0].at
}

// arrange has what nodes scheduled while they were made, the last one first, as if the first one
// had been made first.
func (s *agenda) arrange() {
	all := slices.Clone(s.all)
	slices.SortFunc(all, func(a, b *punctuator) int { return cmp.Or(cmp.Compare(a.node, b.node), cmp.Compare(a.order, b.order)) })
	s.all = s.all[:0]
	for _, p := range all {
		s.add(p)
	}
}

func (t *Task) schedule(interval int64, wall bool, f func(timestamp int64) error) (cancel func()) {
	p := &punctuator{interval: max(interval, 1), node: t.making, order: len(t.stream.all) + len(t.wall.all), f: f}
	if wall {
		p.at = t.now + p.interval
		t.wall.add(p)
	} else {
		t.stream.add(p)
	}
	return func() { p.cancelled = true }
}

// punctuate calls what is due at now, which may schedule and cancel.
func (t *Task) punctuate(s *agenda, now int64) error {
	for now >= 0 && now >= s.due {
		p := heap.Pop(&s.all).(*punctuator)
		s.due = s.all.due()
		if p.cancelled {
			continue
		}
		t.touched = true
		t.counts.punctuated++
		if err := t.call(p, now); err != nil {
			return err
		}
		if !p.cancelled {
			p.at += (max(now-p.at, 0)/p.interval + 1) * p.interval
			s.add(p)
		}
	}
	return nil
}

// call runs user code: its failure is decided about like a record's.
func (t *Task) call(p *punctuator, now int64) error {
	err := t.protect(func() error { return p.f(now) })
	if err == nil || isFailure(err) {
		return err
	}
	return t.decide(&plan.Failure{Stage: "process", Node: "a punctuator", Task: t.cfg.ID, Err: err})
}

// punctuators are a heap.
type punctuators []*punctuator

func (p punctuators) due() int64 {
	if len(p) == 0 {
		return never
	}
	return p[0].at
}

func (p punctuators) Len() int           { return len(p) }
func (p punctuators) Less(i, j int) bool { return p[i].at < p[j].at }
func (p punctuators) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *punctuators) Push(x any)        { *p = append(*p, x.(*punctuator)) }
func (p *punctuators) Pop() any {
	old := *p
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*p = old[:len(old)-1]
	return last
}
