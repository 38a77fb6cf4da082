package group

import (
	"cmp"
	"maps"
	"slices"

	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
)

// partition names a partition of a topic.
type partition struct {
	topic string
	index int32
}

func comparePartitions(a, b partition) int {
	return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.index, b.index))
}

type (
	offset        = keylog.OffsetValue
	pendingOffset = keylog.PendingValue
)

// openTxn is what one producer has pending, in all groups.
type openTxn struct {
	offsets map[keylog.OffsetKey]struct{}
	bytes   int
}

// offsetOverhead is about what an offset takes besides its strings, in bytes.
const offsetOverhead = 128

func pendingSize(key keylog.OffsetKey, o offset) int {
	return offsetOverhead + len(key.Group) + len(key.Topic) + len(o.Metadata)
}

func (g *group) key(p partition) keylog.OffsetKey {
	return keylog.OffsetKey{Group: g.id, Topic: p.topic, Partition: p.index}
}

// putPending remembers an offset of an open transaction.
func (c *Coordinator) putPending(g *group, p partition, producerID int64, o pendingOffset) {
	c.dropPendingOffset(g, p, producerID)
	txn := c.txns[producerID]
	if txn == nil {
		txn = &openTxn{offsets: map[keylog.OffsetKey]struct{}{}}
		c.txns[producerID] = txn
	}
	key := g.key(p)
	txn.offsets[key] = struct{}{}
	txn.bytes += pendingSize(key, o.OffsetValue)
	if g.pending[p] == nil {
		g.pending[p] = map[int64]pendingOffset{}
	}
	g.pending[p][producerID] = o
}

// dropPendingOffset forgets an offset of an open transaction, if there is one.
func (c *Coordinator) dropPendingOffset(g *group, p partition, producerID int64) {
	o, ok := g.pending[p][producerID]
	if !ok {
		return
	}
	if delete(g.pending[p], producerID); len(g.pending[p]) == 0 {
		delete(g.pending, p)
	}
	key, txn := g.key(p), c.txns[producerID]
	delete(txn.offsets, key)
	txn.bytes -= pendingSize(key, o.OffsetValue)
	if len(txn.offsets) == 0 {
		delete(c.txns, producerID)
	}
}

// forget removes what a group has for a partition and returns the tombstones.
func (c *Coordinator) forget(g *group, p partition) []keylog.Record {
	var records []keylog.Record
	if _, ok := g.offsets[p]; ok {
		delete(g.offsets, p)
		records = append(records, keylog.Offset(g.key(p), nil))
	}
	for _, producerID := range slices.Sorted(maps.Keys(g.pending[p])) {
		c.dropPendingOffset(g, p, producerID)
		records = append(records, keylog.Pending(keylog.PendingKey{ProducerID: producerID, OffsetKey: g.key(p)}, nil))
	}
	return records
}

// partitions are all that a group has offsets for, committed or pending, sorted.
func (g *group) partitions() []partition {
	all := slices.Collect(maps.Keys(g.offsets))
	for p := range g.pending {
		if _, ok := g.offsets[p]; !ok {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, comparePartitions)
	return all
}

// setRecords is how many records one atomic set has at most where several will do.
const setRecords = 1000

// appendSplit appends records that need not be kept together.
func (c *Coordinator) appendSplit(records []keylog.Record) {
	for set := range slices.Chunk(records, setRecords) {
		c.core.Append(set...)
	}
}

func (g *group) record() keylog.Record { return keylog.Group(g.id, g.metadata()) }
