package saga

import (
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
)

// reading is what a message says, by version: which one counts is known when the
// saga is loaded.
type reading[S any] struct {
	id      string
	ignored bool
	each    []readBy[S] // as Config.Definitions
}

type readBy[S any] struct {
	answer *Answer[S] // nil where it says nothing
	err    error
}

// by is the answer to a definition, nil where the message means nothing to it.
func (r reading[S]) by(place int) (*Answer[S], error) { return r.each[place].answer, r.each[place].err }

// read has every version look at the message. It is an error where none can say
// which saga it is about.
func (m *Manager[T, S]) read(topic string, e event.Event) (reading[S], error) {
	r := reading[S]{each: make([]readBy[S], len(m.cfg.Definitions))}
	var failed error
	for place, d := range m.cfg.Definitions {
		answer, err := m.readBy(d, topic, e)
		r.each[place] = readBy[S]{answer, err}
		switch {
		case err != nil:
			failed = errors.Join(failed, err)
		case answer == nil || r.id != "":
		case answer.ID != "":
			r.id = answer.ID
		default:
			r.id = e.CorrelationID
		}
	}
	switch said := r.said(); {
	case r.id != "":
		if err := CheckID("id of the answer", r.id); err != nil {
			return r, inbox.Permanent(err)
		}
	case said:
		return r, inbox.Permanent(errors.New("the answer has no id of a saga, and the message no correlation id"))
	case failed != nil:
		return r, failed
	default:
		r.ignored = true
	}
	return r, nil
}

func (r reading[S]) said() bool {
	for _, by := range r.each {
		if by.answer != nil {
			return true
		}
	}
	return false
}

// readBy has the replies of one version look, until one of them has something to
// say.
func (m *Manager[T, S]) readBy(d Definition[S], topic string, e event.Event) (answer *Answer[S], err error) {
	defer m.recovered(&err, e.CorrelationID)
	for _, reply := range d.Replies {
		if reply.Topic != topic {
			continue
		}
		a, err := reply.Read(e)
		if err != nil {
			return nil, err
		}
		if a.Result != Ignored || a.Begins {
			return &a, nil
		}
	}
	return nil, nil
}

// blame names the message of an error.
func (m *Manager[T, S]) blame(e event.Event, err error) error {
	return fmt.Errorf("saga %s: message %s (%s, key %q): %w", m.name, e.ID, e.Type, e.Key, err)
}

// graded says what the inbox does about an error: an answer waits for a process that
// knows the saga's version; no retry helps one that the definition does not know.
func graded(err error) error {
	switch {
	case errors.Is(err, ErrVersion):
		return inbox.Later(err)
	case errors.Is(err, ErrAnswer):
		return inbox.Permanent(err)
	}
	return err
}
