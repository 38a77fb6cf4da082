package server_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetchOf asks for partitions of a topic from offsets, without waiting.
func fetchOf(version int16, topic *node.Topic, offsets ...int64) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MinBytes, req.MaxBytes = version, 1, 1<<20
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID = topic.Name, topic.ID
	for i, offset := range offsets {
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset, p.PartitionMaxBytes = int32(i), offset, 1<<20
		t.Partitions = append(t.Partitions, p)
	}
	req.Topics = append(req.Topics, t)
	return req
}

func (c *rawConn) fetch(req *kmsg.FetchRequest) *kmsg.FetchResponse {
	c.t.Helper()
	return c.ask(req).(*kmsg.FetchResponse)
}

// found is one partition of an answer.
func found(t testing.TB, resp *kmsg.FetchResponse, index int32) kmsg.FetchResponseTopicPartition {
	t.Helper()
	for _, topic := range resp.Topics {
		for _, p := range topic.Partitions {
			if p.Partition == index {
				return p
			}
		}
	}
	t.Fatalf("partition %d is not in %+v", index, resp)
	return kmsg.FetchResponseTopicPartition{}
}

func TestFetchAnswers(t *testing.T) {
	s := serve(t)
	topic := s.create("t", 3, nil)
	c := s.dial()
	first, second := recordsOf(3), recordsOf(2)
	c.ask(produceTo(9, "t", bytes.Clone(first), bytes.Clone(second)))
	c.ask(produceTo(9, "t", bytes.Clone(second)))
	for version := int16(4); version <= 17; version++ {
		for _, isolation := range []int8{0, 1} {
			req := fetchOf(version, topic, 0, 0, 0)
			req.IsolationLevel = isolation
			resp := c.fetch(req)
			if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 3 || resp.ErrorCode != 0 || resp.SessionID != 0 {
				t.Fatalf("version %d: %+v", version, resp)
			}
			for i, want := range []int{len(first) + len(second), len(second), 0} {
				p := resp.Topics[0].Partitions[i]
				next := []int64{5, 2, 0}[i]
				if p.Partition != int32(i) || p.ErrorCode != 0 || len(p.RecordBatches) != want || p.HighWatermark != next || p.LastStableOffset != next || version >= 5 && p.LogStartOffset != 0 {
					t.Errorf("version %d: %+v", version, p)
				}
				if committed := isolation == 1; committed != (p.AbortedTransactions != nil) {
					t.Errorf("version %d, isolation %d: aborted transactions %v", version, isolation, p.AbortedTransactions)
				}
			}
			h, err := batch.Verify(resp.Topics[0].Partitions[0].RecordBatches)
			if err != nil || h.BaseOffset != 0 || h.Count != 3 {
				t.Errorf("version %d: %+v, %v", version, h, err)
			}
		}
	}
}

func TestFetchErrors(t *testing.T) {
	s := serve(t)
	topic := s.create("t", 1, nil)
	c := s.dial()
	c.ask(produceTo(9, "t", recordsOf(3)))
	unknown := &node.Topic{Name: "nowhere", ID: [16]byte{1}}
	epoch := topic.Partition(0).Epoch()
	with := func(req *kmsg.FetchRequest, change func(*kmsg.FetchRequestTopicPartition)) *kmsg.FetchRequest {
		change(&req.Topics[0].Partitions[0])
		return req
	}
	for name, one := range map[string]struct {
		req  *kmsg.FetchRequest
		want *kerr.Error
	}{
		"no topic":        {fetchOf(12, unknown, 0), kerr.UnknownTopicOrPartition},
		"no topic id":     {fetchOf(13, unknown, 0), kerr.UnknownTopicID},
		"no partition":    {with(fetchOf(13, topic, 0), func(p *kmsg.FetchRequestTopicPartition) { p.Partition = 9 }), kerr.UnknownTopicOrPartition},
		"past the end":    {fetchOf(12, topic, 4), kerr.OffsetOutOfRange},
		"negative":        {fetchOf(12, topic, -1), kerr.OffsetOutOfRange},
		"at the end":      {fetchOf(12, topic, 3), nil},
		"fenced epoch":    {with(fetchOf(12, topic, 0), func(p *kmsg.FetchRequestTopicPartition) { p.CurrentLeaderEpoch = epoch - 1 }), kerr.FencedLeaderEpoch},
		"epoch to come":   {with(fetchOf(12, topic, 0), func(p *kmsg.FetchRequestTopicPartition) { p.CurrentLeaderEpoch = epoch + 1 }), kerr.UnknownLeaderEpoch},
		"the epoch":       {with(fetchOf(12, topic, 0), func(p *kmsg.FetchRequestTopicPartition) { p.CurrentLeaderEpoch = epoch }), nil},
		"no such session": {sessionOf(fetchOf(12, topic, 0), 77, 3), kerr.FetchSessionIDNotFound},
	} {
		if one.want == kerr.FencedLeaderEpoch && epoch == 0 {
			continue // an epoch of -1 is none
		}
		resp := c.fetch(one.req)
		code := resp.ErrorCode
		if code == 0 {
			code = found(t, resp, one.req.Topics[0].Partitions[0].Partition).ErrorCode
		}
		wantError(t, name, code, one.want)
	}
}

// TestDivergence: who has read what is not in the log is told where that begins.
func TestDivergence(t *testing.T) {
	s := serve(t)
	topic := s.create("t", 1, nil)
	c := s.dial()
	c.ask(produceTo(9, "t", recordsOf(3)))
	req := fetchOf(12, topic, 5)
	req.Topics[0].Partitions[0].LastFetchedEpoch = topic.Partition(0).Epoch()
	p := found(t, c.fetch(req), 0)
	if p.ErrorCode != 0 || p.DivergingEpoch.EndOffset != 3 || p.DivergingEpoch.Epoch != topic.Partition(0).Epoch() {
		t.Errorf("%+v", p)
	}
	req.Topics[0].Partitions[0].FetchOffset = 3
	if p := found(t, c.fetch(req), 0); p.ErrorCode != 0 || p.DivergingEpoch.Epoch != -1 {
		t.Errorf("%+v", p)
	}
}

// TestFetchBounds: at least one batch, then no more than asked for.
func TestFetchBounds(t *testing.T) {
	s := serve(t)
	topic := s.create("t", 2, nil)
	c := s.dial()
	size := 0
	for range 10 {
		b := batch.Build(unsequenced, batch.Record{Timestamp: time.Now().UnixMilli(), Value: make([]byte, 1000)})
		size = len(b)
		c.ask(produceTo(9, "t", bytes.Clone(b), b))
	}
	for _, one := range []struct {
		all, each    int
		first, other int // batches
	}{{1 << 20, 1 << 20, 10, 10}, {1, 1 << 20, 1, 0}, {1 << 20, 1, 1, 1}, {3*size + 1, 1 << 20, 3, 1}, {12 * size, 1 << 20, 10, 2}, {0, 0, 1, 0}} {
		req := fetchOf(12, topic, 0, 0)
		req.MaxBytes = int32(one.all)
		for i := range req.Topics[0].Partitions {
			req.Topics[0].Partitions[i].PartitionMaxBytes = int32(one.each)
		}
		resp := c.fetch(req)
		first, other := len(found(t, resp, 0).RecordBatches)/size, len(found(t, resp, 1).RecordBatches)/size
		if first != one.first || other != one.other {
			t.Errorf("at most %d, %d each: %d and %d batches, want %d and %d", one.all, one.each, first, other, one.first, one.other)
		}
	}
}

func TestFetchWaits(t *testing.T) {
	s := serve(t)
	topic := s.create("t", 2, nil)
	size := int32(len(recordsOf(1)))
	for _, minBytes := range []int32{1, 3 * size} {
		offsets := []int64{topic.Partition(0).Log().Offsets().Next, topic.Partition(1).Log().Offsets().Next}
		req := fetchOf(12, topic, offsets...)
		req.MinBytes, req.MaxWaitMillis = minBytes, 60_000
		reader, writer := s.dial(), s.dial()
		reader.send(req)
		for range (minBytes + size - 1) / size {
			writer.produce(produceTo(9, "t", recordsOf(1)))
		}
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		if err := reader.receive(resp); err != nil {
			t.Fatal(err)
		}
		if got := len(found(t, resp, 0).RecordBatches); got < int(minBytes) {
			t.Errorf("%d bytes, want %d", got, minBytes)
		}
	}
}

// TestFetchWaitsForWhatIsBeingSynced: bytes that were in the log before they could be read are
// not forgotten.
func TestFetchWaitsForWhatIsBeingSynced(t *testing.T) {
	s := serve(t, func(o *options) { o.node.Durability = commit.Fsync })
	topic := s.create("t", 1, nil)
	size := int32(len(recordsOf(1)))
	for round := range int64(300) {
		req := fetchOf(12, topic, 3*round)
		req.MinBytes, req.MaxWaitMillis = 3*size, 60_000
		reader, writer := s.dial(), s.dial()
		reader.send(req)
		for range 3 {
			writer.send(produceTo(9, "t", recordsOf(1)))
		}
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		if err := reader.receive(resp); err != nil {
			t.Fatal(err)
		}
		if got := int32(len(found(t, resp, 0).RecordBatches)); got != 3*size {
			t.Errorf("%d bytes, want %d", got, 3*size)
		}
		reader.Close()
		writer.Close()
	}
}

// TestFetchEndsItsWait: at its time, when the log start passes it, when the topic goes.
func TestFetchEndsItsWait(t *testing.T) {
	s := serve(t)
	topic := s.create("t", 1, nil)
	c := s.dial()
	req := fetchOf(12, topic, 0)
	req.MaxWaitMillis = 30
	began := time.Now()
	if p := found(t, c.fetch(req), 0); len(p.RecordBatches) > 0 || time.Since(began) < 30*time.Millisecond {
		t.Errorf("after %s: %+v", time.Since(began), p)
	}
	c.ask(produceTo(9, "t", recordsOf(1)))
	for version, want := range map[int16]*kerr.Error{12: kerr.UnknownTopicOrPartition, 13: kerr.UnknownTopicID} {
		topic := s.create(fmt.Sprint("t", version), 1, nil)
		req := fetchOf(version, topic, 0)
		req.MaxWaitMillis = 60_000
		c.send(req)
		if err := s.node.Delete(topic.Name)[0]; err != nil {
			t.Fatal(err)
		}
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		if err := c.receive(resp); err != nil {
			t.Fatal(err)
		}
		wantError(t, "a topic that is deleted", found(t, resp, 0).ErrorCode, want)
	}
}

// TestFetchersThatLeave leave nothing behind.
func TestFetchersThatLeave(t *testing.T) {
	s := serve(t)
	topic := s.create("t", 1, nil)
	for range 20 {
		c := s.dial()
		req := fetchOf(12, topic, 0)
		req.MaxWaitMillis = 5 * 60_000
		c.send(req)
		c.Close()
	}
	for end := time.Now().Add(30 * time.Second); s.wire.Stats().Connections > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections are left", s.wire.Stats().Connections)
		}
	}
}

func sessionOf(req *kmsg.FetchRequest, id, epoch int32) *kmsg.FetchRequest {
	req.SessionID, req.SessionEpoch = id, epoch
	return req
}

func TestFetchSessions(t *testing.T) {
	s := serve(t)
	for _, version := range []int16{7, 12, 13} {
		topic := s.create(fmt.Sprint("t", version), 3, nil)
		c := s.dial()
		next := topic.Partition(0).Log().Offsets().Next
		resp := c.fetch(sessionOf(fetchOf(version, topic, next, 0, 0), 0, 0))
		id := resp.SessionID
		if id == 0 || len(resp.Topics[0].Partitions) != 3 {
			t.Fatalf("version %d: %+v", version, resp)
		}
		empty := func(epoch int32) *kmsg.FetchRequest {
			req := fetchOf(version, topic)
			req.Topics = nil
			return sessionOf(req, id, epoch)
		}
		if resp := c.fetch(empty(1)); len(resp.Topics) != 0 || resp.SessionID != id {
			t.Errorf("version %d, nothing new: %+v", version, resp)
		}
		c.ask(produceTo(9, topic.Name, recordsOf(1)))
		if resp := c.fetch(empty(2)); len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 || len(found(t, resp, 0).RecordBatches) == 0 {
			t.Errorf("version %d, something new: %+v", version, resp)
		}
		forget := sessionOf(fetchOf(version, topic, next+1), id, 3)
		gone := kmsg.NewFetchRequestForgottenTopic()
		gone.Topic, gone.TopicID, gone.Partitions = topic.Name, topic.ID, []int32{1}
		forget.ForgottenTopics = append(forget.ForgottenTopics, gone)
		if resp := c.fetch(forget); len(resp.Topics) != 0 {
			t.Errorf("version %d, read further: %+v", version, resp)
		}
		c.ask(produceTo(9, topic.Name, recordsOf(1), recordsOf(1), recordsOf(1)))
		resp = c.fetch(empty(4))
		if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 2 {
			t.Errorf("version %d, one was forgotten: %+v", version, resp)
		}
		wantError(t, "an epoch that was before", c.fetch(empty(3)).ErrorCode, kerr.InvalidFetchSessionEpoch)
		c.fetch(sessionOf(fetchOf(version, topic, 0), id, -1))
		wantError(t, "a session that was ended", c.fetch(empty(5)).ErrorCode, kerr.FetchSessionIDNotFound)
	}
}

// TestSessionsOfRandomConsumers: what is told of partitions is what full fetches tell.
func TestSessionsOfRandomConsumers(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := serve(t)
	topic := s.create("t", 5, nil)
	c := s.dial()
	at := make([]int64, 5)
	want := map[int32]bool{}
	id, epoch := int32(0), int32(0)
	for range 300 {
		if random.IntN(2) == 0 {
			req := produceTo(9, "t", recordsOf(1+random.IntN(3)))
			req.Topics[0].Partitions[0].Partition = int32(random.IntN(5))
			c.ask(req)
		}
		req := sessionOf(fetchOf(12, topic), id, epoch)
		if random.IntN(4) == 0 || epoch == 0 {
			index := int32(random.IntN(5))
			if want[index] && epoch > 0 {
				gone := kmsg.NewFetchRequestForgottenTopic()
				gone.Topic, gone.Partitions = topic.Name, []int32{index}
				req.ForgottenTopics = append(req.ForgottenTopics, gone)
			}
			want[index] = !want[index]
		}
		for _, index := range []int32{0, 1, 2, 3, 4} {
			if want[index] {
				p := kmsg.NewFetchRequestTopicPartition()
				p.Partition, p.FetchOffset, p.PartitionMaxBytes = index, at[index], int32(random.IntN(200))
				req.Topics[0].Partitions = append(req.Topics[0].Partitions, p)
			}
		}
		resp := c.fetch(req)
		if resp.ErrorCode != 0 {
			t.Fatal(kerr.ErrorForCode(resp.ErrorCode))
		}
		id, epoch = resp.SessionID, epoch+1
		seen := map[int32]bool{}
		for _, topic := range resp.Topics {
			for _, p := range topic.Partitions {
				seen[p.Partition] = true
				for b := p.RecordBatches; len(b) > 0; {
					h, err := batch.Verify(b)
					if err != nil {
						t.Fatal(err)
					}
					at[p.Partition] = h.NextOffset()
					b = b[h.Size:]
				}
			}
		}
		for index, p := range topic.Partitions() {
			behind := at[index] < p.Log().Offsets().HighWatermark
			if !want[int32(index)] && seen[int32(index)] || want[int32(index)] && behind && !seen[int32(index)] {
				t.Fatalf("partition %d: wanted %v, behind %v, told %v", index, want[int32(index)], behind, seen[int32(index)])
			}
		}
	}
}

// TestMemoryOfFetchesIsBounded: where it is used up, a fetch waits, and reads then.
func TestMemoryOfFetchesIsBounded(t *testing.T) {
	s := serve(t, func(o *options) { o.server.FetchBytes = 256 << 10 })
	topic := s.create("t", 1, nil)
	c := s.dial()
	b := batch.Build(unsequenced, batch.Record{Timestamp: time.Now().UnixMilli(), Value: make([]byte, 900<<10)})
	for range 4 {
		wantError(t, "produce", c.produce(produceTo(9, "t", bytes.Clone(b))).ErrorCode, nil)
	}
	var readers []*rawConn
	for range 8 {
		reader := s.dial()
		req := fetchOf(12, topic, 0)
		req.MaxWaitMillis, req.MaxBytes, req.Topics[0].Partitions[0].PartitionMaxBytes = 60_000, 16<<20, 16<<20
		reader.send(req)
		readers = append(readers, reader)
	}
	for i, reader := range readers {
		resp := fetchOf(12, topic).ResponseKind().(*kmsg.FetchResponse)
		if err := reader.receive(resp); err != nil {
			t.Fatal(i, err)
		}
		if len(found(t, resp, 0).RecordBatches) < len(b) {
			t.Errorf("reader %d got %d bytes", i, len(found(t, resp, 0).RecordBatches))
		}
	}
}

// TestTransactions: of a transaction nothing is seen before its end, and nothing of one
// that was aborted.
func TestTransactions(t *testing.T) {
	s := serve(t)
	s.create("t", 2, nil)
	producer := s.client(kgo.TransactionalID("x"), kgo.DefaultProduceTopic("t"), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	consumer := s.client(kgo.ConsumeTopics("t"), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	var want []string
	for i := range 10 {
		if err := producer.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for j := range 6 {
			r := kgo.StringRecord(fmt.Sprintf("%d-%d", i, j))
			if err := producer.ProduceSync(soon(t), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if i%2 == 0 {
				want = append(want, string(r.Value))
			}
		}
		if err := producer.EndTransaction(soon(t), i%2 == 0); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for len(got) < len(want) {
		fetches := consumer.PollFetches(soon(t))
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}
