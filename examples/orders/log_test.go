package orders_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// record is a message as it is in the log.
type record struct {
	event.Event
	partition int32
	offset    int64
	value     map[string]any
}

// read returns what a topic holds now, committed only.
func (s *system) read(topic string) (all []record) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stateTimeout)
	defer cancel()
	// The last offset may be a transaction's marker.
	client := s.client(kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	defer client.Close()
	ends, err := kadm.NewClient(client).ListCommittedOffsets(ctx, s.kafka.Topic(topic))
	if err != nil {
		s.t.Fatal(err)
	}
	from, left := map[int32]kgo.Offset{}, map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			from[o.Partition], left[o.Partition] = kgo.NewOffset().At(0), o.Offset
		}
	})
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{s.kafka.Topic(topic): from})
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			s.t.Fatalf("read %s: %v", topic, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				all = append(all, parse(s.t, r))
			}
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
	return all
}

func parse(t testing.TB, r *kgo.Record) record {
	t.Helper()
	e, err := kafka.FromRecord(r)
	if err != nil {
		t.Fatal(err)
	}
	out := record{Event: e, partition: r.Partition, offset: r.Offset}
	if err := json.Unmarshal(e.Payload, &out.value); err != nil {
		t.Fatalf("%s: %v", e.Payload, err)
	}
	return out
}

func (s *system) client(opts ...kgo.Opt) *kgo.Client {
	s.t.Helper()
	client, err := kafka.NewClient(s.kafka, opts...)
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

// topic makes a topic before any service does.
func (s *system) topic(topic kafka.Topic) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stateTimeout)
	defer cancel()
	client := s.client()
	defer client.Close()
	if err := kafka.EnsureTopics(ctx, client, s.kafka, topic); err != nil {
		s.t.Fatal(err)
	}
}

// publish writes an event past every outbox.
func (s *system) publish(topic string, events ...event.Event) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stateTimeout)
	defer cancel()
	client := s.client()
	defer client.Close()
	records := make([]*kgo.Record, len(events))
	for i, e := range events {
		e.Source = "/test"
		records[i] = kafka.ToRecord(s.kafka.Topic(topic), e)
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		s.t.Fatal(err)
	}
}

// about waits until a topic has that many messages with a key, and returns them.
func (s *system) about(topic, key string, n int) (found []record) {
	s.t.Helper()
	var last time.Time
	testenv.Wait(s.t, "messages about "+key+" in "+topic, stateTimeout, func() bool {
		if time.Since(last) < 100*time.Millisecond {
			return false // the whole topic is read each time
		}
		defer func() { last = time.Now() }()
		found = nil
		for _, r := range s.read(topic) {
			if r.Key == key {
				found = append(found, r)
			}
		}
		return len(found) >= n
	})
	if len(found) != n {
		s.t.Errorf("%d messages about %s in %s, want %d", len(found), key, topic, n)
	}
	return found
}
