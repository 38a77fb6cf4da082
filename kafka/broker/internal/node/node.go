// Package node is what one broker holds: a data folder with topics, their settings and
// partitions, and the logs that the coordinators keep what they remember in.
package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Options of a node. FS and Dir are required.
type Options struct {
	FS         vfs.FS
	Dir        string
	Durability commit.Mode
	// Partitions of topics created without a number; default 4. num.partitions in
	// Settings goes before it.
	Partitions int
	// MaxPartitions of all topics together; default 20,000.
	MaxPartitions int
	// Settings are the broker's own, by Kafka's names (log.retention.ms, …); those
	// of topics go before them. One that is unknown or cannot be is an error.
	Settings map[string]string
	// CompactionMemory bounds the map of keys of the one compaction that runs at a
	// time; default 32 MiB. log.cleaner.dedupe.buffer.size in Settings goes before it.
	CompactionMemory int
	// MaintainEvery is how often logs are maintained; default 5 s, at most every
	// log.retention.check.interval.ms of Settings, which is how often retention is
	// looked at.
	MaintainEvery time.Duration
	Now           func() time.Time // default time.Now
	Logger        *slog.Logger     // default: none
}

// ErrClosed says that the node was closed. It is Kafka's NOT_LEADER_OR_FOLLOWER to
// clients, which ask again.
var ErrClosed = fmt.Errorf("broker is closed: %w", kerr.NotLeaderForPartition)

// ErrFailed says that a write failed after which nobody knows what the disk holds. Nothing
// is acknowledged until the folder is opened anew.
var ErrFailed = fmt.Errorf("data folder has failed: %w", kerr.KafkaStorageError)

// Node is an open data folder. All methods are safe for concurrent use.
type Node struct {
	o       Options
	lock    io.Closer
	journal *commit.Journal
	epoch   int32
	started recovered

	// cluster and secret are meta's, which do not change.
	cluster string
	secret  []byte
	// admin is held by who changes meta.
	admin   sync.Mutex
	meta    *meta
	catalog atomic.Pointer[catalog]
	current atomic.Pointer[defaults]
	keyLogs map[string]*keyLog

	closed   atomic.Bool
	failed   atomic.Pointer[error]
	told     sync.Once // that nothing more is acknowledged
	work     maintenance
	removing sync.WaitGroup
}

// recovered is what Open found.
type recovered struct {
	took     time.Duration
	journal  commit.Recovery
	warnings []string
}

// Open locks the folder and opens all that is in it. It fails with vfs.ErrLocked where
// another process has the folder. Nothing runs after an error.
func Open(ctx context.Context, o Options) (*Node, error) {
	n := &Node{o: o.withDefaults()}
	if err := n.open(ctx); err != nil {
		n.abandon()
		return nil, err
	}
	n.work.start(n)
	return n, nil
}

func (o Options) withDefaults() Options {
	if o.Partitions <= 0 {
		o.Partitions = 4
	}
	if o.MaxPartitions <= 0 {
		o.MaxPartitions = 20_000
	}
	if o.CompactionMemory <= 0 {
		o.CompactionMemory = 32 << 20
	}
	if o.MaintainEvery <= 0 {
		o.MaintainEvery = 5 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// ClusterID is random per folder, in Kafka's form.
func (n *Node) ClusterID() string { return n.cluster }

// Secret is 32 random bytes that stay with the folder.
func (n *Node) Secret() []byte { return n.secret }

// Failed is why nothing more is acknowledged, nil while all is well.
func (n *Node) Failed() error {
	if err := n.failed.Load(); err != nil {
		return *err
	}
	if err := n.journal.Failed(); err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return nil
}

// stopped is why nothing is appended or changed any more.
func (n *Node) stopped() error {
	if n.closed.Load() {
		return ErrClosed
	}
	if err := n.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// fail has nothing acknowledged from now on.
func (n *Node) fail(err error) error {
	err = fmt.Errorf("%w: %w", ErrFailed, err)
	n.failed.CompareAndSwap(nil, &err)
	n.tell(err)
	return err
}

// tell says once what to do where nothing is acknowledged any more.
func (n *Node) tell(err error) {
	n.told.Do(func() {
		n.o.Logger.Error("nothing more is acknowledged, because the disk refused a write: free space on it or replace it, then start the broker again; what was acknowledged is kept", "folder", n.o.Dir, "error", err)
	})
}

// save makes a change of meta durable. It is called with admin.
func (n *Node) save(changed *meta) error {
	if err := n.stopped(); err != nil {
		return err
	}
	err := changed.write(n.o.FS, n.o.Dir)
	if errors.Is(err, errInDoubt) {
		return n.fail(err)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", kerr.KafkaStorageError, err)
	}
	n.meta = changed
	return nil
}
