package txn

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// State is where a transactional id is, with Kafka's numbers.
type State int8

// The states. An id that is gone is not in memory, so nothing is Dead.
const (
	Empty State = iota
	Ongoing
	PrepareCommit
	PrepareAbort
	CompleteCommit
	CompleteAbort
)

// String is the state's name in ListTransactions and DescribeTransactions.
func (s State) String() string { return kmsg.TransactionState(s).String() }

func (s State) preparing() bool { return s == PrepareCommit || s == PrepareAbort }

// bumping is the version of transactions (transaction.version) whose every end
// raises the epoch (KIP-890).
const bumping = 2

// lastUsableEpoch is the highest that a producer gets: the one above it is kept
// for fencing it.
const lastUsableEpoch = math.MaxInt16 - 1

func exhausted(epoch int16) bool { return epoch >= lastUsableEpoch }

// txn is what the coordinator knows of one transactional id.
type txn struct {
	id         string
	producerID int64
	previousID int64 // -1 unless the ids were changed as epochs ran out
	nextID     int64 // -1 unless the producer has it when this transaction ends
	epoch      int16
	lastEpoch  int16 // what the epoch was raised from at the producer's own wish, else -1
	timeout    time.Duration
	state      State
	version    int16 // of transactions, by which the last one was ended
	started    time.Time
	updated    time.Time

	// partitions are those of the transaction, each with the mark of the set of
	// records that added it. Groups stand as partitions of offsetsTopic.
	partitions map[Partition]uint64

	awaited map[Target]bool // who has not acknowledged the marker
	endings uint64          // counts ends, to know late acknowledgements
	waiting []func()        // for the end
}

// awaits says whether a producer has an id already that is its own only once
// its last transaction is complete.
func (t *txn) awaits(producerID int64) bool { return t.nextID >= 0 && t.nextID == producerID }

// marker is what ends the transaction that is being prepared.
func (t *txn) marker() Marker {
	return Marker{ProducerID: t.producerID, Epoch: t.epoch, Bumped: t.version >= bumping, Commit: t.state == PrepareCommit}
}

// targets are where the markers go.
func (t *txn) targets() []Target {
	var targets []Target
	offsets := false
	for _, p := range t.sorted() {
		if p.Topic == offsetsTopic {
			offsets = true
			continue
		}
		targets = append(targets, Target{Partition: p})
	}
	if offsets {
		targets = append(targets, Target{Offsets: true})
	}
	return targets
}

func (t *txn) sorted() []Partition {
	return slices.SortedFunc(maps.Keys(t.partitions), func(a, b Partition) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Index, b.Index))
	})
}

// offsetsTopic and offsetsPartitions name a group's place as Kafka does, so that
// its tools show what they are used to.
const (
	offsetsTopic      = "__consumer_offsets"
	offsetsPartitions = 50
)

// groupPartition stands for a group in a transaction: Kafka's partition of the
// group, by Java's hash of its name.
func groupPartition(group string) Partition {
	var h int32
	for _, r := range group {
		if r > 0xffff { // two units in UTF-16
			r -= 0x10000
			h = 31*h + 0xd800 + r>>10
			r = 0xdc00 + r&0x3ff
		}
		h = 31*h + r
	}
	if h < 0 {
		h = max(-h, 0) // the lowest number has no opposite
	}
	return Partition{Topic: offsetsTopic, Index: h % offsetsPartitions}
}

// tagLastEpoch is a tag of our own in Kafka's record; others skip it.
const tagLastEpoch = 0x7001

// store appends the state of an id.
func (c *Coordinator) store(t *txn) {
	v := kmsg.NewTxnMetadataValue()
	v.ProducerID, v.PreviousProducerID, v.NextProducerID = t.producerID, t.previousID, t.nextID
	v.ProducerEpoch, v.State, v.ClientTransactionVersion = t.epoch, kmsg.TransactionState(t.state), t.version
	v.TimeoutMillis = int32(t.timeout.Milliseconds())
	v.LastUpdateTimestamp, v.StartTimestamp = t.updated.UnixMilli(), millisOrNone(t.started)
	for _, p := range t.sorted() {
		if n := len(v.Topics); n == 0 || v.Topics[n-1].Topic != p.Topic {
			topic := kmsg.NewTxnMetadataValueTopic()
			topic.Topic = p.Topic
			v.Topics = append(v.Topics, topic)
		}
		last := &v.Topics[len(v.Topics)-1]
		last.Partitions = append(last.Partitions, p.Index)
	}
	if t.lastEpoch >= 0 {
		v.UnknownTags.Set(tagLastEpoch, []byte{byte(t.lastEpoch >> 8), byte(t.lastEpoch)})
	}
	c.core.Append(keylog.Txn(t.id, &v))
}

// restored is the inverse of store.
func restored(id string, v *kmsg.TxnMetadataValue) *txn {
	t := &txn{
		id: id, producerID: v.ProducerID, previousID: v.PreviousProducerID, nextID: v.NextProducerID,
		epoch: v.ProducerEpoch, lastEpoch: -1, timeout: time.Duration(v.TimeoutMillis) * time.Millisecond,
		state: State(v.State), version: v.ClientTransactionVersion,
		updated: time.UnixMilli(v.LastUpdateTimestamp), partitions: map[Partition]uint64{},
	}
	if v.StartTimestamp >= 0 {
		t.started = time.UnixMilli(v.StartTimestamp)
	}
	for _, topic := range v.Topics {
		for _, index := range topic.Partitions {
			t.partitions[Partition{topic.Topic, index}] = 0
		}
	}
	v.UnknownTags.Each(func(tag uint32, b []byte) {
		if tag == tagLastEpoch && len(b) == 2 {
			t.lastEpoch = int16(b[0])<<8 | int16(b[1])
		}
	})
	return t
}

func millisOrNone(at time.Time) int64 {
	if at.IsZero() {
		return -1
	}
	return at.UnixMilli()
}
