package inbox

import (
	"context"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

// Partition names a partition of a topic for ever: the cluster and the topic's
// id tell a new topic of the same name from the old one.
type Partition struct {
	Cluster string `json:"cluster"`
	// TopicID is the topic's UUID as Kafka gave it, in hexadecimal.
	TopicID string `json:"topicId"`
	// Topic is its name without the tenant's prefix, for people.
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
}

// Claim is a consumer's right to a partition, and where it stands. A later
// claim fences this one.
type Claim struct {
	Consumer string
	Partition
	// Epoch ascends with every claim of this partition; every transaction
	// compares it.
	Epoch int64
	// Next has the next offset of each lane; -1 where nothing was handled yet.
	// A lane is the keys with hash%len(Next) == its index.
	Next []int64
	// Replay is the deliberate replay under way or done last.
	Replay Replay
}

// Replay lets offsets be handled again: those in [From, To) count as unseen
// unless they were marked in this generation. The zero Replay covers nothing.
type Replay struct {
	Generation int64 `json:"generation"`
	From       int64 `json:"from"`
	To         int64 `json:"to"`
}

// GenerationOf is the generation a message at that offset is marked in.
func (r Replay) GenerationOf(offset int64) int64 {
	if r.From <= offset && offset < r.To {
		return r.Generation
	}
	return 0
}

// Outcome is how a message left the inbox.
type Outcome string

// Outcomes.
const (
	Handled Outcome = "handled"
	Dead    Outcome = "dead"
)

// Mark is the inbox's row for one message.
type Mark struct {
	ID         string
	Generation int64
	Outcome    Outcome
	// Redriven marks accept a message that was marked Dead.
	Redriven bool
}

// Waiting is a message that waits for its turn: to be retried, or behind one
// of its key.
type Waiting struct {
	Offset int64
	// Key is the record's key; only messages with a key have followers.
	Key string
	// Attempts that failed; 0 for one that waits behind another.
	Attempts int
	// Next is when it is due; zero behind another.
	Next time.Time
	// Parked rows stay until Release: a dead letter's place (without a value),
	// and its followers.
	Parked bool
	// Record as it came.
	Headers   []event.Header
	Value     []byte
	Timestamp time.Time
	// Size is what the row counts against the bound on waiting bytes.
	Size int64
	// Reason is the last error, for people.
	Reason string
}

// ErrFenced is returned where another claim of the partition exists: by another
// process after a rebalance, or by a deliberate replay.
var ErrFenced = errors.New("inbox: the partition was claimed again")

// Tx is a transaction of the user's database; the messages it handles, their
// effects and the offset commit together.
type Tx interface {
	outbox.Tx
	// AdvanceInbox moves a lane's next offset, and fails with ErrFenced where
	// the claim is not the last one; it blocks later claims until the
	// transaction ends. next < 0 only checks.
	AdvanceInbox(ctx context.Context, claim Claim, lane int, next int64) error
	// MarkInbox marks messages and says of each whether it was unseen (or, for
	// a redriven one, marked Dead). Of two with one id the first counts.
	MarkInbox(ctx context.Context, consumer string, marks []Mark) (unseen []bool, err error)
	// PutWaiting inserts rows or replaces those of the same offset.
	PutWaiting(ctx context.Context, claim Claim, rows []Waiting) error
	// DeleteWaiting deletes a row and says whether it was there.
	DeleteWaiting(ctx context.Context, claim Claim, offset int64) (bool, error)
}

// Store is the database side of a Consumer and its cleaner. T is the store's
// own transaction type, which handlers get.
type Store[T Tx] interface {
	// Update runs fn in a transaction: commit where it returns nil, rollback
	// otherwise. Its error wraps fn's.
	Update(ctx context.Context, fn func(T) error) error
	Admin
}

// Admin is the part of a Store that needs no transaction of the caller.
type Admin interface {
	// Claim takes the partition from whoever has it, waiting for that one's
	// transaction to end. lanes is how many are wanted; where the stored lanes
	// are of another number and do not stand at one offset, they stay as they
	// are. A first claim has Next -1 in every lane.
	Claim(ctx context.Context, consumer string, p Partition, lanes int) (Claim, error)
	// WaitingKeys returns what waits in the partition, by offset: every row
	// without headers and value.
	WaitingKeys(ctx context.Context, claim Claim) ([]Waiting, error)
	// LoadWaiting reads one whole; ok is false where it is gone.
	LoadWaiting(ctx context.Context, claim Claim, offset int64) (w Waiting, ok bool, err error)
	// Release lets the followers of a parked key go on, and returns how many
	// rows it touched. The owner of the partition is fenced, and so notices.
	Release(ctx context.Context, consumer, topic, key string) (int64, error)
	// StartReplay sets the partition back to from, under a new generation that
	// reaches to the highest offset it had come to. The owner is fenced, and so notices.
	// Waiting rows at or after from are dropped: they come again.
	StartReplay(ctx context.Context, consumer string, p Partition, from int64) (Replay, error)
	// TrimInbox deletes at most limit marks made before that time.
	TrimInbox(ctx context.Context, before time.Time, limit int) (int64, error)
	// Transient says of an error of Update that the database, not the handler,
	// is its cause: connection lost, deadlock, serialization, failed commit,
	// database full or shutting down. Repeating may help and costs no attempt.
	Transient(err error) bool
}
