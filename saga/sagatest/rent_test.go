package sagatest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/saga/sagatest"
)

// A rent nobody leads: book and member hear of it, each says what it did, and where one
// refused, the other is told to take it back.
type (
	rent    struct{ Item string }
	library struct{ Book, Member side }
	// side is what a participant did.
	side string

	rentResult struct {
		Participant string
		Result      saga.Result
	}
)

func rents(compensateMember bool) sagatest.Model[library, rent] {
	undo := func(topic string) func(saga.Context, *rent) []outbox.Message {
		return func(c saga.Context, r *rent) []outbox.Message {
			return []outbox.Message{{Event: event.New(topic, c.ID, r.Item)}}
		}
	}
	c := saga.Choreography[rent]{
		Name:     "rent",
		Deadline: time.Minute,
		Participants: []saga.Participant[rent]{
			{Name: "book", Compensation: undo("book-cancel")},
			{Name: "member"},
		},
		Replies: []saga.Reply[rent]{
			{Topic: "rented", Read: func(e event.Event) (saga.Answer[rent], error) {
				return saga.Answer[rent]{Begins: true, Apply: func(r *rent) { r.Item = "a book" }}, nil
			}},
			{Topic: "result", Read: func(e event.Event) (saga.Answer[rent], error) {
				r, err := event.Decode[rentResult](e)
				return saga.Answer[rent]{Step: r.Participant, Result: r.Result, Reason: "no"}, err
			}},
		},
	}
	if compensateMember {
		c.Participants[1].Compensation = undo("member-cancel")
	}
	return sagatest.Model[library, rent]{
		Definition: c.Definition(),
		First: func(library) []outbox.Message {
			return []outbox.Message{{Event: event.New("rented", "1", "a book")}}
		},
		Participants: []sagatest.Participant[library]{
			{Name: "book", Topics: []string{"rented", "book-cancel"}, Handle: func(w *library, m outbox.Message, choose sagatest.Choose) []outbox.Message {
				return w.Book.handle("book", m, choose)
			}},
			{Name: "member", Topics: []string{"rented", "member-cancel"}, Handle: func(w *library, m outbox.Message, choose sagatest.Choose) []outbox.Message {
				return w.Member.handle("member", m, choose)
			}},
		},
		Invariant: func(w library, i saga.Instance[rent]) error {
			if i.Status == saga.Completed && (w.Book != "done" || w.Member != "done") {
				return fmt.Errorf("completed: %+v", w)
			}
			return nil
		},
		Final: func(w library, i saga.Instance[rent]) error {
			if i.Status == saga.Compensated && (w.Book == "done" || w.Member == "done") {
				return fmt.Errorf("compensated: %+v", w)
			}
			return nil
		},
		Duplicates: 1, Timeouts: 1, Crashes: 1,
	}
}

// handle settles a participant: what was cancelled is never done.
func (s *side) handle(name string, m outbox.Message, choose sagatest.Choose) []outbox.Message {
	result := func(r saga.Result) []outbox.Message {
		return []outbox.Message{{Event: event.New("result", m.Key, rentResult{name, r}).CausedBy(m.Event)}}
	}
	if m.Topic != "rented" {
		*s = "undone"
		return result(saga.Undone)
	}
	if *s == "" {
		*s = side(choose("done", "refused"))
	}
	switch *s {
	case "done":
		return result(saga.Succeeded)
	case "refused":
		return result(saga.Refused)
	}
	return nil
}

func TestAChoreographyIsExplored(t *testing.T) {
	report := sagatest.Check(t, rents(true))
	t.Log(report)
	if report.Ends[saga.Completed] == 0 || report.Ends[saga.Compensated] == 0 {
		t.Errorf("both ends are possible: %s", report)
	}
}

func TestAMissingCompensationIsFound(t *testing.T) {
	failure := find(t, rents(false), "compensated: {Book:")
	if len(failure.Schedule) > 7 {
		t.Errorf("there is a shorter schedule than this: %v", failure)
	}
}
