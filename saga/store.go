package saga

import (
	"context"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/inbox"
)

// Errors.
var (
	// ErrConfig is wrapped by every error about a definition or a setting.
	ErrConfig = errors.New("saga configuration")
	// ErrNotFound: there is no such saga.
	ErrNotFound = errors.New("saga: not found")
	// ErrRefused: an act or a cancel makes no sense where the saga stands.
	ErrRefused = errors.New("saga: refused")
	// ErrChanged: the stored saga is of another revision than the one to replace.
	ErrChanged = errors.New("saga: changed by another")
	// ErrVersion: no definition of the instance's version is here, or it was changed
	// under running sagas.
	ErrVersion = errors.New("saga: no definition of this version")
	// ErrAnswer: what a Reply read is no answer that the definition knows.
	ErrAnswer = errors.New("saga: impossible answer")
)

// Tx is a transaction of the user's database: inbox, sagas, timers and messages
// commit together.
type Tx interface {
	inbox.Tx
	// LoadSagas reads sagas of one name and locks them until the transaction ends, in
	// the order of their ids (as bytes). Unknown ids are left out; ids may repeat.
	LoadSagas(ctx context.Context, name string, ids []string) ([]Record, error)
	// InsertSagas stores fresh sagas with their entries, and says of each whether its
	// name and id were new; where not, nothing of it is stored. It waits for another
	// transaction that inserts the same. Of two of one id the first counts.
	InsertSagas(ctx context.Context, records []Record) (inserted []bool, err error)
	// SaveSagas replaces those of Revision-1, which LoadSagas or DueSagas has locked, and
	// appends their entries; each at most once in a call. ErrChanged where one is of
	// another revision or gone: the transaction must be rolled back then.
	SaveSagas(ctx context.Context, records []Record) error
	// DueSagas locks at most limit sagas of a name whose Due is not after now, the
	// earliest first, passing over those that another transaction has locked.
	DueSagas(ctx context.Context, name string, now time.Time, limit int) ([]Record, error)
}

// Store is the database side of a Manager. T is the store's own transaction type.
type Store[T Tx] interface {
	// Update runs fn in a transaction: commit where it returns nil, rollback otherwise.
	Update(ctx context.Context, fn func(T) error) error
	Admin
}

// Admin is the part of a Store that needs no transaction of the caller.
type Admin interface {
	// NextDue is the earliest Due of a name's sagas, zero where none has one. It may be
	// earlier where timers were moved; once DueSagas was called after it, it is not.
	NextDue(ctx context.Context, name string) (time.Time, error)
	// Sagas returns those that match, the oldest Started first, without Progress and
	// State.
	Sagas(ctx context.Context, q Query) ([]Record, error)
	// Saga returns one whole, with its timeline; ErrNotFound where there is none.
	Saga(ctx context.Context, name, id string) (Record, []Entry, error)
	// SagaCounts counts by name and status.
	SagaCounts(ctx context.Context) ([]Count, error)
	// TrimSagas deletes at most limit ended sagas of a name that ended before then, the
	// oldest first, with their timelines, and returns how many.
	TrimSagas(ctx context.Context, name string, before time.Time, limit int) (int64, error)
	// Transient says of an error of Update that the database is its cause, see
	// inbox.Admin.
	Transient(err error) bool
}

// Query selects sagas. Zero fields select all.
type Query struct {
	Name string
	// ID is an exact id; CorrelationID an exact correlation id.
	ID, CorrelationID string
	Status            []Status
	// StartedBefore selects older ones.
	StartedBefore time.Time
	// After is the last one of the page before, by Started, Name and ID.
	After *Place
	// Limit is 100 where zero, at most MaxInspect.
	Limit int
}

// Place of a saga in a listing.
type Place struct {
	Started time.Time `json:"started"`
	Name    string    `json:"name"`
	ID      string    `json:"id"`
}

// MaxInspect bounds a page of Sagas.
const MaxInspect = 1000

// Count of sagas of one name in one status.
type Count struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Count  int64  `json:"count"`
	// Oldest is when the oldest of them started.
	Oldest time.Time `json:"oldest"`
}
