package group

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TxnOffsetCommit keeps offsets that count once their transaction commits. The
// group must be part of the transaction, durably, before: with AddOffsetsToTxn,
// or, since version 5, because the server adds it.
func (c *Coordinator) TxnOffsetCommit(req *kmsg.TxnOffsetCommitRequest, reply func(*kmsg.TxnOffsetCommitResponse)) {
	c.core.Do(func() {
		resp := txnCommitResponse(req)
		if g, err := c.txnGroup(req); err != nil {
			failTxnCommit(resp, err)
		} else {
			c.commitPending(g, req, resp)
			c.forgetUnused(g)
		}
		c.core.Reply(func(err error) {
			if err != nil {
				failTxnCommit(resp, kerr.CoordinatorNotAvailable)
			}
			reply(resp)
		})
	})
}

func txnCommitResponse(req *kmsg.TxnOffsetCommitRequest) *kmsg.TxnOffsetCommitResponse {
	resp := kmsg.NewPtrTxnOffsetCommitResponse()
	for _, topic := range req.Topics {
		t := kmsg.NewTxnOffsetCommitResponseTopic()
		t.Topic = topic.Topic
		for _, p := range topic.Partitions {
			answer := kmsg.NewTxnOffsetCommitResponseTopicPartition()
			answer.Partition = p.Partition
			t.Partitions = append(t.Partitions, answer)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp
}

func failTxnCommit(resp *kmsg.TxnOffsetCommitResponse, err *kerr.Error) {
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			resp.Topics[i].Partitions[j].ErrorCode = err.Code
		}
	}
}

// txnGroup checks that producer and member may commit. The transaction is
// looked at under the group's lock, so that its markers come after this.
func (c *Coordinator) txnGroup(req *kmsg.TxnOffsetCommitRequest) (*group, *kerr.Error) {
	if err := checkMembershipID(req.Group); err != nil {
		return nil, err
	}
	if req.ProducerID < 0 || req.ProducerEpoch < 0 {
		return nil, kerr.InvalidProducerIDMapping
	}
	if c.config.VerifyTxn != nil {
		err := c.config.VerifyTxn(req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group)
		if err == kerr.TransactionAbortable && req.Version < 4 {
			err = kerr.InvalidTxnState // what older clients know
		}
		if err != nil {
			return nil, err
		}
	}
	by := committer{generation: -1, txn: true}
	if req.Version >= 3 {
		by.member, by.instance, by.generation = req.MemberID, req.InstanceID, req.Generation
	}
	return c.committingGroup(req.Group, by, req.Version)
}

func (c *Coordinator) commitPending(g *group, req *kmsg.TxnOffsetCommitRequest, resp *kmsg.TxnOffsetCommitResponse) {
	now := c.config.Now()
	var records []keylog.Record
	bytes := 0
	for i, topic := range req.Topics {
		name := strings.Clone(topic.Topic)
		for j, p := range topic.Partitions {
			at := partition{name, p.Partition}
			o := pendingOffset{ProducerEpoch: req.ProducerEpoch, OffsetValue: newOffset(p.Offset, p.LeaderEpoch, p.Metadata, now)}
			if req.Version < 2 {
				o.LeaderEpoch = -1
			}
			key := g.key(at)
			err := cmp.Or(c.checkOffset(name, p.Partition, p.Metadata), c.checkRoom(key, req.ProducerID, o))
			if err == nil {
				err = c.checkSet(&bytes, key, o.OffsetValue)
			}
			resp.Topics[i].Partitions[j].ErrorCode = code(err)
			if err != nil {
				continue
			}
			c.putPending(g, at, req.ProducerID, o)
			records = append(records, keylog.Pending(keylog.PendingKey{ProducerID: req.ProducerID, OffsetKey: key}, &o))
		}
	}
	c.core.Append(records...)
}

// checkRoom bounds what one transaction holds, as it ends in one set of records.
func (c *Coordinator) checkRoom(key keylog.OffsetKey, producerID int64, o pendingOffset) *kerr.Error {
	if txn := c.txns[producerID]; txn != nil && txn.bytes+pendingSize(key, o.OffsetValue) > c.config.MaxTxnBytes {
		return kerr.InvalidCommitOffsetSize
	}
	return nil
}

// Marker ends a producer's transaction.
type Marker struct {
	ProducerID int64
	// Epoch ends what epochs up to it have pending, or, if Bumped, epochs below
	// it: a transaction may be ended with an epoch above its own, which its
	// successor has then (KIP-890).
	Epoch  int16
	Bumped bool
	Commit bool
}

// EndTxn makes the offsets of a transaction count, or drops them, in all groups
// at once, and calls done when that is durable. It may be repeated any number
// of times.
func (c *Coordinator) EndTxn(m Marker, done func(error)) {
	c.core.Do(func() {
		if c.core.Failed() == nil {
			c.end(m)
		}
		c.core.Reply(done)
	})
}

func (c *Coordinator) end(m Marker) {
	txn := c.txns[m.ProducerID]
	if txn == nil {
		return
	}
	var records []keylog.Record
	for _, key := range slices.SortedFunc(maps.Keys(txn.offsets), compareKeys) {
		g, at := c.groups[key.Group], partition{key.Topic, key.Partition}
		o := g.pending[at][m.ProducerID]
		if o.ProducerEpoch > m.Epoch || m.Bumped && o.ProducerEpoch == m.Epoch {
			continue
		}
		c.dropPendingOffset(g, at, m.ProducerID)
		if m.Commit {
			g.offsets[at] = o.OffsetValue
			records = append(records, keylog.Offset(key, &o.OffsetValue))
		}
		records = append(records, keylog.Pending(keylog.PendingKey{ProducerID: m.ProducerID, OffsetKey: key}, nil))
	}
	c.core.Append(records...)
}

func compareKeys(a, b keylog.OffsetKey) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}
