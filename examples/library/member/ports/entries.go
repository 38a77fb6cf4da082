package ports

import (
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/examples/library/member/domain"
)

// Take moves points, at most once per business transaction and kind, and answers in
// any case. The entry's row comes first: whoever adds it is the one to move them,
// everybody else answers with what it says.
func Take(ctx context.Context, tx Tx, asked domain.Entry) error {
	added, err := tx.AddEntry(ctx, asked)
	if err != nil {
		return err
	}
	if !added { // a replay, or an accrual that its cancel had overtaken
		known, _, err := tx.LockEntry(ctx, asked.ID, asked.Kind)
		if err != nil {
			return err
		}
		return tx.Answer(ctx, known)
	}
	after, err := move(ctx, tx, asked)
	if err != nil {
		return err
	}
	if after != asked {
		if err := tx.SaveEntry(ctx, after); err != nil {
			return err
		}
	}
	return tx.Answer(ctx, after)
}

func move(ctx context.Context, tx Tx, e domain.Entry) (domain.Entry, error) {
	if e.Status != domain.Done {
		return e, nil
	}
	m, err := tx.LockMember(ctx, e.Member)
	if errors.Is(err, ErrNoMember) {
		return e.Refuse(fmt.Sprintf("unknown member %s", e.Member)), nil
	}
	if err != nil {
		return e, err
	}
	after, e := e.Take(m)
	if after == m {
		return e, nil
	}
	return e, tx.SavePoints(ctx, after)
}

// Cancel undoes what an entry did, once, and answers in any case. Where the entry has
// not come yet, the row left behind keeps it from giving or taking anything: the
// cancel is not lost, though there are no points to take back yet.
func Cancel(ctx context.Context, tx Tx, id string, kind domain.Kind, member string) error {
	first := domain.CancelledFirst(id, kind, member)
	added, err := tx.AddEntry(ctx, first)
	if err != nil {
		return err
	}
	if added {
		return tx.AnswerCancel(ctx, first, "")
	}
	e, _, err := tx.LockEntry(ctx, id, kind)
	if err != nil {
		return err
	}
	refusal := ""
	if e.Status == domain.Done {
		if e, refusal, err = undo(ctx, tx, e); err != nil {
			return err
		}
	}
	return tx.AnswerCancel(ctx, e, refusal)
}

func undo(ctx context.Context, tx Tx, e domain.Entry) (domain.Entry, string, error) {
	m, err := tx.LockMember(ctx, e.Member)
	if err != nil {
		return e, "", err
	}
	after, e, refusal := e.Undo(m)
	if refusal != "" {
		return e, refusal, nil
	}
	if err := tx.SavePoints(ctx, after); err != nil {
		return e, "", err
	}
	return e, "", tx.SaveEntry(ctx, e)
}

// Use takes points that no kind of transaction is named for. Within a transaction that
// gave some, it is that one's cancel; otherwise they are taken where the member has
// them, once per message, and refused with an answer where not.
func Use(ctx context.Context, tx Tx, transaction, messageID, member string, points int64) error {
	for _, kind := range []domain.Kind{domain.Rent, domain.Return} {
		if _, found, err := tx.LockEntry(ctx, transaction, kind); err != nil {
			return err
		} else if found {
			return Cancel(ctx, tx, transaction, kind, member)
		}
	}
	return Take(ctx, tx, domain.Request(messageID, domain.Use, member, points))
}
