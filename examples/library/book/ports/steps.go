package ports

import (
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/examples/library/book/domain"
)

// Take carries out a rent or a return, at most once per business transaction, and
// answers in any case. rentalID is the rent that a return says it ends. The step's row
// comes first: whoever adds it is the one to act, everybody else answers with what
// it says.
func Take(ctx context.Context, tx Tx, asked domain.Step, rentalID string) error {
	asked = asked.Refuse("not handled") // until it is
	added, err := tx.AddStep(ctx, asked)
	if err != nil {
		return err
	}
	if !added { // a replay, or a request that its cancel had overtaken
		known, err := tx.LockStep(ctx, asked.ID, asked.Kind)
		if err != nil {
			return err
		}
		return tx.Answer(ctx, known)
	}
	after, err := act(ctx, tx, asked, rentalID)
	if err != nil {
		return err
	}
	if err := tx.SaveStep(ctx, after); err != nil {
		return err
	}
	return tx.Answer(ctx, after)
}

func act(ctx context.Context, tx Tx, s domain.Step, rentalID string) (domain.Step, error) {
	book, err := tx.LockBook(ctx, s.BookNo)
	if errors.Is(err, ErrNoBook) {
		return s.Refuse(fmt.Sprintf("unknown book %d", s.BookNo)), nil
	}
	if err != nil {
		return s, err
	}
	after, s := s.Take(book, rentalID)
	if after == book {
		return s, nil
	}
	return s, tx.SaveBook(ctx, after)
}

// Cancel undoes what a step did, once, and answers in any case. Where the step has not
// come yet, the row left behind keeps it from doing anything.
func Cancel(ctx context.Context, tx Tx, id string, kind domain.Kind) error {
	first := domain.CancelledFirst(id, kind)
	added, err := tx.AddStep(ctx, first)
	if err != nil {
		return err
	}
	if added {
		return tx.AnswerCancel(ctx, first, "")
	}
	s, err := tx.LockStep(ctx, id, kind)
	if err != nil {
		return err
	}
	refusal := ""
	if s.Status == domain.Done {
		if s, refusal, err = undo(ctx, tx, s); err != nil {
			return err
		}
	}
	return tx.AnswerCancel(ctx, s, refusal)
}

func undo(ctx context.Context, tx Tx, s domain.Step) (domain.Step, string, error) {
	book, err := tx.LockBook(ctx, s.BookNo)
	if err != nil {
		return s, "", err
	}
	after, undone, refusal := s.Undo(book)
	if after != book {
		if err := tx.SaveBook(ctx, after); err != nil {
			return s, "", err
		}
	}
	if undone != s {
		if err := tx.SaveStep(ctx, undone); err != nil {
			return s, "", err
		}
	}
	return undone, refusal, nil
}
