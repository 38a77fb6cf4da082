// Package run is the runtime of stream processing: it is a member of the application's
// consumer group, turns the partitions it gets into tasks, restores their stores, has
// workers process their records, and commits.
//
// One consumer reads for the whole process; each worker has a producer, and, exactly-once,
// transactions of its own. Whatever goes wrong with a worker, there is one way back: its
// transaction is aborted by a new producer of the same id, its tasks are closed without
// a trace, restored from their changelogs, and go on at the committed offsets.
package run

import (
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Uncaught is what follows an error that no handler took.
type Uncaught int

// The policies.
const (
	ShutdownClient Uncaught = iota
	ReplaceThread
	ShutdownApplication
)

// Config of a Runtime; package streams has checked it and put the defaults in.
type Config struct {
	Topology          *plan.Topology
	ApplicationID     string
	InstanceID        string
	Kafka             kafka.Config
	StateDir          string
	ExactlyOnce       bool
	CommitInterval    time.Duration
	Workers           int
	Standbys          int
	AcceptableLag     int64
	MaxWarmups        int
	ProbeInterval     time.Duration
	CleanupDelay      time.Duration
	MaxTaskIdle       time.Duration
	IdleWindowClose   time.Duration
	MemoryBytes       int64
	CacheBytes        int64
	SessionTimeout    time.Duration
	HeartbeatInterval time.Duration
	// TransactionTimeout: the broker aborts a transaction that is older.
	TransactionTimeout time.Duration
	OnFailure          func(*plan.Failure) plan.Verdict
	// DeadLetterTopic is the full name.
	DeadLetterTopic string
	OnUncaught      func(error) Uncaught
	OnState         func(from, to State)
	Endpoint        string
	Clock           func() time.Time
	Logger          *slog.Logger
	Metrics         *metrics.Set
	// Fault is called at the points where a crash matters, for tests: an error there ends
	// the runtime as kill -9 would. nil is none.
	Fault func(p Point) error
	// Restored is called when a task's stores are filled, with the changelog records that took,
	// for tests; nil is none.
	Restored func(records int64)
	// FS is the file system of the stores, for tests; nil is the real one.
	FS vfs.FS
}

// Point is a moment within a commit.
type Point string

// The points of a commit in their order.
const (
	BeforeFlush   Point = "before the flush"
	BeforeOffsets Point = "before the offsets"
	BeforeEnd     Point = "before the end of the transaction"
	AfterEnd      Point = "after the end of the transaction"
	AfterApply    Point = "after the stores' batch"
)

// names of the application's topics.
func (c *Config) names() plan.Names {
	return plan.Names{Prefix: c.Kafka.Prefix, Application: c.ApplicationID}
}

// group is the consumer group's full name.
func (c *Config) group() string { return c.Kafka.Group(c.ApplicationID) }
