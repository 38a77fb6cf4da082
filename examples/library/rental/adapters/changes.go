package adapters

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/library/rental/domain"
	"github.com/pabal-dev/pabal/examples/library/rental/ports"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

type change = saga.Change[Transaction]

type changed = func(context.Context, storage.Tx, []change) ([]outbox.Message, error)

// changed has rental cards follow their transactions. Locks are taken in one order,
// here and where loans are due: sagas, then cards by their members.
func (s *Sagas) changed(of saga.Choreography[Transaction]) changed {
	name := of.Name
	return func(ctx context.Context, tx storage.Tx, changes []change) (undo []outbox.Message, err error) {
		settled := map[string][]ports.Settlement{}
		causes := map[string]event.Event{}
		for _, c := range changes {
			outcome := outcomeOf(name, c.After)
			if outcome == 0 {
				continue
			}
			member := c.After.State.IDName.ID
			settled[member] = append(settled[member], ports.Settlement{Kind: kindOf(name), ID: c.After.ID, Outcome: outcome})
			causes[c.After.ID] = c.Cause
			if c.After.Status == saga.Resolved && outcome == domain.WasUndone {
				undo = append(undo, undoRest(of, c.After)...)
			}
			if err := s.endLoan(ctx, tx, name, outcome, c.After); err != nil {
				return nil, err
			}
		}
		for _, member := range slices.Sorted(maps.Keys(settled)) {
			if err := ports.Settle(ctx, &transaction{Tx: tx, sagas: s, causes: causes}, member, settled[member]); err != nil {
				return nil, err
			}
		}
		return undo, nil
	}
}

// undoRest undoes what no saga watches any more: people have ended a transaction as one
// that was not done, while a participant had done its part, or may yet do it.
func undoRest(of saga.Choreography[Transaction], i saga.Instance[Transaction]) (all []outbox.Message) {
	for _, p := range of.Participants {
		step, _ := i.Step(p.Name)
		if step.Phase != saga.StepSucceeded && step.Phase != saga.StepUnknown {
			continue
		}
		for _, m := range p.Compensation(saga.Context{}, &i.State) {
			m.Event = m.Event.InTransaction(i.CorrelationID)
			all = append(all, m)
		}
	}
	return all
}

func kindOf(name string) ports.Kind {
	return map[string]ports.Kind{rentSaga: ports.Rent, returnSaga: ports.Return, overdueSaga: ports.Clearing}[name]
}

// outcomeOf is what a saga says of its transaction, 0 where nothing yet. Where people
// ended it in its middle, the card follows who knows: the book of where it is, the
// member of points.
func outcomeOf(name string, i saga.Instance[Transaction]) domain.Outcome {
	knows := message.Book
	if name == overdueSaga {
		knows = message.Member
	}
	step, _ := i.Step(string(knows))
	switch i.Status {
	case saga.Completed:
		return domain.Succeeded
	case saga.Compensating:
		return domain.Undoing
	case saga.NeedsReview:
		if i.Turned != "" {
			return domain.Undoing
		}
	case saga.Compensated:
		if name == returnSaga && step.Phase == saga.StepUndoSkipped {
			return domain.Succeeded // the item stays where it is: not with this member
		}
		return domain.WasUndone
	case saga.Resolved:
		if step.Phase == saga.StepSucceeded {
			return domain.Succeeded
		}
		return domain.WasUndone
	}
	return 0
}

// endLoan ends the wait of a loan that is over.
func (s *Sagas) endLoan(ctx context.Context, tx storage.Tx, name string, o domain.Outcome, i saga.Instance[Transaction]) (err error) {
	switch id := i.State.RentalID; {
	case name == returnSaga && o == domain.Succeeded:
		_, err = s.loans.Answer(ctx, tx, saga.Answer[Transaction]{ID: id, Step: lentStep, Result: saga.Succeeded, Reason: "returned"})
	case name == rentSaga && o != domain.Succeeded:
		_, err = s.loans.Cancel(ctx, tx, id, "not rented")
	}
	if errors.Is(err, saga.ErrRefused) || errors.Is(err, saga.ErrNotFound) {
		return nil // it was due before
	}
	return err
}

// due notices on the cards that items are overdue.
func (s *Sagas) due(ctx context.Context, tx storage.Tx, changes []change) ([]outbox.Message, error) {
	members := map[string]bool{}
	for _, c := range changes {
		if lent, _ := c.After.Step(lentStep); c.After.Status == saga.Completed && lent.Phase == saga.StepUnknown {
			members[c.After.State.IDName.ID] = true
		}
	}
	for _, member := range slices.Sorted(maps.Keys(members)) {
		if err := ports.Look(ctx, &transaction{Tx: tx, sagas: s}, s.env.Now(), member); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
