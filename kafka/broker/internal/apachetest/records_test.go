package apachetest

import (
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func produce(acks int16, topic string, partition int32, records []byte) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrProduceRequest()
		req.Acks, req.TimeoutMillis = acks, 30_000
		t := kmsg.NewProduceRequestTopic()
		t.Topic, t.TopicID = topic, s.id(topic)
		p := kmsg.NewProduceRequestTopicPartition()
		p.Partition, p.Records = partition, records
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		return req
	}
}

func fetch(topic string, partition int32, offset int64, change ...func(*kmsg.FetchRequest)) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrFetchRequest()
		req.MaxBytes, req.MaxWaitMillis = 1<<20, 10
		t := kmsg.NewFetchRequestTopic()
		t.Topic, t.TopicID = topic, s.id(topic)
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, offset, 1<<20
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		for _, f := range change {
			f(req)
		}
		return req
	}
}

func listOffsets(topic string, partition int32, at int64, change ...func(*kmsg.ListOffsetsRequest)) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrListOffsetsRequest()
		t := kmsg.NewListOffsetsRequestTopic()
		t.Topic = topic
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = partition, at
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		for _, f := range change {
			f(req)
		}
		return req
	}
}

func epochEnd(topic string, partition, epoch int32) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrOffsetForLeaderEpochRequest()
		t := kmsg.NewOffsetForLeaderEpochRequestTopic()
		t.Topic = topic
		p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
		p.Partition, p.LeaderEpoch = partition, epoch
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		return req
	}
}

func deleteRecords(topic string, partition int32, offset int64) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrDeleteRecordsRequest()
		req.TimeoutMillis = 10_000
		t := kmsg.NewDeleteRecordsRequestTopic()
		t.Topic = topic
		p := kmsg.NewDeleteRecordsRequestTopicPartition()
		p.Partition, p.Offset = partition, offset
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		return req
	}
}

// records of three times, of which the second is the latest, changed by what follows.
func records(at time.Time, change ...func(*batch.Header)) []byte {
	h := batch.Header{ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1, LeaderEpoch: -1}
	for _, f := range change {
		f(&h)
	}
	ms := at.UnixMilli()
	return batch.Build(h,
		batch.Record{Timestamp: ms, Key: []byte("a"), Value: []byte("1")},
		batch.Record{Timestamp: ms + 20, Key: []byte("b"), Value: []byte("2")},
		batch.Record{Timestamp: ms + 10, Key: []byte("c"), Value: []byte("3")})
}

func broken(b []byte, at int) []byte {
	b[at] ^= 1
	return b
}

func idempotent(id int64, epoch int16, sequence int32) func(*batch.Header) {
	return func(h *batch.Header) { h.ProducerID, h.ProducerEpoch, h.BaseSequence = id, epoch, sequence }
}

func recordsScript() []step {
	at := time.Now().Add(-time.Minute)
	later := at.UnixMilli() + 20
	committed := func(r *kmsg.ListOffsetsRequest) { r.IsolationLevel = 1 }
	epoch := func(n int32) func(*kmsg.FetchRequest) {
		return func(r *kmsg.FetchRequest) { r.Topics[0].Partitions[0].CurrentLeaderEpoch = n }
	}
	return []step{
		{name: "create", request: create(false, topic("r-a", 2), topic("r-compact", 1, with("cleanup.policy", "compact")), topic("r-small", 1, with("max.message.bytes", "80")))},
		{name: "know ids", request: metadata(false, "r-a", "r-compact", "r-small")},
		{name: "produce", request: produce(-1, "r-a", 0, records(at))},
		{name: "produce for the leader", request: produce(1, "r-a", 0, records(at))},
		{name: "produce for nobody else", request: produce(2, "r-a", 0, records(at))},
		{name: "produce to an unknown topic", request: produce(-1, "r-none", 0, records(at))},
		{name: "produce to a partition that is not", request: produce(-1, "r-a", 9, records(at))},
		{name: "produce damage", request: produce(-1, "r-a", 0, broken(records(at), 70))},
		{name: "produce an old format", request: produce(-1, "r-a", 0, broken(records(at), 16)), differs: "the error says what is wrong"},
		{name: "produce nothing", request: produce(-1, "r-a", 0, []byte{})},
		{name: "produce two batches", request: produce(-1, "r-a", 0, append(records(at), records(at)...))},
		{name: "produce too much", request: produce(-1, "r-small", 0, records(at))},
		{name: "produce from the future", request: produce(-1, "r-a", 0, records(at.Add(3*time.Hour))), differs: "records are not named", since: 8},
		{name: "produce without keys", request: produce(-1, "r-compact", 0, batch.Build(batch.Header{ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1}, batch.Record{Timestamp: later, Value: []byte("v")}))},
		{name: "produce to an internal topic", request: produce(-1, "__consumer_offsets", 0, records(at))},
		{name: "a first sequence above 0", request: produce(-1, "r-a", 1, records(at, idempotent(777, 0, 5)))},
		{name: "a first sequence", request: produce(-1, "r-a", 1, records(at, idempotent(778, 0, 0)))},
		{name: "a sequence again", request: produce(-1, "r-a", 1, records(at, idempotent(778, 0, 0)))},
		{name: "a gap", request: produce(-1, "r-a", 1, records(at, idempotent(778, 0, 9)))},
		{name: "a later epoch", request: produce(-1, "r-a", 1, records(at, idempotent(778, 2, 0)))},
		{name: "an old epoch", request: produce(-1, "r-a", 1, records(at, idempotent(778, 1, 3)))},
		{name: "a later epoch amid", request: produce(-1, "r-a", 1, records(at, idempotent(778, 3, 3)))},
		{name: "transactional without an id", request: produce(-1, "r-a", 1, records(at, idempotent(778, 2, 3), func(h *batch.Header) { h.Attributes |= 1 << 4 }))},
		{name: "producers", request: describeProducers("r-a", 1)},

		{name: "fetch", request: fetch("r-a", 0, 0)},
		{name: "fetch the end", request: fetch("r-a", 0, 6)},
		{name: "fetch beyond", request: fetch("r-a", 0, 700)},
		{name: "fetch below", request: fetch("r-a", 0, -1)},
		{name: "fetch an unknown topic", request: fetch("r-none", 0, 0)},
		{name: "fetch a partition that is not", request: fetch("r-a", 9, 0)},
		{name: "fetch as of this epoch", request: fetch("r-a", 0, 0, epoch(0))},
		{name: "fetch as of a later epoch", request: fetch("r-a", 0, 0, epoch(7))},
		{name: "fetch as a replica", request: fetch("r-a", 0, 0, func(r *kmsg.FetchRequest) { r.ReplicaID = 5; r.ReplicaState.ID = 5 }), differs: "there are no replicas, so this is a consumer"},
		{name: "fetch in an unknown session", request: fetch("r-a", 0, 0, func(r *kmsg.FetchRequest) { r.SessionID, r.SessionEpoch = 77, 3 })},
		{name: "fetch little", request: fetch("r-a", 0, 0, func(r *kmsg.FetchRequest) { r.MaxBytes, r.Topics[0].Partitions[0].PartitionMaxBytes = 1, 1 })},

		{name: "the beginning", request: listOffsets("r-a", 0, -2)},
		{name: "the end", request: listOffsets("r-a", 0, -1)},
		{name: "the stable end", request: listOffsets("r-a", 0, -1, committed)},
		{name: "the latest time", request: listOffsets("r-a", 0, -3)},
		{name: "the local beginning", request: listOffsets("r-a", 0, -4)},
		{name: "an unknown position", request: listOffsets("r-a", 0, -99)},
		{name: "a time", request: listOffsets("r-a", 0, later)},
		{name: "a time before all", request: listOffsets("r-a", 0, 0)},
		{name: "a time after all", request: listOffsets("r-a", 0, later+1000)},
		{name: "the end of an unknown topic", request: listOffsets("r-none", 0, -1)},
		{name: "the end of a partition that is not", request: listOffsets("r-a", 9, -1)},
		{name: "the end twice", request: listOffsets("r-a", 0, -1, func(r *kmsg.ListOffsetsRequest) {
			r.Topics[0].Partitions = append(r.Topics[0].Partitions, r.Topics[0].Partitions[0])
		}), differs: "both are answered"},
		{name: "the end as of a later epoch", request: listOffsets("r-a", 0, -1, func(r *kmsg.ListOffsetsRequest) { r.Topics[0].Partitions[0].CurrentLeaderEpoch = 5 })},

		{name: "the end of an epoch", request: epochEnd("r-a", 0, 0)},
		{name: "the end of an epoch without records", request: epochEnd("r-small", 0, 0)},
		{name: "the end of a later epoch", request: epochEnd("r-a", 0, 7)},
		{name: "the end of no epoch", request: epochEnd("r-a", 0, -1)},
		{name: "the end of an epoch of an unknown topic", request: epochEnd("r-none", 0, 0)},

		{name: "delete records", request: deleteRecords("r-a", 0, 2)},
		{name: "delete them again", request: deleteRecords("r-a", 0, 1)},
		{name: "delete beyond", request: deleteRecords("r-a", 0, 700)},
		{name: "delete below", request: deleteRecords("r-a", 0, -2)},
		{name: "delete in an unknown topic", request: deleteRecords("r-none", 0, 1)},
		{name: "delete in a partition that is not", request: deleteRecords("r-a", 9, 1)},
		{name: "delete where is compacted", request: deleteRecords("r-compact", 0, -1)},
		{name: "fetch what is deleted", request: fetch("r-a", 0, 0)},
		{name: "the new beginning", request: listOffsets("r-a", 0, -2)},
		{name: "delete all records", request: deleteRecords("r-a", 0, -1)},
		{name: "end", request: deletion(named("r-a"), named("r-compact"), named("r-small"))},
	}
}
