package streams

import (
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/run"
)

// Guarantee is what holds after failures.
type Guarantee int

// The guarantees.
const (
	// ExactlyOnce: outputs, changelogs and offsets are one Kafka transaction, and stores
	// change when it is committed.
	ExactlyOnce Guarantee = iota
	// AtLeastOnce: after a failure records may be processed again.
	AtLeastOnce
)

// Verdict is what becomes of a record that failed: Stop, Skip or DeadLetter.
type Verdict = plan.Verdict

// The verdicts.
const (
	Stop       = plan.Stop
	Skip       = plan.Skip
	DeadLetter = plan.DeadLetter
)

// Failure is a record that could not be decoded, processed or produced.
type Failure = plan.Failure

// Uncaught is what follows an error that no handler took.
type Uncaught = run.Uncaught

// The policies, with Kafka Streams' names.
const (
	// ShutdownClient ends this App: Run returns the error.
	ShutdownClient = run.ShutdownClient
	// ReplaceThread starts the worker anew from what is committed.
	ReplaceThread = run.ReplaceThread
	// ShutdownApplication ends every instance with this application id.
	ShutdownApplication = run.ShutdownApplication
)

// Config of an App.
type Config struct {
	// ApplicationID is the consumer group, and begins the names of internal topics,
	// transactional ids and the folder of the stores. Required.
	ApplicationID string
	Kafka         kafka.Config
	// InstanceID makes the process a static member of the group: one that is back within
	// SessionTimeout keeps its tasks without a rebalance. Each process needs its own.
	// "" is dynamic.
	InstanceID string
	// StateDir holds the stores of all applications, each in a folder of its id. One
	// process at a time uses it. "" is pabal-streams in the user's cache folder.
	StateDir  string
	Guarantee Guarantee
	// CommitInterval is 100 ms; 10 ms where latency counts; at least 1 ms.
	CommitInterval time.Duration
	// Workers process tasks in parallel, each with a producer of its own. 0 is GOMAXPROCS.
	Workers int
	// Standbys are copies of each store kept on other instances. 0 is none.
	Standbys int
	// AcceptableRecoveryLag is how many changelog records an instance may lack to take over
	// a task at once; others warm up first. 0 is 10,000.
	AcceptableRecoveryLag int64
	// MaxWarmups at a time in the group; 0 is 2. ProbeInterval is how often it is looked
	// whether they are done; 0 is 10 min.
	MaxWarmups    int
	ProbeInterval time.Duration
	// CleanupDelay is after how long the stores of a task that moved to another instance are
	// dropped here; one that comes back before reads only what is new. 0 is 10 min.
	CleanupDelay time.Duration
	// MaxTaskIdle is for how long a task with several inputs waits for records of one that the
	// broker has none of; 0 does not wait, negative does not even wait for what the broker
	// has.
	MaxTaskIdle time.Duration
	// IdleWindowClose lets stream time follow the wall clock after this long without a
	// record, so that windows close. 0 is never.
	IdleWindowClose time.Duration
	// MemoryBytes is the cap of everything this App holds: records read and not processed (3/16),
	// those produced and not acknowledged (1/16), changelogs being restored (1/16), caches
	// and buffers of stores on disk (4/16), and stores in memory, changes not committed and
	// decoded values (7/16). Stores in memory cannot be made smaller: where they exceed that,
	// App.Health says so. Go's collector wants room beside it, see GOGC. 0 is 128 MiB; at least
	// 32 MiB.
	MemoryBytes int64
	// CacheBytes of MemoryBytes keep records of tables back until a commit, so that
	// several changes of a key leave as one. 0 is none.
	CacheBytes int64
	// SessionTimeout is 45 s, HeartbeatInterval 3 s (0).
	SessionTimeout, HeartbeatInterval time.Duration
	// TransactionTimeout is after how long the broker aborts a transaction: what a worker does
	// between two commits, and the commit, have to fit into it. While a transaction of a process
	// that died is open, readers of committed records wait. 0 is 10 s; longer than CommitInterval.
	TransactionTimeout time.Duration
	// OnFailure decides about records that fail; nil stops.
	OnFailure func(*Failure) Verdict
	// DeadLetterTopic (local name) takes what OnFailure sends there. "" is the application id
	// and "-dead-letters".
	DeadLetterTopic string
	// OnUncaught decides about what nothing else took; nil is ShutdownClient.
	OnUncaught func(error) Uncaught
	// OnState is called with each change of App.State, in order, by one goroutine.
	OnState func(from, to State)
	// Endpoint is the base URL where other instances reach App.Handler, for queries of keys
	// they do not hold, for example http://10.0.0.7:8080/streams. "" is not reached.
	Endpoint string
	// Clock is time.Now.
	Clock  func() time.Time
	Logger *slog.Logger
	// Metrics gets counters and gauges, of Apps with the same ApplicationID in one process
	// those of the last; nil is none. See docs/streams.md.
	Metrics *metrics.Set
}

// State of an App.
type State = run.State

// The states, as in Kafka Streams.
const (
	Created         = run.Created
	Rebalancing     = run.Rebalancing
	Running         = run.Running
	PendingShutdown = run.PendingShutdown
	NotRunning      = run.NotRunning
	PendingError    = run.PendingError
	Errored         = run.Errored
)
