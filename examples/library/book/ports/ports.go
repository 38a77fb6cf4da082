// Package ports is the book service without its surroundings: what it does, and what
// it needs for that. Package adapters puts REST, messages and SQL around it.
package ports

import (
	"context"
	"errors"

	"github.com/pabal-dev/pabal/examples/library/book/domain"
)

// ErrNoBook: there is no book of that number.
var ErrNoBook = errors.New("unknown book")

// Tx is one transaction of the book service: all of it is done, or none.
type Tx interface {
	// AddBook does nothing where the number is there already.
	AddBook(ctx context.Context, b domain.Book) error
	// LockBook reads a book that nobody else changes until the transaction ends;
	// ErrNoBook.
	LockBook(ctx context.Context, no int64) (domain.Book, error)
	SaveBook(ctx context.Context, b domain.Book) error

	// AddStep says whether the transaction had none of the kind yet; otherwise nothing
	// is done.
	AddStep(ctx context.Context, s domain.Step) (bool, error)
	// LockStep reads one that is there, and that nobody else changes until the
	// transaction ends.
	LockStep(ctx context.Context, id string, kind domain.Kind) (domain.Step, error)
	SaveStep(ctx context.Context, s domain.Step) error

	// Answer tells rental what became of a step.
	Answer(ctx context.Context, s domain.Step) error
	// AnswerCancel tells it that nothing of the step is left or, where there is a
	// refusal, why that cannot be.
	AnswerCancel(ctx context.Context, s domain.Step, refusal string) error
}

// Store keeps books and steps.
type Store interface {
	// Update runs fn in a transaction, again where the database gives it up for
	// reasons of its own.
	Update(ctx context.Context, fn func(Tx) error) error
	// Book returns ErrNoBook where there is none.
	Book(ctx context.Context, no int64) (domain.Book, error)
	// NewNo is a number that no book has had.
	NewNo(ctx context.Context) (int64, error)
}
