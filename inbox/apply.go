package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/outbox"
)

// applier runs the transactions of one claim. It keeps no state: what a
// transaction did is in its result once it has committed.
type applier struct {
	*runner
	planner    planner
	undertaker undertaker
	claim      Claim
}

// verdict is how a transaction ended.
type verdict int

const (
	committed verdict = iota
	// refused: a handler returned an error that is its message's, or what it
	// did cannot be committed (a deferred constraint, an error it swallowed).
	refused
	// transient: the database's, or one of our own statements'. To be repeated;
	// it costs no attempt.
	transient
	// fenced: the partition was claimed again.
	fenced
	// stopped: the consumer gives the work up.
	stopped
)

// result of a transaction; err is why it did not commit. The counts are valid
// where it did.
type result struct {
	verdict                   verdict
	err                       error
	handled, duplicates, dead int
}

// keepNext leaves the lane's offset and only compares the claim.
const keepNext = -1

// handle commits a plan: the offset, the marks, the effects of what was unseen,
// and what has to wait.
func (a *applier) handle(ctx context.Context, lane int, p plan) result {
	return a.transaction(ctx, func(tx Tx, out *result) (handlers bool, err error) {
		if err := tx.AdvanceInbox(ctx, a.claim, lane, p.next); err != nil {
			return false, fmt.Errorf("advance to offset %d: %w", p.next, err)
		}
		if len(p.waiting) > 0 {
			if err := tx.PutWaiting(ctx, a.claim, p.waiting); err != nil {
				return false, fmt.Errorf("put %d messages to wait: %w", len(p.waiting), err)
			}
		}
		return a.applyUnseen(ctx, tx, p, out)
	})
}

func (a *applier) applyUnseen(ctx context.Context, tx Tx, p plan, out *result) (handlers bool, err error) {
	if len(p.marks) == 0 {
		return false, nil
	}
	unseen, err := tx.MarkInbox(ctx, a.cfg.Name, p.marks)
	if err != nil {
		return false, fmt.Errorf("mark %d messages: %w", len(p.marks), err)
	}
	group := a.cfg.Groups[a.claim.Topic]
	var together []Message
	for n, i := range p.items {
		switch {
		case !unseen[n]:
			out.duplicates++
		case i.fault != nil:
			out.dead++
			letter := a.undertaker.letter(i, death{reason: i.fault.Error(), at: time.Now()})
			if err := outbox.EnqueueMessages(ctx, tx, letter); err != nil {
				return false, fmt.Errorf("dead letter of offset %d: %w", i.offset, err)
			}
		case group != nil:
			out.handled++
			together = append(together, a.message(i, 1))
		default:
			out.handled++
			if err := a.call(ctx, tx, a.message(i, 1)); err != nil {
				return true, err
			}
		}
	}
	if len(together) > 0 {
		return true, a.callGroup(ctx, tx, together)
	}
	return false, nil
}

// retry commits one more attempt of a waiting message, alone.
func (a *applier) retry(ctx context.Context, lane int, i item, attempt int) result {
	return a.transaction(ctx, func(tx Tx, out *result) (handlers bool, err error) {
		if there, err := a.takeWaiting(ctx, tx, lane, i.offset); err != nil || !there {
			return false, err
		}
		unseen, err := tx.MarkInbox(ctx, a.cfg.Name, []Mark{a.planner.mark(i)})
		if err != nil {
			return false, fmt.Errorf("mark the message at offset %d: %w", i.offset, err)
		}
		if !unseen[0] {
			out.duplicates++
			return false, nil
		}
		out.handled++
		return true, a.call(ctx, tx, a.message(i, attempt))
	})
}

// drop deletes a waiting row that has no record.
func (a *applier) drop(ctx context.Context, lane int, offset int64) result {
	return a.transaction(ctx, func(tx Tx, _ *result) (bool, error) {
		_, err := a.takeWaiting(ctx, tx, lane, offset)
		return false, err
	})
}

func (a *applier) takeWaiting(ctx context.Context, tx Tx, lane int, offset int64) (there bool, err error) {
	if err := tx.AdvanceInbox(ctx, a.claim, lane, keepNext); err != nil {
		return false, fmt.Errorf("compare the claim: %w", err)
	}
	there, err = tx.DeleteWaiting(ctx, a.claim, offset)
	if err != nil {
		return false, fmt.Errorf("take the waiting message at offset %d: %w", offset, err)
	}
	return there, nil
}

// postpone stores a message that failed alone, with the lane's next offset, or
// keepNext where it waited already.
func (a *applier) postpone(ctx context.Context, lane int, next int64, row Waiting) result {
	return a.transaction(ctx, func(tx Tx, _ *result) (bool, error) {
		if err := tx.AdvanceInbox(ctx, a.claim, lane, next); err != nil {
			return false, fmt.Errorf("advance to offset %d: %w", next, err)
		}
		if err := tx.PutWaiting(ctx, a.claim, []Waiting{row}); err != nil {
			return false, fmt.Errorf("put the message at offset %d to wait: %w", row.Offset, err)
		}
		return false, nil
	})
}

// bury makes a message a dead letter. park, where not nil, is the row that
// holds its place; waited says that it has a row in the waiting table.
func (a *applier) bury(ctx context.Context, lane int, next int64, i item, d death, park *Waiting, waited bool) result {
	return a.transaction(ctx, func(tx Tx, out *result) (bool, error) {
		if err := tx.AdvanceInbox(ctx, a.claim, lane, next); err != nil {
			return false, fmt.Errorf("advance to offset %d: %w", next, err)
		}
		if err := a.vacate(ctx, tx, i.offset, park, waited); err != nil {
			return false, fmt.Errorf("clear the place of offset %d: %w", i.offset, err)
		}
		unseen, err := tx.MarkInbox(ctx, a.cfg.Name, []Mark{a.planner.deadMark(i)})
		if err != nil || !unseen[0] {
			return false, err
		}
		out.dead = 1
		if err := outbox.EnqueueMessages(ctx, tx, a.undertaker.letter(i, d)); err != nil {
			return false, fmt.Errorf("dead letter of offset %d: %w", i.offset, err)
		}
		return false, nil
	})
}

func (a *applier) vacate(ctx context.Context, tx Tx, offset int64, park *Waiting, waited bool) error {
	if park != nil {
		return tx.PutWaiting(ctx, a.claim, []Waiting{*park})
	}
	if waited {
		_, err := tx.DeleteWaiting(ctx, a.claim, offset)
		return err
	}
	return nil
}

// advance moves a lane over records of others, or (keepNext) only compares the
// claim.
func (a *applier) advance(ctx context.Context, lane int, next int64) result {
	return a.transaction(ctx, func(tx Tx, _ *result) (bool, error) {
		return false, tx.AdvanceInbox(ctx, a.claim, lane, next)
	})
}

// advanceAll is advance for several lanes; lanes[i] is keepNext where i stays.
func (a *applier) advanceAll(ctx context.Context, lanes []int64) result {
	return a.transaction(ctx, func(tx Tx, _ *result) (bool, error) {
		for lane, next := range lanes {
			if next == keepNext {
				continue
			}
			if err := tx.AdvanceInbox(ctx, a.claim, lane, next); err != nil {
				return false, err
			}
		}
		return false, nil
	})
}

// transaction runs fn in one and says how it ended. fn reports whether its
// error is a handler's; only that, and a commit after handlers that the
// database refuses for good, can count as an attempt.
func (a *applier) transaction(ctx context.Context, fn func(Tx, *result) (handlers bool, err error)) result {
	var out result
	var blame bool
	err := a.store.Update(ctx, func(tx Tx) (err error) {
		out = result{}
		blame, err = fn(tx, &out)
		if err == nil {
			blame = out.handled > 0
		}
		return err
	})
	switch {
	case err == nil:
		return out
	case ctx.Err() != nil:
		return result{verdict: stopped, err: err}
	case blame && !a.store.Transient(err):
		return result{verdict: refused, err: err}
	case !blame && errors.Is(err, ErrFenced):
		return result{verdict: fenced, err: err}
	}
	a.counts.repeated.Add(1)
	return result{verdict: transient, err: err}
}
