package saga

import "context"

// Operator has a person act on sagas of one name. Any Manager is one.
type Operator interface {
	// Name of the saga.
	Name() string
	// Act carries out an act in a transaction of its own, retried where the database
	// was the cause, and returns the saga after it. ErrNotFound, ErrRefused, ErrChanged.
	Act(ctx context.Context, a Act) (Record, error)
}
