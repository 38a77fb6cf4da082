package sagatest

import (
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
)

// cause is what an outcome follows from. Fields that do not matter are zero.
type cause struct {
	do              Do
	world, instance int32
	message         int32
	to, copy        uint8
	which           int // timer, act or request
	now             int64
}

// changesWorld says of all but Begin, which changes both, whether it is the world that
// it changes or the saga.
func (c cause) changesWorld() bool { return c.to > 0 || c.do == Call }

func (c cause) time() time.Time { return time.UnixMicro(c.now).UTC() }

// outcome of a cause: one for each way to choose.
type outcome struct {
	choices         []string
	world, instance int32
	sent            []int32
	stale           bool
	err             error
}

var (
	errRefused          = errors.New("refused")
	errNotDeterministic = errors.New("it is not deterministic: the same call gave two results. " +
		"Take ids from Context or the message, and do not range over maps to send")
)

// outcomes of a cause, worked out where they are not known.
func (s *system[W, S]) outcomes(c cause) []outcome {
	if known, ok := s.known[c]; ok {
		return known
	}
	var all []outcome
	for path, more := []int(nil), true; more; {
		o, next, ok := s.try(c, path)
		all = append(all, o)
		path, more = next, ok
	}
	s.known[c] = all
	return all
}

// try works out the outcome along a path of choices, and which path is next.
func (s *system[W, S]) try(c cause, path []int) (o outcome, next []int, more bool) {
	made := &choices{path: path}
	o = s.work(c, made)
	if s.twice > 0 {
		s.twice--
		again := s.work(c, &choices{path: path})
		if o.err == nil && again.err == nil && !same(o, again) {
			o.err = errNotDeterministic
		}
	}
	o.choices = made.made
	next, more = made.next()
	return o, next, more
}

func same(a, b outcome) bool {
	return a.world == b.world && a.instance == b.instance && fmt.Sprint(a.sent) == fmt.Sprint(b.sent)
}

func (s *system[W, S]) work(c cause, made *choices) (o outcome) {
	o = outcome{world: c.world, instance: c.instance}
	o.err = guard(string(c.do), func() error {
		switch {
		case c.do == Begin:
			return s.begin(c, &o, made.choose)
		case c.do == Call:
			return s.call(c, &o, made.choose)
		case c.do == Deliver && c.to > 0:
			return s.participate(c, &o, made.choose)
		}
		return s.decide(c, &o)
	})
	return o
}

func (s *system[W, S]) begin(c cause, o *outcome, choose Choose) (err error) {
	w := s.model.World(choose)
	if o.world, err = s.addWorld(w, nil); err != nil {
		return err
	}
	if s.model.Start != nil {
		if w, err = s.worlds.fresh(o.world); err != nil {
			return err
		}
		state := s.model.Start(w)
		if err := s.apply(c, saga.Input[S]{Start: &state}, o); err != nil {
			return fmt.Errorf("start: %w", err)
		}
	}
	if s.model.First != nil {
		if w, err = s.worlds.fresh(o.world); err != nil {
			return err
		}
		return s.send(o, s.model.First(w), sender{by: "first", correlation: s.model.CorrelationID, now: epoch})
	}
	return nil
}

func (s *system[W, S]) call(c cause, o *outcome, choose Choose) error {
	r := s.model.Requests[c.which]
	from := sender{by: r.Name, correlation: s.model.CorrelationID, now: c.time()}
	return s.change(c, o, from, func(w *W) []outbox.Message { return r.Do(w, choose) })
}

// participate lets a participant handle a message.
func (s *system[W, S]) participate(c cause, o *outcome, choose Choose) error {
	m := s.messages.values[c.message].Message
	p := s.model.Participants[c.to-1]
	from := sender{by: m.ID + "." + p.Name, correlation: m.CorrelationID, now: c.time()}
	if c.copy > 0 {
		from.by += fmt.Sprintf("#%d", c.copy+1)
	}
	return s.change(c, o, from, func(w *W) []outbox.Message { return p.Handle(w, cloned(m), choose) })
}

// change runs a transaction on the world.
func (s *system[W, S]) change(c cause, o *outcome, from sender, run func(*W) []outbox.Message) error {
	w, err := s.worlds.fresh(c.world)
	if err != nil {
		return err
	}
	sent := run(&w)
	names, _ := name(sent, from.by, false)
	if o.world, err = s.addWorld(w, names); err != nil {
		return err
	}
	return s.send(o, sent, from)
}

// cloned is a message that its receiver may change.
func cloned(m outbox.Message) outbox.Message {
	return renamed(m, m.ID, nil, m.Time)
}
