// Package ports is the member service without its surroundings: what it does, and
// what it needs for that. Package adapters puts REST, messages and SQL around it.
package ports

import (
	"context"
	"errors"

	"github.com/pabal-dev/pabal/examples/library/member/domain"
)

// Errors.
var (
	ErrNoMember = errors.New("unknown member")
	// ErrTaken: there is another member of that id.
	ErrTaken = errors.New("the id is taken")
)

// Tx is one transaction of the member service: all of it is done, or none.
type Tx interface {
	// AddMember does nothing where the number is there already; ErrTaken.
	AddMember(ctx context.Context, m domain.Member) error
	// LockMember reads a member that nobody else changes until the transaction ends;
	// ErrNoMember.
	LockMember(ctx context.Context, id string) (domain.Member, error)
	SavePoints(ctx context.Context, m domain.Member) error

	// AddEntry says whether the transaction had none of the kind yet; otherwise
	// nothing is done.
	AddEntry(ctx context.Context, e domain.Entry) (bool, error)
	// LockEntry reads one that nobody else changes until the transaction ends; found
	// is false where there is none.
	LockEntry(ctx context.Context, id string, kind domain.Kind) (e domain.Entry, found bool, err error)
	SaveEntry(ctx context.Context, e domain.Entry) error

	// Answer tells rental what became of an entry.
	Answer(ctx context.Context, e domain.Entry) error
	// AnswerCancel tells it that nothing of the entry is left or, where there is a
	// refusal, why that cannot be.
	AnswerCancel(ctx context.Context, e domain.Entry, refusal string) error
}

// Store keeps members and entries.
type Store interface {
	// Update runs fn in a transaction, again where the database gives it up for
	// reasons of its own.
	Update(ctx context.Context, fn func(Tx) error) error
	// Member returns ErrNoMember where there is none.
	Member(ctx context.Context, no int64) (domain.Member, error)
	// NewNo is a number that no member has had.
	NewNo(ctx context.Context) (int64, error)
}

// Register makes a member without points, and numbers it; ErrTaken.
func Register(ctx context.Context, s Store, m domain.Member) (domain.Member, error) {
	no, err := s.NewNo(ctx)
	if err != nil {
		return m, err
	}
	m.No, m.Points = no, 0
	return m, s.Update(ctx, func(tx Tx) error { return tx.AddMember(ctx, m) })
}
