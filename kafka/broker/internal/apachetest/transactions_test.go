package apachetest

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// producing is what the last InitProducerID of a side gave.
func (s *side) producing(resp *kmsg.InitProducerIDResponse) {
	if resp.ErrorCode == 0 {
		s.producer, s.epoch = resp.ProducerID, resp.ProducerEpoch
		called(s.producers, "producer", s.producer)
	}
}

func initProducer(id string, timeout int32, change ...func(*side, *kmsg.InitProducerIDRequest)) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrInitProducerIDRequest()
		req.TransactionTimeoutMillis = timeout
		if id != "-" {
			req.TransactionalID = &id
		}
		for _, f := range change {
			f(s, req)
		}
		return req
	}
}

func addPartitions(id string, off int64, topic string, partitions ...int32) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrAddPartitionsToTxnRequest()
		req.TransactionalID, req.ProducerID, req.ProducerEpoch = id, s.producer+off, s.epoch
		t := kmsg.NewAddPartitionsToTxnRequestTopic()
		t.Topic, t.Partitions = topic, partitions
		req.Topics = append(req.Topics, t)
		return req
	}
}

func addOffsets(id, group string, off int64) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrAddOffsetsToTxnRequest()
		req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = id, s.producer+off, s.epoch, group
		return req
	}
}

func end(id string, commit bool, off int64, epoch int16) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrEndTxnRequest()
		req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = id, s.producer+off, s.epoch+epoch, commit
		return req
	}
}

func txnCommit(id, group, topic string, partition int32) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrTxnOffsetCommitRequest()
		req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch = id, group, s.producer, s.epoch
		req.Generation = -1
		t := kmsg.NewTxnOffsetCommitRequestTopic()
		t.Topic = topic
		p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset = partition, 4
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		return req
	}
}

func listTransactions(change func(*side, *kmsg.ListTransactionsRequest)) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrListTransactionsRequest()
		change(s, req)
		return req
	}
}

func describeTransactions(ids ...string) func(*side) kmsg.Request {
	req := kmsg.NewPtrDescribeTransactionsRequest()
	req.TransactionalIDs = ids
	return fix(req)
}

func describeProducers(topic string, partitions ...int32) func(*side) kmsg.Request {
	req := kmsg.NewPtrDescribeProducersRequest()
	t := kmsg.NewDescribeProducersRequestTopic()
	t.Topic, t.Partitions = topic, partitions
	req.Topics = append(req.Topics, t)
	return fix(req)
}

func mark(topic string, partition int32, epoch int16) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrWriteTxnMarkersRequest()
		m := kmsg.NewWriteTxnMarkersRequestMarker()
		m.ProducerID, m.ProducerEpoch = s.producer, s.epoch+epoch
		t := kmsg.NewWriteTxnMarkersRequestMarkerTopic()
		t.Topic, t.Partitions = topic, []int32{partition}
		m.Topics = append(m.Topics, t)
		req.Markers = append(req.Markers, m)
		return req
	}
}

func transactionsScript() []step {
	begin := func(id string) step {
		return step{name: "begin " + id, request: initProducer(id, 60_000)}
	}
	return []step{
		{name: "create", request: create(false, topic("x-a", 2))},
		{name: "without an id", request: initProducer("-", 60_000)},
		{name: "with an empty id", request: initProducer("", 60_000)},
		{name: "without a timeout", request: initProducer("x-none", 0)},
		{name: "with a negative timeout", request: initProducer("x-none", -1)},
		{name: "with too long a timeout", request: initProducer("x-none", 1<<30)},
		{name: "as somebody", request: initProducer("x-none", 60_000, func(_ *side, r *kmsg.InitProducerIDRequest) { r.ProducerID, r.ProducerEpoch = 99999, 3 })},
		{name: "as half of somebody", request: initProducer("x-none", 60_000, func(_ *side, r *kmsg.InitProducerIDRequest) { r.ProducerID, r.ProducerEpoch = 99999, -1 })},
		begin("x"),
		{name: "end without a transaction", request: end("x", true, 0, 0)},
		{name: "abort without a transaction", request: end("x", false, 0, 0)},
		{name: "end of an unknown id", request: end("x-unknown", true, 0, 0)},
		{name: "end of another producer", request: end("x", true, 5000, 0)},
		{name: "end of a later epoch", request: end("x", true, 0, 5)},
		{name: "end of no id", request: end("", true, 0, 0)},
		{name: "add an unknown topic", request: addPartitions("x", 0, "x-none", 0)},
		{name: "add one that is and one that is not", request: addPartitions("x", 0, "x-a", 0, 9)},
		{name: "add to an unknown id", request: addPartitions("x-unknown", 0, "x-a", 0)},
		{name: "add as another producer", request: addPartitions("x", 5000, "x-a", 0)},
		{name: "add an internal topic", request: addPartitions("x", 0, "__consumer_offsets", 0)},
		begin("x-2"),
		{name: "add", request: addPartitions("x-2", 0, "x-a", 0)},
		{name: "add again", request: addPartitions("x-2", 0, "x-a", 0, 1)},
		{name: "describe", request: describeTransactions("x-2", "x-unknown", "")},
		{name: "add offsets", request: addOffsets("x-2", "x-g", 0)},
		{name: "add offsets of no group", request: addOffsets("x-2", "", 0)},
		{name: "add offsets to an unknown id", request: addOffsets("x-unknown", "x-g", 0)},
		{name: "commit offsets", request: txnCommit("x-2", "x-g", "x-a", 0)},
		{name: "commit offsets of no partition", request: txnCommit("x-2", "x-g", "x-a", 7)},
		{name: "commit offsets of no topic", request: txnCommit("x-2", "x-g", "x-none", 0)},
		{name: "offsets are pending", request: func(s *side) kmsg.Request {
			req := offsets("x-g", "x-a", 0)(s).(*kmsg.OffsetFetchRequest)
			req.RequireStable = true
			return req
		}},
		{name: "list ongoing", request: listTransactions(func(_ *side, r *kmsg.ListTransactionsRequest) { r.StateFilters = []string{"Ongoing"} })},
		{name: "list unknown states", request: listTransactions(func(_ *side, r *kmsg.ListTransactionsRequest) { r.StateFilters = []string{"Frozen", "Empty"} })},
		{name: "list a producer", request: listTransactions(func(s *side, r *kmsg.ListTransactionsRequest) { r.ProducerIDFilters = []int64{s.producer} })},
		{name: "end", request: end("x-2", true, 0, 0)},
		begin("x-3"),
		{name: "describe a new one", request: describeTransactions("x-3")},
		begin("x-4"),
		{name: "add for abort", request: addPartitions("x-4", 0, "x-a", 0)},
		{name: "abort", request: end("x-4", false, 0, 0)},
		{name: "producers of what is not", request: describeProducers("x-a", 9)},
		{name: "producers of an unknown topic", request: describeProducers("x-none", 0)},
		{name: "mark", request: mark("x-a", 1, 0)},
		{name: "mark what is not", request: mark("x-a", 9, 0)},
		{name: "mark an unknown topic", request: mark("x-none", 0, 0)},
		{name: "mark with a later epoch", request: mark("x-a", 1, 3)},
		{name: "mark with an old epoch", request: mark("x-a", 1, 1)},
		{name: "end", request: deletion(named("x-a"))},
	}
}
