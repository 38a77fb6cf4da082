package projection

import (
	"context"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
)

// Tx is a transaction of the database that keeps the offsets.
type Tx interface {
	outbox.Tx
	// SaveOffsets stores the last handled event of each entity and moves the
	// range's cursor. It fails with ErrFenced where the claim is not the last one,
	// and blocks later claims of the range until the transaction ends. A nil cursor
	// leaves it where it is.
	SaveOffsets(ctx context.Context, claim Claim, offsets []Offset, cursor journal.Cursor) error
}

// Store keeps offsets and what is known of projections. T is the store's own
// transaction type, which handlers get.
type Store[T Tx] interface {
	Update(ctx context.Context, fn func(T) error) error
	Admin
}

// Admin is the part of a Store that needs no transaction of the caller.
type Admin interface {
	// ClaimSlices takes the range from whoever has a part of it, waiting for their
	// transactions to end. What is left of ranges it cuts keeps their cursor and
	// is nobody's. Slices that have no range begin at start, which may also be
	// OnlyKnown or OnlyNew.
	ClaimSlices(ctx context.Context, projection, source string, slices journal.SliceRange, start journal.Cursor) (Claim, error)
	// Offsets loads the latest rows of the claim's slices, newest first, at most
	// limit.
	Offsets(ctx context.Context, claim Claim, limit int) ([]Offset, error)
	// OffsetsOf loads the latest rows of those persistence ids; one without has SeqNr
	// 0.
	OffsetsOf(ctx context.Context, claim Claim, persistenceIDs []string) ([]Offset, error)
	// TrimOffsets deletes rows older than that time, never the latest of a slice nor
	// one that the cursor of any range of the projection has not passed: where ranges
	// are cut anew, the one that was behind decides what is read again. It returns
	// how many.
	TrimOffsets(ctx context.Context, claim Claim, before time.Time) (int64, error)

	// Beat says that a worker of a projection is alive until ttl has passed, and
	// returns all that are, ascending by name. A ttl of 0 says goodbye.
	Beat(ctx context.Context, projection, worker string, ttl time.Duration) (workers []string, err error)

	// Paused says whether the projection is paused: any row of projection_management
	// that is, of whatever key that is not a slice range, or of one that overlaps.
	Paused(ctx context.Context, projection string, slices journal.SliceRange) (bool, error)
	// SetPaused writes the row of each range that has offsets, and that of all slices.
	SetPaused(ctx context.Context, projection string, paused bool) error
	// Projections lists what is known of all, or of one where a name is given.
	Projections(ctx context.Context, name string) ([]Stored, error)
	// Reset deletes the offsets, so that all is handled again, and fences the
	// workers. Where after is set only events after it are handled again.
	Reset(ctx context.Context, projection string, after journal.Cursor) error
	// Forget deletes everything known of a projection and fences its workers.
	Forget(ctx context.Context, projection string) error

	Transient(err error) bool
}

// OnlyKnown, as the start of a claim, claims only slices that have a range for which
// something was saved, else the error wraps ErrUnknown: so a worker neither brings
// back a projection that was just forgotten, nor begins one that is being prepared.
var OnlyKnown = journal.Cursor(`"only known"`)

// OnlyNew, as the start of a claim, claims only slices that have no range, and begins
// them at start; else the error wraps ErrKnown. Of several such claims one succeeds.
func OnlyNew(start journal.Cursor) journal.Cursor {
	return append([]byte(onlyNew), start...)
}

const onlyNew = `"only new"`

var (
	// ErrUnknown is wrapped where slices have no range, and are not to get one.
	ErrUnknown = errors.New("projection: it is not known")
	// ErrKnown is wrapped where slices have a range, and are not to be taken.
	ErrKnown = errors.New("projection: it is known already")
)

// Stored is what the database knows of a projection.
type Stored struct {
	Name   string `json:"name"`
	Source string `json:"source"`
	Paused bool   `json:"paused"`
	// Workers alive, by name.
	Workers []string      `json:"workers"`
	Ranges  []StoredRange `json:"ranges"`
	// Latest is the event's time of the newest offset, Consumed when it was
	// handled; zero before the first. Their difference is the lag Pekko's tables show.
	Latest   time.Time `json:"latest,omitzero"`
	Consumed time.Time `json:"consumed,omitzero"`
}

// StoredRange is a slice range of a projection.
type StoredRange struct {
	Slices journal.SliceRange `json:"slices"`
	Epoch  int64              `json:"epoch"`
	Cursor journal.Cursor     `json:"cursor,omitempty"`
	Saved  time.Time          `json:"saved,omitzero"`
}

// Tables copies, compares and swaps the tables of a view, for a rebuild beside
// the live one. A backend that can implements it.
type Tables interface {
	// CopyTables makes empty copies of tables, with columns, keys and indexes, under
	// the name plus suffix; what is there of an earlier try is dropped.
	CopyTables(ctx context.Context, tables []string, suffix string) error
	// DropCopies drops them.
	DropCopies(ctx context.Context, tables []string, suffix string) error
	// CompareTables counts rows that are in one only, leaving out columns named in
	// ignore; at most limit rows of each are shown as JSON.
	CompareTables(ctx context.Context, tables []string, suffix string, ignore []string, limit int) ([]Difference, error)
	// SwapTables makes the copies the live tables, in one transaction with the
	// offsets: those of projection rebuild become those of projection live, whose
	// workers are fenced. It fails with ErrBehind where the rebuild has not handled
	// what the live one has.
	SwapTables(ctx context.Context, tables []string, suffix, live, rebuild string) error
}

// Difference of a table and its copy.
type Difference struct {
	Table string `json:"table"`
	Live  int64  `json:"live"`
	Copy  int64  `json:"copy"`
	// OnlyLive and OnlyCopy count rows without an equal on the other side.
	OnlyLive int64 `json:"onlyLive"`
	OnlyCopy int64 `json:"onlyCopy"`
	// Examples of them.
	LiveRows []string `json:"liveRows,omitempty"`
	CopyRows []string `json:"copyRows,omitempty"`
}
