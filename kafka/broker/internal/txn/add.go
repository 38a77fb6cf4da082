package txn

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// AddPartitions makes partitions part of a producer's transaction, which begins
// with the first, and answers nil when that is durable. It is what
// AddPartitionsToTxn does, and Produce since version 12 for the partitions that
// it writes to (KIP-890). The caller knows that the partitions exist. It waits
// for the end of the transaction before (Config.EndWait).
func (c *Coordinator) AddPartitions(id string, producerID int64, epoch int16, partitions []Partition, reply func(*kerr.Error)) {
	id = strings.Clone(id)
	add := func() {
		err := c.add(id, producerID, epoch, partitions)
		c.core.Reply(func(failed error) { reply(orFailed(err, failed)) })
	}
	c.core.Do(func() {
		if t := c.endingFor(id, claim{producerID, epoch}); t != nil {
			c.whenEnded(t, add)
		} else {
			add()
		}
	})
}

// AddGroup is AddPartitions for the offsets of a group. It is what
// AddOffsetsToTxn does, and TxnOffsetCommit since version 5.
func (c *Coordinator) AddGroup(id string, producerID int64, epoch int16, group string, reply func(*kerr.Error)) {
	c.AddPartitions(id, producerID, epoch, []Partition{groupPartition(group)}, reply)
}

// AddPartitionsToTxn answers clients, that is, versions up to 3.
func (c *Coordinator) AddPartitionsToTxn(req *kmsg.AddPartitionsToTxnRequest, reply func(*kmsg.AddPartitionsToTxnResponse)) {
	var partitions []Partition
	for _, t := range req.Topics {
		topic := strings.Clone(t.Topic)
		for _, index := range t.Partitions {
			partitions = append(partitions, Partition{topic, index})
		}
	}
	c.AddPartitions(req.TransactionalID, req.ProducerID, req.ProducerEpoch, partitions, func(err *kerr.Error) {
		resp := kmsg.NewPtrAddPartitionsToTxnResponse()
		for _, t := range req.Topics {
			topic := kmsg.NewAddPartitionsToTxnResponseTopic()
			topic.Topic = t.Topic
			for _, index := range t.Partitions {
				p := kmsg.NewAddPartitionsToTxnResponseTopicPartition()
				p.Partition, p.ErrorCode = index, code(err, req.Version, 2)
				topic.Partitions = append(topic.Partitions, p)
			}
			resp.Topics = append(resp.Topics, topic)
		}
		reply(resp)
	})
}

// AddOffsetsToTxn makes the offsets of a group part of a transaction.
func (c *Coordinator) AddOffsetsToTxn(req *kmsg.AddOffsetsToTxnRequest, reply func(*kmsg.AddOffsetsToTxnResponse)) {
	c.AddGroup(req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group, func(err *kerr.Error) {
		resp := kmsg.NewPtrAddOffsetsToTxnResponse()
		resp.ErrorCode = code(err, req.Version, 2)
		reply(resp)
	})
}

func (c *Coordinator) add(id string, producerID int64, epoch int16, partitions []Partition) *kerr.Error {
	t, err := c.find(id, producerID)
	switch {
	case err != nil:
		return err
	case t.epoch != epoch:
		return kerr.ProducerFenced
	case t.state.preparing():
		return kerr.ConcurrentTransactions
	}
	var added []Partition
	for _, p := range partitions {
		if _, ok := t.partitions[p]; !ok {
			added = append(added, p)
		}
	}
	if t.state == Ongoing && len(added) == 0 {
		return nil
	}
	if len(t.partitions)+len(added) > c.config.MaxPartitions {
		return kerr.InvalidRequest
	}
	now := c.config.Now()
	if t.state != Ongoing {
		t.state, t.started = Ongoing, now
		c.expectEnd(t)
	}
	t.updated = now
	mark := c.core.Mark() + 1 // of the set that store appends
	for _, p := range added {
		t.partitions[p] = mark
	}
	c.store(t)
	return nil
}

// Verify says whether a partition is durably part of the producer's open
// transaction. The server asks in the turn in which it appends the producer's
// records to the partition, so that the markers come after them. The errors are
// those that Produce and TxnOffsetCommit have for it: an old epoch is
// INVALID_PRODUCER_EPOCH. TRANSACTION_ABORTABLE is INVALID_TXN_STATE to Produce
// before version 11 and TxnOffsetCommit before version 4, and to Produce what
// can be retried is NOT_ENOUGH_REPLICAS: the server translates.
func (c *Coordinator) Verify(id string, producerID int64, epoch int16, p Partition) *kerr.Error {
	var err *kerr.Error
	c.core.Do(func() { err = c.verify(id, producerID, epoch, p) })
	return err
}

// VerifyGroup is Verify for the offsets of a group; it is what the coordinator
// of groups wants to know.
func (c *Coordinator) VerifyGroup(id string, producerID int64, epoch int16, group string) *kerr.Error {
	return c.Verify(id, producerID, epoch, groupPartition(group))
}

func (c *Coordinator) verify(id string, producerID int64, epoch int16, p Partition) *kerr.Error {
	t, err := c.find(id, producerID)
	switch {
	case err != nil:
		return err
	case t.epoch != epoch:
		return kerr.InvalidProducerEpoch
	case t.state.preparing():
		return kerr.ConcurrentTransactions
	}
	mark, ok := t.partitions[p]
	if t.state != Ongoing || !ok {
		return kerr.TransactionAbortable
	}
	if !c.core.Durable(mark) {
		return kerr.ConcurrentTransactions // the producer has no answer yet
	}
	return nil
}
