// Package txn coordinates transactions: it hands out producer ids and epochs,
// knows which partitions and offsets belong to each transaction, and ends it on
// all of them or none.
//
// A transaction is decided by one record, that of its prepared commit or abort.
// Only when that is durable are markers sent, and only when every marker is
// acknowledged is the transaction complete and may the next one begin. After a
// crash the markers of what was prepared are sent again.
//
// Like the coordinator of groups it does no I/O: see package coord. Where the
// log fails, every request is answered COORDINATOR_NOT_AVAILABLE and no marker
// is sent until the coordinator is built anew from what was kept.
package txn

import (
	"log/slog"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/coord"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Config says how a coordinator behaves. The zero value of a field is its
// default, which is Kafka's unless said otherwise.
type Config struct {
	Log     coord.Log        // required
	Markers Markers          // required
	Now     func() time.Time // default time.Now
	// Wake is called when NextDeadline has come nearer. It must not block.
	Wake   func()
	Logger *slog.Logger // default: none

	MaxTimeout      time.Duration // that a producer may ask for; default 15 min
	IDExpiration    time.Duration // of transactional ids not in use; default 7 days
	ExpirationCheck time.Duration // default 1 h
	MarkerBackoff   time.Duration // before a marker that failed is sent again; default 100 ms

	// EndWait is for how long a producer that goes on waits for the markers of its last
	// transaction, before it is told to try again; by default not at all. Apache Kafka
	// waits 100 ms.
	EndWait time.Duration

	ProducerIDBlock int64 // ids reserved with one record, default 1000
	MaxIDs          int   // transactional ids, default 1,000,000; Kafka has no limit
	MaxPartitions   int   // of one transaction, default 100,000; Kafka has no limit
}

// Markers writes the ends of transactions.
type Markers interface {
	// WriteMarker writes a marker to a target and calls done when it is durable
	// there, or with why not: it is then called again. It returns soon, and is
	// called without the coordinator's lock. A marker may come several times
	// before it is acknowledged, and after a crash again; a target that is gone
	// is acknowledged.
	WriteMarker(target Target, marker Marker, done func(error))
}

// Partition names a partition of a topic.
type Partition struct {
	Topic string
	Index int32
}

// Target is where a marker goes: to a partition, or to the offsets that the
// producer has pending in any group.
type Target struct {
	Partition Partition // unless Offsets
	Offsets   bool
}

// Marker is the end of a producer's transaction.
type Marker struct {
	ProducerID int64
	// Epoch ends what the producer wrote with epochs up to it, or, if Bumped,
	// below it, and fences lower ones.
	Epoch  int16
	Bumped bool
	Commit bool
}

// Coordinator is safe for concurrent use. Replay what the log holds, in order,
// then Start it, before it gets requests. Answers are given without its lock.
type Coordinator struct {
	config Config
	core   *coord.Core
	txns   map[string]*txn
	ids    producerIDs
}

// New makes a coordinator that knows nothing.
func New(config Config) *Coordinator {
	setDefaults(&config)
	return &Coordinator{config: config, core: coord.NewCore(config.Log, config.Wake), txns: map[string]*txn{}}
}

func setDefaults(c *Config) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	orDefault(&c.MaxTimeout, 15*time.Minute)
	orDefault(&c.IDExpiration, 7*24*time.Hour)
	orDefault(&c.ExpirationCheck, time.Hour)
	orDefault(&c.MarkerBackoff, 100*time.Millisecond)
	orDefault(&c.ProducerIDBlock, 1000)
	orDefault(&c.MaxIDs, 1_000_000)
	orDefault(&c.MaxPartitions, 100_000)
}

func orDefault[T int | int64 | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// Tick does what is due at now: transactions that take too long, ids that
// expire, markers to be sent again.
func (c *Coordinator) Tick(now time.Time) { c.core.Tick(now) }

// NextDeadline is when Tick has something to do; false while there is nothing.
func (c *Coordinator) NextDeadline() (time.Time, bool) { return c.core.NextDeadline() }

// Err is why the log failed, nil while it has not.
func (c *Coordinator) Err() error { return c.core.Err() }

// producerIDs are the ids of the block that the log has reserved.
type producerIDs struct {
	next, end int64
}

// newProducerID takes an id, and reserves the next block if this one is used
// up. Answers that tell of it wait for the reservation to be durable.
func (c *Coordinator) newProducerID() int64 {
	if c.ids.next == c.ids.end {
		c.ids.end += c.config.ProducerIDBlock
		c.core.Append(keylog.ProducerIDs(c.ids.end))
	}
	id := c.ids.next
	c.ids.next++
	return id
}

// find looks up who a request says it is from.
func (c *Coordinator) find(id string, producerID int64) (*txn, *kerr.Error) {
	if c.core.Unavailable() {
		return nil, kerr.CoordinatorNotAvailable
	}
	if id == "" {
		return nil, kerr.InvalidRequest
	}
	t := c.txns[id]
	switch {
	case t == nil:
		return nil, kerr.InvalidProducerIDMapping
	case t.awaits(producerID):
		return nil, kerr.ConcurrentTransactions
	case t.producerID != producerID:
		return nil, kerr.InvalidProducerIDMapping
	}
	return t, nil
}

// orFailed is err, unless the log failed meanwhile.
func orFailed(err *kerr.Error, failed error) *kerr.Error {
	if failed != nil {
		return kerr.CoordinatorNotAvailable
	}
	return err
}

// code is the code of an error, 0 for nil, as clients of a version know it:
// PRODUCER_FENCED came to each request with a version of it.
func code(err *kerr.Error, version, fencedSince int16) int16 {
	switch {
	case err == nil:
		return 0
	case err == kerr.ProducerFenced && version < fencedSince:
		return kerr.InvalidProducerEpoch.Code
	}
	return err.Code
}
