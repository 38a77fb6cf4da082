package sagatest

import (
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/saga"
)

// decide gives the saga an answer, a timer, a cancel or an act.
func (s *system[W, S]) decide(c cause, o *outcome) error {
	switch c.do {
	case Deliver:
		return s.answer(c, o)
	case Fire:
		timer := s.instances.values[c.instance].Timers[c.which]
		return s.apply(c, saga.Input[S]{Timer: &timer}, o)
	case Cancel:
		reason := "cancelled"
		return s.ask(c, saga.Input[S]{Cancel: &reason}, o)
	case Operate:
		act := s.acts(c.instance)[c.which]
		return s.ask(c, saga.Input[S]{Act: &act}, o)
	}
	return nil
}

// answer reads a message as an answer.
func (s *system[W, S]) answer(c cause, o *outcome) error {
	e := cloned(s.messages.values[c.message].Message)
	for _, r := range s.model.Definition.Replies {
		if r.Topic != e.Topic {
			continue
		}
		a, err := r.Read(e.Event)
		if err != nil {
			return fmt.Errorf("the saga cannot read %s from topic %s: %w", e.ID, e.Topic, err)
		}
		o.stale = true
		if a.Result == saga.Ignored && !a.Begins {
			return nil
		}
		if a.ID == "" {
			a.ID = e.CorrelationID
		}
		if a.ID != s.model.ID {
			return fmt.Errorf("%s from topic %s answers saga %q, and there is only %q: is its correlation id right? Ignored answers nothing", e.ID, e.Topic, a.ID, s.model.ID)
		}
		return s.apply(c, saga.Input[S]{Answer: &a, Event: e.Event}, o)
	}
	return nil
}

// ask is for inputs that may be refused.
func (s *system[W, S]) ask(c cause, in saga.Input[S], o *outcome) error {
	if err := s.apply(c, in, o); err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	if o.stale {
		return errRefused
	}
	return nil
}

// apply decides about an input.
func (s *system[W, S]) apply(c cause, in saga.Input[S], o *outcome) error {
	i, err := s.instances.fresh(c.instance)
	if err != nil {
		return err
	}
	if c.instance == notBegun {
		i = saga.Instance[S]{Name: s.model.Definition.Name, ID: s.model.ID, CorrelationID: s.model.CorrelationID}
	}
	d, err := s.model.Definition.Decide(i, in, c.time())
	if err != nil {
		return err
	}
	if o.stale = d.Stale; d.Stale {
		return nil
	}
	from := sender{by: fmt.Sprintf("saga/%d", d.Instance.Revision), correlation: i.CorrelationID, saga: true, now: c.time()}
	names, _ := name(d.Messages, from.by, true)
	if o.instance, err = s.addInstance(d.Instance, names); err != nil {
		return err
	}
	return s.send(o, d.Messages, from)
}

// acts are those that an operator might try.
func (s *system[W, S]) acts(instance int32) (all []saga.Act) {
	i := s.instances.values[instance]
	for _, do := range s.model.Operator {
		act := saga.Act{Saga: i.Name, ID: i.ID, Do: do, Reason: "as the schedule says", Actor: "operator"}
		if do == saga.ResolveAct {
			all = append(all, act)
			continue
		}
		for _, step := range i.Steps {
			act.Step = step.Name
			all = append(all, act)
		}
	}
	return all
}

// refused says of an outcome that it cannot happen.
func (o outcome) refused() bool { return errors.Is(o.err, errRefused) }
