package library

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/internal/traffic"
)

// perform tells one story from its rent to its end.
func (t *Traffic) perform(ctx context.Context, j job) error {
	switch j.Kind {
	case UnknownBook:
		m, err := t.world.member(ctx, t)
		if err != nil {
			return err
		}
		defer t.world.giveMember(m)
		return t.mustBeUndone(ctx, j, m, book{no: unknownBook + j.Number, title: "Nobody's book"})
	case UnknownMember:
		b, err := t.world.book(ctx, t)
		if err != nil {
			return err
		}
		defer t.world.giveBook(b)
		return t.mustBeUndone(ctx, j, member{id: fmt.Sprintf("%s-nobody-%d", t.Config.Run, j.Number), name: "Nobody"}, b)
	case Contested:
		return t.contested(ctx, j)
	}
	m, err := t.memberFor(ctx, j.Kind)
	if err != nil {
		return err
	}
	b, err := t.world.book(ctx, t)
	if err != nil {
		return err
	}
	return t.lend(ctx, j, m, b)
}

// memberFor is a fresh one where the story needs one without points.
func (t *Traffic) memberFor(ctx context.Context, k traffic.Kind) (member, error) {
	if k == TooPoor {
		return t.newMember(ctx)
	}
	return t.world.member(ctx, t)
}

// unknownBook is above the number of any book.
const unknownBook = 1 << 50

func (t *Traffic) mustBeUndone(ctx context.Context, j job, m member, b book) error {
	done, err := t.rent(ctx, j, m, b)
	if err == nil && done {
		t.stats.wrong.Add(1)
	}
	return err
}

// contested: two members want one book, and one of them gets it.
func (t *Traffic) contested(ctx context.Context, j job) error {
	b, err := t.world.book(ctx, t)
	if err != nil {
		return err
	}
	var members [2]member
	for i := range members {
		if members[i], err = t.world.member(ctx, t); err != nil {
			return err
		}
	}
	var done [2]bool
	var failed [2]error
	var both sync.WaitGroup
	for i, m := range members {
		both.Go(func() { done[i], failed[i] = t.rent(ctx, j, m, b) })
	}
	both.Wait()
	if err := errors.Join(failed[:]...); err != nil {
		return err
	}
	if done[0] && done[1] {
		t.stats.wrong.Add(1)
	}
	for i, m := range members {
		if done[i] {
			if _, err := t.giveBack(ctx, m, b); err != nil {
				return err
			}
		}
		t.world.giveMember(m)
	}
	t.world.giveBook(b)
	return nil
}

// lend rents a book that is there to a member who may have it.
func (t *Traffic) lend(ctx context.Context, j job, m member, b book) error {
	if j.Kind == Twice { // one of the two gets it
		var twin error
		var both sync.WaitGroup
		both.Go(func() { _, twin = t.rent(ctx, j, m, b) })
		_, err := t.rent(ctx, j, m, b)
		both.Wait()
		if err = errors.Join(err, twin); err != nil {
			return err
		}
		return t.finish(ctx, m, b)
	}
	done, err := t.rent(ctx, j, m, b)
	if err != nil {
		return err
	}
	if !done || j.Kind == Keep {
		return nil // the member keeps the book, and the story both
	}
	if err := traffic.Wait(ctx, j.Keeps); err != nil {
		return err
	}
	if j.Kind == Return {
		return t.finish(ctx, m, b)
	}
	return t.late(ctx, j, m, b)
}

// finish returns the book; member and book are there for the next story.
func (t *Traffic) finish(ctx context.Context, m member, b book) error {
	done, err := t.giveBack(ctx, m, b)
	if err == nil && done {
		t.world.giveBook(b)
		t.world.giveMember(m)
	}
	return err
}

// late: the book is overdue; the fee is paid where the member has the points. Until then
// the member may not rent, so that the story keeps those who cannot pay.
func (t *Traffic) late(ctx context.Context, j job, m member, b book) error {
	if err := t.overdue(ctx, m, b, j.DaysLate); err != nil {
		return err
	}
	done, err := t.giveBack(ctx, m, b)
	if err != nil || !done {
		return err
	}
	t.world.giveBook(b)
	paid, err := t.clear(ctx, m, int64(j.DaysLate)*feePerDay)
	if err != nil {
		return err
	}
	if paid {
		t.world.giveMember(m)
	}
	if paid && j.Kind == TooPoor {
		t.stats.wrong.Add(1)
	}
	return nil
}

// feePerDay that a book is late, in points.
const feePerDay = 10

// ended waits for the end of a transaction, and says whether it was done.
func (t *Traffic) ended(ctx context.Context, id string) (done bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, t.GiveUp)
	defer cancel()
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		status, err := t.transaction(ctx, id)
		switch {
		case err != nil:
			return false, err
		case status == "COMPLETED":
			return true, nil
		case status == "COMPENSATED":
			return false, nil
		}
		if traffic.Wait(ctx, pause) != nil {
			return false, fmt.Errorf("transaction %s is %s after %s", id, status, t.GiveUp)
		}
	}
}
