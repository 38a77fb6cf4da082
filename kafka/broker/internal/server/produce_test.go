package server_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestClientsProduceAndConsume(t *testing.T) {
	s := serve(t)
	s.create("t", 3, nil)
	for _, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
		producer := s.client(kgo.ProducerBatchCompression(codec), kgo.DefaultProduceTopic("t"))
		var records []*kgo.Record
		for i := range 300 {
			records = append(records, kgo.KeyStringRecord(fmt.Sprint(i), fmt.Sprintf("value %d %s", i, bytes.Repeat([]byte("x"), i))))
		}
		if err := producer.ProduceSync(soon(t), records...).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for _, isolation := range []kgo.IsolationLevel{kgo.ReadUncommitted(), kgo.ReadCommitted()} {
		consumer := s.client(kgo.ConsumeTopics("t"), kgo.FetchIsolationLevel(isolation))
		seen := 0
		for seen < 1500 {
			fetches := consumer.PollFetches(soon(t))
			if err := fetches.Err(); err != nil {
				t.Fatal(err)
			}
			fetches.EachRecord(func(r *kgo.Record) { seen++ })
		}
	}
}

func TestProduceAnswers(t *testing.T) {
	s := serve(t)
	topic := s.create("t", 2, nil)
	c := s.dial()
	for version := int16(3); version <= 13; version++ {
		req := produceTo(version, "t", recordsOf(2), recordsOf(1))
		req.Topics[0].TopicID = topic.ID
		resp := c.ask(req).(*kmsg.ProduceResponse)
		if version < 13 && resp.Topics[0].Topic != "t" || version >= 13 && resp.Topics[0].TopicID != topic.ID {
			t.Fatalf("version %d: %+v", version, resp.Topics[0])
		}
		for i, p := range resp.Topics[0].Partitions {
			wantError(t, "produce", p.ErrorCode, nil)
			if want := int64(version-3) * int64(2-i); p.Partition != int32(i) || p.BaseOffset != want || p.LogAppendTime != -1 || version >= 5 && p.LogStartOffset != 0 {
				t.Errorf("version %d: %+v, want offset %d", version, p, want)
			}
		}
	}
}

func TestLogAppendTime(t *testing.T) {
	s := serve(t)
	s.create("t", 1, map[string]string{"message.timestamp.type": "LogAppendTime"})
	before := time.Now().UnixMilli()
	p := s.dial().produce(produceTo(9, "t", recordsOf(1)))
	if wantError(t, "produce", p.ErrorCode, nil); p.LogAppendTime < before {
		t.Errorf("appended at %d, it was %d before", p.LogAppendTime, before)
	}
}

func TestWhatIsNotAppended(t *testing.T) {
	s := serve(t)
	s.create("t", 1, map[string]string{"max.message.bytes": "1000"})
	s.create("keys", 1, map[string]string{"cleanup.policy": "compact"})
	c := s.dial()
	flipped := recordsOf(1)
	flipped[len(flipped)-1] ^= 1
	old := recordsOf(1)
	old[16] = 1
	noKey := batch.Build(unsequenced, batch.Record{Timestamp: time.Now().UnixMilli(), Value: []byte("v")})
	ahead := batch.Build(unsequenced, batch.Record{Timestamp: time.Now().Add(48 * time.Hour).UnixMilli(), Value: []byte("v")})
	large := batch.Build(unsequenced, batch.Record{Timestamp: time.Now().UnixMilli(), Value: make([]byte, 1001)})
	transactional := batch.Build(batch.Header{Attributes: 0x10, ProducerID: 1, BaseSequence: 0}, batch.Record{Timestamp: time.Now().UnixMilli()})
	for name, one := range map[string]struct {
		topic   string
		records []byte
		want    *kerr.Error
	}{
		"no topic":               {"nowhere", recordsOf(1), kerr.UnknownTopicOrPartition},
		"internal topic":         {"__consumer_offsets", recordsOf(1), kerr.UnknownTopicOrPartition},
		"hidden topic":           {"__pabal_security", recordsOf(1), kerr.UnknownTopicOrPartition},
		"too large":              {"t", large, kerr.MessageTooLarge},
		"wrong CRC":              {"t", flipped, kerr.CorruptMessage},
		"cut":                    {"t", recordsOf(1)[:50], kerr.CorruptMessage},
		"nothing":                {"t", nil, kerr.InvalidRecord},
		"two batches":            {"t", append(recordsOf(1), recordsOf(1)...), kerr.InvalidRecord},
		"old format":             {"t", old, kerr.InvalidRecord},
		"no key":                 {"keys", noKey, kerr.InvalidRecord},
		"of the future":          {"t", ahead, kerr.InvalidTimestamp},
		"marker":                 {"t", batch.Marker{ProducerID: 1}.Batch(1), kerr.InvalidRecord},
		"transactional, no id":   {"t", transactional, kerr.TransactionalIDAuthorizationFailed},
		"sequence from the blue": {"t", batch.Build(batch.Header{ProducerID: 7, BaseSequence: -1}, batch.Record{}), kerr.InvalidRecord},
	} {
		p := c.produce(produceTo(9, one.topic, one.records))
		wantError(t, name, p.ErrorCode, one.want)
		if p.BaseOffset != -1 || p.ErrorMessage == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
	p := c.produce(produceTo(9, "keys", noKey))
	if len(p.ErrorRecords) != 1 || p.ErrorRecords[0].RelativeOffset != 0 {
		t.Errorf("the record to blame is not named: %+v", p)
	}
	if next := s.node.Topic("t").Partition(0).Log().Offsets().Next; next != 0 {
		t.Errorf("%d were appended", next)
	}
}

func TestAcks(t *testing.T) {
	s := serve(t)
	s.create("t", 1, nil)
	c := s.dial()
	for _, acks := range []int16{-1, 1, 2, -2} {
		req := produceTo(9, "t", recordsOf(1))
		req.Acks = acks
		want := kerr.InvalidRequiredAcks
		if acks == 1 || acks == -1 {
			want = nil
		}
		wantError(t, fmt.Sprintf("acks %d", acks), c.produce(req).ErrorCode, want)
	}
	silent := produceTo(9, "t", recordsOf(1))
	silent.Acks = 0
	c.send(silent)
	if p := c.produce(produceTo(9, "t", recordsOf(1))); p.BaseOffset != 3 {
		t.Errorf("the one without an answer was not appended: %+v", p)
	}
	wrong := produceTo(9, "nowhere", recordsOf(1))
	wrong.Acks = 0
	c.send(wrong)
	if err := c.receive(wrong.ResponseKind()); err != io.EOF {
		t.Errorf("a failure without an answer must end the connection: %v", err)
	}
}

func TestPartitionNamedTwice(t *testing.T) {
	s := serve(t)
	topic := s.create("t", 2, nil)
	for _, version := range []int16{3, 9, 13} {
		req := produceTo(version, "t", recordsOf(1), recordsOf(1))
		req.Topics[0].TopicID = topic.ID
		req.Topics[0].Partitions[1].Partition = 0
		for _, p := range s.dial().ask(req).(*kmsg.ProduceResponse).Topics[0].Partitions {
			wantError(t, "named twice", p.ErrorCode, kerr.InvalidRequest)
		}
	}
	if next := topic.Partition(0).Log().Offsets().Next; next != 0 {
		t.Errorf("%d were appended", next)
	}
}

// TestSequences: retries are answered as the first time, gaps and old epochs are not
// appended.
func TestSequences(t *testing.T) {
	s := serve(t)
	s.create("t", 1, nil)
	c := s.dial()
	of := func(epoch int16, sequence int32) *kmsg.ProduceRequest {
		h := batch.Header{ProducerID: 5, ProducerEpoch: epoch, BaseSequence: sequence}
		return produceTo(9, "t", batch.Build(h, batch.Record{Timestamp: time.Now().UnixMilli()}))
	}
	for i, one := range []struct {
		req    *kmsg.ProduceRequest
		offset int64
		want   *kerr.Error
	}{
		{of(3, 0), 0, nil}, {of(3, 1), 1, nil}, {of(3, 0), 0, nil}, {of(3, 5), -1, kerr.OutOfOrderSequenceNumber},
		{of(2, 2), -1, kerr.InvalidProducerEpoch}, {of(4, 0), 2, nil}, {of(3, 2), -1, kerr.InvalidProducerEpoch},
	} {
		p := c.produce(one.req)
		wantError(t, fmt.Sprint("request ", i), p.ErrorCode, one.want)
		if p.BaseOffset != one.offset {
			t.Errorf("request %d: offset %d, want %d", i, p.BaseOffset, one.offset)
		}
	}
}
