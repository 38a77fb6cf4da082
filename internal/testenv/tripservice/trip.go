// Package tripservice is a service for tests of what looks into sagas: trips that are
// led step by step, arrivals that are only watched, and the desks that take part, on
// SQLite and a broker, with its admin side on loopback.
package tripservice

import (
	"context"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// Trip is the state of the saga "trip". Desks do what its fields of desks say.
type Trip struct {
	Traveller string `json:"traveller"`
	Card      string `json:"card"`
	// Refuses is the desk that refuses to book, Silent the one that never answers,
	// Broken the one that fails to take a booking back until the service is Mended.
	Refuses string `json:"refuses,omitempty"`
	Silent  string `json:"silent,omitempty"`
	Broken  string `json:"broken,omitempty"`
	// Booked are the desks that did.
	Booked []string `json:"booked"`
}

// Sagas and desks there are.
const (
	TripSaga    = "trip"
	ArrivalSaga = "arrival"
)

// Desks of a trip, in the order of its steps.
var Desks = []string{"flight", "hotel", "car"}

// Topics of the service.
const answers = "desk-answers"

func deskTopic(desk string) string { return "desk-" + desk }

// arrivals are the topics whose events an arrival waits for.
var arrivals = []string{"room-ready", "breakfast-ready"}

// said is what a desk answers.
type said struct {
	Trip   string      `json:"trip"`
	Desk   string      `json:"desk"`
	Result saga.Result `json:"result"`
	Reason string      `json:"reason,omitempty"`
}

func trip() saga.Definition[Trip] {
	d := saga.Definition[Trip]{
		Name: TripSaga, Version: 2, Deadline: 2 * time.Hour,
		Replies: []saga.Reply[Trip]{{Topic: answers, Read: readAnswer}},
	}
	for _, desk := range Desks {
		d.Steps = append(d.Steps, saga.Step[Trip]{
			Name: desk, Timeout: time.Hour, Retry: saga.Retry{Attempts: 2},
			Action:              command(desk, "book-"+desk),
			Compensation:        command(desk, "cancel-"+desk),
			CompensationTimeout: time.Hour, CompensationRetry: saga.Retry{Attempts: 2, Min: 10 * time.Millisecond},
		})
	}
	return d
}

func command(desk, kind string) func(saga.Context, *Trip) []outbox.Message {
	return func(c saga.Context, s *Trip) []outbox.Message {
		return []outbox.Message{{Topic: deskTopic(desk), Event: event.New(kind, c.ID, *s)}}
	}
}

func readAnswer(e event.Event) (saga.Answer[Trip], error) {
	a, err := event.Decode[said](e)
	return saga.Answer[Trip]{ID: a.Trip, Step: a.Desk, Result: a.Result, Reason: a.Reason, Apply: func(s *Trip) {
		if a.Result == saga.Succeeded {
			s.Booked = append(s.Booked, a.Desk)
		}
	}}, err
}

// Arrival is the state of the saga "arrival".
type Arrival struct {
	Guest string `json:"guest"`
}

func arrival() saga.Definition[Arrival] {
	c := saga.Choreography[Arrival]{Name: ArrivalSaga, Deadline: time.Hour}
	for _, topic := range arrivals {
		c.Participants = append(c.Participants, saga.Participant[Arrival]{Name: topic})
		c.Replies = append(c.Replies, saga.Reply[Arrival]{Topic: topic, Read: func(e event.Event) (saga.Answer[Arrival], error) {
			return saga.Answer[Arrival]{Step: topic, Result: saga.Succeeded, Apply: func(s *Arrival) { s.Guest = e.Key }}, nil
		}})
	}
	return c.Definition()
}

// desk is one that books and takes back.
func (s *Service) desk(name string) inbox.Handler[*sqlite.Tx] {
	return func(ctx context.Context, tx *sqlite.Tx, m inbox.Message) error {
		asked, err := event.Decode[Trip](m.Event)
		if err != nil {
			return inbox.Permanent(err)
		}
		answer := said{Trip: m.Key, Desk: name, Result: saga.Succeeded}
		switch undo := m.Type == "cancel-"+name; {
		case undo && asked.Broken == name && !s.Mended.Load():
			answer.Result, answer.Reason = saga.UndoFailed, "the "+name+" desk is closed"
		case undo:
			answer.Result = saga.Undone
		case asked.Silent == name:
			return nil
		case asked.Refuses == name:
			answer.Result, answer.Reason = saga.Refused, fmt.Sprintf("no %s is left for %s", name, asked.Traveller)
		}
		return outbox.EnqueueTo(ctx, tx, answers, event.New("desk-answered", m.Key, answer).CausedBy(m.Event))
	}
}
