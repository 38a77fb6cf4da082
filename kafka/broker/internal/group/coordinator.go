// Package group coordinates consumer groups with Kafka's classic protocol:
// membership and generations, committed offsets, and offsets that belong to a
// transaction until it ends.
//
// It does no I/O: records go to a log, requests are answered by callbacks, and
// time comes from a clock and Tick. Answers that tell of a change are given
// when the log holds it. A change itself is made at once, so a later request
// sees it, and its answer waits for the same records.
//
// Where the log fails, every request is answered COORDINATOR_NOT_AVAILABLE
// until the coordinator is built anew from what was kept.
package group

import (
	"log/slog"
	"math"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/coord"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Config says how a coordinator behaves. The zero value of a field is its
// default, which is Kafka's unless said otherwise.
type Config struct {
	Log coord.Log        // required
	Now func() time.Time // default time.Now
	// Wake is called when NextDeadline has come nearer. It must not block.
	Wake   func()
	Logger *slog.Logger // default: none
	// NewID makes the random part of member ids, at most 64 bytes; by default
	// an id of the kind of a UUID.
	NewID func() string

	MinSessionTimeout     time.Duration // default 6 s
	MaxSessionTimeout     time.Duration // default 30 min
	InitialRebalanceDelay time.Duration // default 3 s; negative: none
	NewMemberTimeout      time.Duration // for a join to be repeated; default 5 min

	MaxGroups        int // default 100,000; Kafka has no limit
	MaxGroupSize     int // members of one group, default 10,000; Kafka has no limit
	MaxGroupBytes    int // of member metadata, or of assignments, of one group; default 16 MiB
	MaxTxnBytes      int // of pending offsets of one transaction; default 16 MiB
	MaxSetBytes      int // of offsets that one request commits; default 16 MiB
	MaxMetadataBytes int // of one committed offset, default 4096

	OffsetsRetention time.Duration // default 7 days
	RetentionCheck   time.Duration // default 10 min

	// PartitionExists, unless nil, says which partitions offsets can be
	// committed for; others are answered UNKNOWN_TOPIC_OR_PARTITION.
	PartitionExists func(topic string, partition int32) bool
	// VerifyTxn, unless nil, says whether a transaction that durably includes
	// the group is open: nil, or the error to answer. It is called under the
	// coordinator's lock and must neither block nor call back.
	VerifyTxn func(transactionalID string, producerID int64, epoch int16, group string) *kerr.Error
}

// Coordinator is safe for concurrent use. Replay what the log holds, in order,
// then Start it, before it gets requests. Answers are given without its lock.
type Coordinator struct {
	config Config
	core   *coord.Core
	groups map[string]*group
	txns   map[int64]*openTxn
}

// Client is who sent a request. Longer strings than 255 bytes are cut.
type Client struct {
	ID, Host string
}

// New makes an empty coordinator.
func New(config Config) *Coordinator {
	setDefaults(&config)
	return &Coordinator{
		config: config, core: coord.NewCore(config.Log, config.Wake),
		groups: map[string]*group{}, txns: map[int64]*openTxn{},
	}
}

func setDefaults(c *Config) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.NewID == nil {
		c.NewID = newID
	}
	if c.InitialRebalanceDelay == 0 {
		c.InitialRebalanceDelay = 3 * time.Second
	}
	c.InitialRebalanceDelay = max(c.InitialRebalanceDelay, 0)
	orDefault(&c.MinSessionTimeout, 6*time.Second)
	orDefault(&c.MaxSessionTimeout, 30*time.Minute)
	orDefault(&c.NewMemberTimeout, 5*time.Minute)
	orDefault(&c.MaxGroups, 100_000)
	orDefault(&c.MaxGroupSize, 10_000)
	orDefault(&c.MaxGroupBytes, 16<<20)
	orDefault(&c.MaxTxnBytes, 16<<20)
	orDefault(&c.MaxSetBytes, 16<<20)
	orDefault(&c.MaxMetadataBytes, 4096)
	orDefault(&c.OffsetsRetention, 7*24*time.Hour)
	orDefault(&c.RetentionCheck, 10*time.Minute)
}

func orDefault[T int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// Tick does what is due at now: sessions and rebalances that end, offsets that
// expire.
func (c *Coordinator) Tick(now time.Time) { c.core.Tick(now) }

// NextDeadline is when Tick has something to do; false while there is nothing.
func (c *Coordinator) NextDeadline() (time.Time, bool) { return c.core.NextDeadline() }

// Err is why the log failed, nil while it has not.
func (c *Coordinator) Err() error { return c.core.Err() }

// Stop answers every waiting request with NOT_COORDINATOR. Nothing ends by time any more:
// members who were just told to ask elsewhere would be out.
func (c *Coordinator) Stop() {
	c.core.Do(func() {
		c.core.Quiet()
		for _, g := range c.groups {
			for _, m := range g.members {
				c.answerJoin(g, m, joinError(m.id, kerr.NotCoordinator))
				c.answerSync(m, syncError(kerr.NotCoordinator))
			}
		}
	})
}

// code is the code of an error, 0 for nil.
func code(err *kerr.Error) int16 {
	if err == nil {
		return 0
	}
	return err.Code
}

// checkGroupID refuses ids that nothing can be kept under.
func checkGroupID(id string) *kerr.Error {
	if len(id) > keylog.MaxString {
		return kerr.InvalidGroupID
	}
	return nil
}

// checkMembershipID is checkGroupID for requests that name a group with
// members, which cannot be the empty one.
func checkMembershipID(id string) *kerr.Error {
	if id == "" {
		return kerr.InvalidGroupID
	}
	return checkGroupID(id)
}

// groupOrNew finds a group or makes an empty one; nil if there are too many.
func (c *Coordinator) groupOrNew(id string) *group {
	if g := c.groups[id]; g != nil {
		return g
	}
	if len(c.groups) >= c.config.MaxGroups {
		return nil
	}
	g := newGroup(id, c.config.Now())
	c.groups[id] = g
	return g
}

// forgetUnused drops a group that a refused request has made.
func (c *Coordinator) forgetUnused(g *group) {
	if !g.stored && g.state == empty && len(g.members)+len(g.pendingJoin)+len(g.offsets)+len(g.pending) == 0 {
		delete(c.groups, g.id)
	}
}

// milliseconds guards against what a client sends: no negative times.
func milliseconds(ms int32) time.Duration {
	return time.Duration(max(ms, 0)) * time.Millisecond
}

// toMillis is the inverse, for records.
func toMillis(d time.Duration) int32 {
	return int32(min(d.Milliseconds(), math.MaxInt32))
}
