package outbox

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Status is where a message stands. STARTED and FAILED rows are in the outbox,
// COMPLETED ones in its history, for as long as that is kept.
type Status string

// The life cycle: STARTED -> COMPLETED | FAILED, and FAILED -> STARTED by
// Replay.
const (
	Started   Status = "STARTED"
	Completed Status = "COMPLETED"
	Failed    Status = "FAILED"
)

// Row is a message in the outbox.
type Row struct {
	Message
	// ID ascends; the rows of one key are published in its order.
	ID int64
	// Attempts counts refusals of this row by Kafka.
	Attempts int
	// NextAttempt is when a row set aside is due again, or a replayed one
	// became due; zero for a fresh row.
	NextAttempt time.Time
	// Reason is the last refusal's, "" for a row never refused.
	Reason string
	// Replay is the number of the replay request that set the row back to
	// STARTED, 0 for none.
	Replay int64
}

// Identity is what an outbox knows of itself and its surroundings.
type Identity struct {
	// Outbox is a UUID made with the tables. A copy of the database has the
	// same one, which is why System is compared.
	Outbox string
	// System identifies the database as it is now: PostgreSQL's system
	// identifier and timeline, a SQLite file's inode; "" where it cannot be told.
	System string
	// BoundSystem and BoundCluster are System and the Kafka cluster id as they
	// were when the relay was bound to them; "" before its first start.
	BoundSystem, BoundCluster string
	// Position is the copy of the last position (see Relay) whose rows are
	// known to be removed; nil before the first.
	Position []byte
}

// Lease makes one relay the active one.
type Lease struct {
	// Holder names the process, for people.
	Holder string
	// Token ascends with every acquisition, also by the same holder; the store
	// compares it in every write of the relay.
	Token int64
}

// ErrLeaseLost is returned by a write of a relay that is not the active one
// any more.
var ErrLeaseLost = errors.New("outbox: another relay holds the lease")

// Exclusion is what Pending leaves out.
type Exclusion struct {
	// Topics that are held.
	Topics []string
	// Keys that wait behind a row set aside.
	Keys []TopicKey
	// IDs of rows on their way, ascending and disjoint.
	IDs []Range
}

// Range is the ids from First to Last, both included.
type Range struct{ First, Last int64 }

// TopicKey is a key within a topic; rows with an empty key have no order among
// each other and are never excluded by key.
type TopicKey struct{ Topic, Key string }

// Horizon is a look at who may still commit rows, from which the relay finds up
// to which id the outbox is complete: see Settles.
type Horizon struct {
	// LastID is the highest id ever given, 0 before the first. A crash of the
	// database does not give it, or a lower one, again.
	LastID int64
	// Writers names the transactions that may still commit rows with ids up to
	// LastID.
	Writers []string
	// Prepared says that one of them is prepared for two-phase commit. It
	// outlives a restart of the database but may get another name there.
	Prepared bool
}

// Settles says whether h, looked at later than earlier or the same, shows that
// no row can appear any more with an id up to earlier.LastID: every writer of
// then is gone, and none waits under a name that may not be its old one.
func (h Horizon) Settles(earlier Horizon) bool {
	if h.Prepared {
		return false
	}
	return !slices.ContainsFunc(earlier.Writers, func(name string) bool { return slices.Contains(h.Writers, name) })
}

// Backlog is what an outbox holds.
type Backlog struct {
	Started   int64 `json:"started"`
	Failed    int64 `json:"failed"`
	Completed int64 `json:"completed"`
	// Oldest is when the oldest STARTED row was enqueued, zero without one.
	Oldest time.Time `json:"oldest,omitzero"`
}

// Store is the database side of a Relay and a Cleaner. Times of leases are the
// database's clock. A method may be called again after an error; it has then
// done all or nothing.
type Store interface {
	// Identity reads it. BoundSystem is compared by the caller.
	Identity(ctx context.Context) (Identity, error)
	// Bind remembers system and Kafka cluster (Identity.BoundSystem,
	// BoundCluster).
	Bind(ctx context.Context, lease Lease, system, cluster string) error
	// Renew gives the outbox a new UUID and forgets the position: what a clone
	// does to become an outbox of its own.
	Renew(ctx context.Context) error

	// AcquireLease takes the lease for ttl where it is free, has run out, or
	// is the holder's own; ok is false where another one has it.
	AcquireLease(ctx context.Context, holder string, ttl time.Duration) (lease Lease, ok bool, err error)
	// ExtendLease makes it last ttl from now; ErrLeaseLost where it is gone.
	ExtendLease(ctx context.Context, lease Lease, ttl time.Duration) error
	// ReleaseLease gives it up; no error where it is gone already.
	ReleaseLease(ctx context.Context, lease Lease) error

	// Pending returns fresh STARTED rows (never refused, never replayed) with
	// ids above the given one, in id order, without the excluded ones, at most
	// limit rows, and not more than maxBytes of payload unless the first row
	// alone exceeds it.
	Pending(ctx context.Context, above int64, except Exclusion, limit int, maxBytes int64) ([]Row, error)
	// OldestPending is the lowest id above the given one that Pending without
	// an exclusion would return; ok is false where there is none.
	OldestPending(ctx context.Context, above int64) (id int64, ok bool, err error)
	// SetAside returns the rows refused or replayed that are STARTED, in id
	// order, due or not, at most limit rows, without their headers and payload.
	SetAside(ctx context.Context, limit int) ([]Row, error)
	// Load returns the STARTED rows among those ids whole, in id order, and
	// maxBytes as in Pending.
	Load(ctx context.Context, ids []int64, maxBytes int64) ([]Row, error)
	// Horizon is described at its type.
	Horizon(ctx context.Context) (Horizon, error)

	// Complete removes published rows (to the history where keepHistory is
	// set, with status COMPLETED) and stores the copy of the position, in one
	// transaction. Ids that are not there are no error.
	Complete(ctx context.Context, lease Lease, ids []int64, position []byte, keepHistory bool) error
	// Refuse records a refusal of rows: attempts, when next, why.
	Refuse(ctx context.Context, lease Lease, refusals []Refusal) error
	// Fail marks rows FAILED that no replay request after upToReplay has set
	// back, and stores the copy of the position, in one transaction.
	Fail(ctx context.Context, lease Lease, ids []int64, upToReplay int64, position []byte) error

	// Replay sets FAILED rows back to STARTED with no attempts and a new
	// replay number, due at once: those ids, or all where none are given. It
	// returns how many.
	Replay(ctx context.Context, ids ...int64) (int64, error)
	// LastReplay is the number of the last replay request, 0 before the first.
	LastReplay(ctx context.Context) (int64, error)
	// Republish puts COMPLETED rows of the history that were published at or
	// after since back into the outbox, in their order, with new ids; their
	// event ids stay, so that consumers see duplicates. It returns how many.
	Republish(ctx context.Context, since time.Time) (int64, error)

	// TrimHistory deletes at most limit rows of the history published before
	// that time, and returns how many.
	TrimHistory(ctx context.Context, before time.Time, limit int) (int64, error)
	// Backlog counts.
	Backlog(ctx context.Context) (Backlog, error)

	// Wakeups delivers a value (coalesced, buffer of one) soon after rows were
	// committed, until ctx ends. A missed one is made good by polling. The
	// goroutine behind it ends with ctx; done is closed after.
	Wakeups(ctx context.Context) (wake <-chan struct{}, done <-chan struct{})
}

// Refusal is one row that Kafka refused.
type Refusal struct {
	ID       int64
	Attempts int
	Next     time.Time
	Reason   string
}
