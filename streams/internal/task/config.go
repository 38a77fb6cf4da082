package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Spaces has the stores' bytes: *local.DB. They are restored before New.
type Spaces interface {
	Space(t local.TaskID, store string, persistent bool) (local.Space, error)
	// Renew is for stores that nothing restores.
	Renew(t local.TaskID, store string, persistent bool) (local.Space, error)
}

// Config of a Task. Its functions are called by the task's owner.
type Config struct {
	// Sub, ID and DB are required. A task of partition -1 fills a global store: it reads all
	// partitions of its topic.
	Sub *plan.Sub
	ID  plan.TaskID
	DB  Spaces
	// Names gives topics their full names; its Application is the application id.
	Names plan.Names
	// Start is where partitions begin, with the metadata that was committed. Those that are
	// left out begin anywhere, with an unknown time.
	Start []Offset
	// Producer takes outputs, changelog records and dead letters, which belong to it from
	// then on. Required. A record of Partition -1 goes where the hash of its key says.
	Producer func(*kgo.Record)
	// Partitions is the number of a topic's (full name). Required.
	Partitions func(topic string) (int32, error)
	// Globals returns the View of a global store's present contents; nil has none.
	Globals func(store string) (any, error)
	// Fail decides about failures; nil stops. A panic in it stops.
	Fail func(*plan.Failure) plan.Verdict
	// DeadLetters is the full name of the topic of dead letters. Without one, the verdict
	// DeadLetter stops.
	DeadLetters string
	// Clock is time.Now. It is read once per Process and Punctuate.
	Clock func() time.Time
	// Memory counts what queues and stores hold; nil counts nothing.
	Memory plan.Memory
	// MaxIdle and IdleWindowClose are Config.MaxTaskIdle and .IdleWindowClose of package streams.
	MaxIdle, IdleWindowClose time.Duration
	// CacheBytes is each cached store's share of Config.CacheBytes.
	CacheBytes int64
	// Context is what nodes get; nil is context.Background().
	Context context.Context
	// Logger is slog.Default().
	Logger *slog.Logger
}

// Offset is a position in an input partition, as it is committed.
type Offset struct {
	Topic     string // full name
	Partition int32
	// At is the offset of the next record to be processed.
	At int64
	// LeaderEpoch of the last processed record, -1 unknown.
	LeaderEpoch int32
	// Metadata carries the partition's time, in Kafka Streams' format.
	Metadata string
}

func (c Config) withDefaults() (Config, error) {
	var missing []error
	require := func(ok bool, name string) {
		if !ok {
			missing = append(missing, fmt.Errorf("task %d_%d: Config.%s is required", c.ID.Sub, c.ID.Partition, name))
		}
	}
	require(c.Sub != nil, "Sub")
	require(c.DB != nil, "DB")
	require(c.Producer != nil, "Producer")
	require(c.Partitions != nil, "Partitions")
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Memory == nil {
		c.Memory = uncounted{}
	}
	if c.Context == nil {
		c.Context = context.Background()
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.ID.Partition < 0 {
		c.MaxIdle = -1 // the partitions of a global store's topic come in any order
	}
	return c, errors.Join(missing...)
}

// uncounted is memory without a cap.
type uncounted struct{}

func (uncounted) Add(int64)   {}
func (uncounted) Tight() bool { return false }
