package broker_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Requests that no client sends, over raw sockets: each gets the answer of Apache Kafka
// or ends its own connection, and the broker serves on.

func TestPartitionNamedTwice(t *testing.T) {
	b, _ := watched(t)
	for _, version := range []int16{3, 8, 9, 12} {
		for _, topics := range [][]string{{"t", "t"}, {"t", "u", "t"}} {
			req := kmsg.NewPtrProduceRequest()
			req.SetVersion(version)
			req.Acks = -1
			for _, topic := range topics {
				req.Topics = append(req.Topics, recordsFor(topic, sealedBatch(nil)))
			}
			resp := ask(t, b, req).(*kmsg.ProduceResponse)
			for _, topic := range resp.Topics {
				for _, p := range topic.Partitions {
					wantCode(t, "a partition named twice", p.ErrorCode, kerr.InvalidRequest)
				}
			}
			if len(resp.Topics) != len(topics) {
				t.Errorf("version %d: %d topics answered", version, len(resp.Topics))
			}
			req.Acks = 0 // asks for no answer
			if !endsAfter(t, b, framed(req)) {
				t.Errorf("version %d without acks: the connection was not closed", version)
			}
		}
	}
	stillServes(t, b)
}

// TestRecordsThatAreNone: nobody could read them, nor what comes after them.
func TestRecordsThatAreNone(t *testing.T) {
	b, _ := watched(t)
	produce(t, b, "t", "x")
	for name, spoil := range map[string]func(*kmsg.RecordBatch){
		"no records":         func(b *kmsg.RecordBatch) { b.NumRecords, b.LastOffsetDelta = 0, -1 },
		"a negative count":   func(b *kmsg.RecordBatch) { b.NumRecords, b.LastOffsetDelta = -7, -8 },
		"more than there is": func(b *kmsg.RecordBatch) { b.NumRecords, b.LastOffsetDelta = 9, 8 },
		"less than there is": func(b *kmsg.RecordBatch) { b.Records = append(b.Records, b.Records...) },
		"a length too long":  func(b *kmsg.RecordBatch) { b.Records[0] += 40 },
		"a negative length":  func(b *kmsg.RecordBatch) { b.Records[0] = 1 },
		"an endless length":  func(b *kmsg.RecordBatch) { b.Records = bytes.Repeat([]byte{0xff}, 30) },
		"gzip of noise":      compressed(1),
		"snappy of noise":    compressed(2),
		"lz4 of noise":       compressed(3),
		"zstd of noise":      compressed(4),
	} {
		req := kmsg.NewPtrProduceRequest()
		req.SetVersion(9)
		req.Acks = -1
		good := recordsFor("t", sealedBatch(nil))
		bad := recordsFor("t", sealedBatch(spoil))
		bad.Partitions[0].Partition = 1
		req.Topics = []kmsg.ProduceRequestTopic{good, bad}
		resp := ask(t, b, req).(*kmsg.ProduceResponse)
		for _, topic := range resp.Topics {
			for _, p := range topic.Partitions {
				if p.Partition == 0 {
					wantCode(t, name, p.ErrorCode, nil)
				} else if p.ErrorCode != kerr.CorruptMessage.Code && p.ErrorCode != kerr.InvalidRecord.Code {
					t.Errorf("%s: got %v", name, kerr.ErrorForCode(p.ErrorCode))
				}
			}
		}
	}
	list := kmsg.NewPtrListOffsetsRequest()
	list.SetVersion(4)
	list.ReplicaID = -1
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = "t"
	for i := range int32(2) {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = i, 1
		topic.Partitions = append(topic.Partitions, p)
	}
	list.Topics = append(list.Topics, topic)
	ask(t, b, list)
	stillServes(t, b)
}

// TestEveryCodecIsRead guards the check of records against refusing good ones.
func TestEveryCodecIsRead(t *testing.T) {
	b, _ := watched(t)
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	for name, codec := range codecs {
		client := connect(t, b, kgo.AllowAutoTopicCreation(), kgo.ProducerBatchCompression(codec))
		var records []*kgo.Record
		for range 300 {
			records = append(records, &kgo.Record{Topic: name, Key: []byte("k"), Value: []byte(strings.Repeat("v", len(records)*3))})
		}
		if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		consume(t, b, name, len(records))
	}
}

func TestTooManyPartitions(t *testing.T) {
	b, _ := watched(t)
	create := kmsg.NewPtrCreateTopicsRequest()
	create.SetVersion(5)
	for name, partitions := range map[string]int32{"good": 4, "huge": 1<<31 - 1, "../up": 1, "": 1} {
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, 1
		create.Topics = append(create.Topics, topic)
	}
	for _, topic := range ask(t, b, create).(*kmsg.CreateTopicsResponse).Topics {
		want := kerr.InvalidTopicException
		switch topic.Topic {
		case "huge":
			want = kerr.InvalidPartitions
		case "good":
			want = nil
		}
		wantCode(t, "topic "+topic.Topic, topic.ErrorCode, want)
	}
	produce(t, b, "t", "x")
	more := kmsg.NewPtrCreatePartitionsRequest()
	more.SetVersion(2)
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = "t", 1<<30
	more.Topics = append(more.Topics, topic)
	resp := ask(t, b, more).(*kmsg.CreatePartitionsResponse)
	wantCode(t, "partitions added", resp.Topics[0].ErrorCode, kerr.InvalidPartitions)
	stillServes(t, b)
}

func TestNoTopicOfAnImpossibleName(t *testing.T) {
	b, _ := watched(t)
	for _, version := range []int16{4, 9, 12} {
		req := kmsg.NewPtrMetadataRequest()
		req.SetVersion(version)
		req.AllowAutoTopicCreation = true
		for _, name := range []string{"a/b", "..", strings.Repeat("x", 250)} {
			topic := kmsg.NewMetadataRequestTopic()
			topic.Topic = &name
			req.Topics = append(req.Topics, topic)
		}
		for _, topic := range ask(t, b, req).(*kmsg.MetadataResponse).Topics {
			wantCode(t, *topic.Topic, topic.ErrorCode, kerr.InvalidTopicException)
		}
		req.Topics = nil // all there are
		if got := ask(t, b, req).(*kmsg.MetadataResponse).Topics; len(got) != 0 {
			t.Errorf("version %d: there are topics %v", version, got)
		}
	}
}

func TestMemberWithoutProtocol(t *testing.T) {
	b, _ := watched(t)
	join := kmsg.NewPtrJoinGroupRequest()
	join.SetVersion(2)
	join.Group, join.ProtocolType, join.SessionTimeoutMillis = "g", "consumer", 10_000
	resp := ask(t, b, join).(*kmsg.JoinGroupResponse)
	wantCode(t, "a member", resp.ErrorCode, kerr.InconsistentGroupProtocol)
	stillServes(t, b)
}

func TestSettingsThatCannotBe(t *testing.T) {
	b, _ := watched(t)
	produce(t, b, "t", "x")
	produce(t, b, "u", "x")
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.SetVersion(1)
	for _, r := range []struct {
		kind             kmsg.ConfigResourceType
		name, key, value string
	}{
		{kmsg.ConfigResourceTypeBroker, "7", "log.retention.ms", "1000"},
		{kmsg.ConfigResourceTypeBroker, "1", "log.cleaner.threads", "-5"},
		{kmsg.ConfigResourceTypeTopic, "t", "retention.ms", "-5"},
		{kmsg.ConfigResourceTypeTopic, "u", "no.such", "1"},
	} {
		resource := kmsg.NewIncrementalAlterConfigsRequestResource()
		resource.ResourceType, resource.ResourceName = r.kind, r.name
		config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		config.Name, config.Value = r.key, &r.value
		resource.Configs = append(resource.Configs, config)
		req.Resources = append(req.Resources, resource)
	}
	got := ask(t, b, req).(*kmsg.IncrementalAlterConfigsResponse).Resources
	wantCode(t, "another broker", got[0].ErrorCode, kerr.InvalidRequest)
	for _, r := range got[1:] {
		wantCode(t, r.ResourceName, r.ErrorCode, kerr.InvalidConfig)
	}
	stillServes(t, b)
}

// TestOnlyWhatIsServedIsOffered: a client that keeps to the answer never meets
// a closed connection.
func TestOnlyWhatIsServedIsOffered(t *testing.T) {
	b, _ := watched(t)
	for version := range int16(4) {
		req := kmsg.NewPtrApiVersionsRequest()
		req.SetVersion(version)
		req.ClientSoftwareName, req.ClientSoftwareVersion = "a", "1"
		resp := ask(t, b, req).(*kmsg.ApiVersionsResponse)
		if len(resp.ApiKeys) < 30 {
			t.Errorf("version %d: only %d requests are offered", version, len(resp.ApiKeys))
		}
		for _, k := range resp.ApiKeys {
			if key := kmsg.Key(k.ApiKey); key == kmsg.ConsumerGroupHeartbeat || key == kmsg.ShareFetch || key == kmsg.AlterClientQuotas {
				t.Errorf("version %d: %s to version %d is offered", version, key.Name(), k.MaxVersion)
			}
		}
	}
	if !endsAfter(t, b, framed(kmsg.NewPtrAlterClientQuotasRequest())) {
		t.Error("a request that is not served did not end its connection")
	}
}

func TestOneFetchIsBounded(t *testing.T) {
	b := start(t, broker.Config{Addr: "127.0.0.1:0"})
	client := connect(t, b, kgo.AllowAutoTopicCreation(), kgo.ProducerBatchCompression(kgo.NoCompression()))
	for range 40 {
		record := &kgo.Record{Topic: "big", Key: []byte("k"), Value: make([]byte, 900<<10)}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for _, version := range []int16{4, 11, 12} {
		req := kmsg.NewPtrFetchRequest()
		req.SetVersion(version)
		req.MaxBytes, req.MaxWaitMillis, req.SessionEpoch = 1<<31-1, 100, -1
		topic := kmsg.NewFetchRequestTopic()
		topic.Topic = "big"
		for i := range int32(4) {
			p := kmsg.NewFetchRequestTopicPartition()
			p.Partition, p.PartitionMaxBytes = i, 1<<31-1
			topic.Partitions = append(topic.Partitions, p)
		}
		req.Topics = append(req.Topics, topic)
		total := 0
		for _, topic := range ask(t, b, req).(*kmsg.FetchResponse).Topics {
			for _, p := range topic.Partitions {
				total += len(p.RecordBatches)
			}
		}
		if total == 0 || total > 17<<20 {
			t.Errorf("version %d: a fetch of everything brought %d bytes", version, total)
		}
	}
}

// ask sends one request and reads its answer.
func ask(t *testing.T, b *broker.Broker, req kmsg.Request) kmsg.Response {
	t.Helper()
	conn := dial(t, b)
	defer conn.Close()
	return askOn(t, conn, req)
}

func askOn(t *testing.T, conn net.Conn, req kmsg.Request) kmsg.Response {
	t.Helper()
	if _, err := conn.Write(framed(req)); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(time.Minute))
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		t.Fatalf("%T: no answer: %v", req, err)
	}
	answer := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(conn, answer); err != nil {
		t.Fatal(err)
	}
	resp := req.ResponseKind()
	begin := 4
	if resp.IsFlexible() && resp.Key() != int16(kmsg.ApiVersions) {
		begin++
	}
	if err := resp.ReadFrom(answer[begin:]); err != nil {
		t.Fatalf("%T: %v", resp, err)
	}
	return resp
}

func framed(req kmsg.Request) []byte {
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("test")).AppendRequest(nil, req, 7)
}

func wantCode(t *testing.T, what string, got int16, want *kerr.Error) {
	t.Helper()
	code := int16(0)
	if want != nil {
		code = want.Code
	}
	if got != code {
		t.Errorf("%s: got %v, want %v", what, kerr.ErrorForCode(got), want)
	}
}

func recordsFor(topic string, batch []byte) kmsg.ProduceRequestTopic {
	out := kmsg.NewProduceRequestTopic()
	out.Topic = topic
	p := kmsg.NewProduceRequestTopicPartition()
	p.Records = batch
	out.Partitions = append(out.Partitions, p)
	return out
}

func compressed(codec int16) func(*kmsg.RecordBatch) {
	return func(b *kmsg.RecordBatch) {
		b.Attributes = codec
		b.Records = bytes.Repeat([]byte{0x5a, 0xa5, 1}, 20)
	}
}

// sealedBatch holds one record, unless change does something to it. Its length
// and checksum are right.
func sealedBatch(change func(*kmsg.RecordBatch)) []byte {
	record := kmsg.NewRecord()
	record.Key, record.Value = []byte("k"), []byte("v")
	record.Length = int32(len(record.AppendTo(nil)) - 1)
	b := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, NumRecords: 1,
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
		FirstTimestamp: time.Now().UnixMilli(), MaxTimestamp: time.Now().UnixMilli(),
		Records: record.AppendTo(nil),
	}
	if change != nil {
		change(&b)
	}
	b.Length = int32(len(b.Records) + 61 - 12)
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}
