package systemtest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Record is a message as it is in the log.
type Record struct {
	event.Event
	Partition int32
	Offset    int64
	Value     Obj // nil where it is not JSON
}

// Publish writes events past every outbox.
func (s *System) Publish(topic string, events ...event.Event) {
	s.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), StateTimeout)
	defer cancel()
	client := s.client()
	defer client.Close()
	records := make([]*kgo.Record, len(events))
	for i, e := range events {
		e.Source = "/test"
		records[i] = kafka.ToRecord(s.Kafka.Topic(topic), e)
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		s.T.Fatal(err)
	}
}

// About waits until a topic has that many messages with a key, and returns them.
func (s *System) About(topic, key string, n int) (found []Record) {
	s.T.Helper()
	var last time.Time
	s.Wait("messages about "+key+" in "+topic, func() bool {
		if time.Since(last) < 100*time.Millisecond {
			return false // the whole topic is read each time
		}
		defer func() { last = time.Now() }()
		found = nil
		for _, r := range s.Log(topic) {
			if r.Key == key {
				found = append(found, r)
			}
		}
		return len(found) >= n
	})
	if len(found) != n {
		s.T.Fatalf("%d messages about %s in %s, want %d", len(found), key, topic, n)
	}
	return found
}

// Log is what a topic holds now, committed only.
func (s *System) Log(topic string) (all []Record) {
	s.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), StateTimeout)
	defer cancel()
	// The last offset may be a transaction's marker.
	client := s.client(kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	defer client.Close()
	ends, err := kadm.NewClient(client).ListCommittedOffsets(ctx, s.Kafka.Topic(topic))
	if err != nil {
		s.T.Fatal(err)
	}
	from, left := map[int32]kgo.Offset{}, map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			from[o.Partition], left[o.Partition] = kgo.NewOffset().At(0), o.Offset
		}
	})
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{s.Kafka.Topic(topic): from})
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			s.T.Fatalf("read %s: %v", topic, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				all = append(all, parse(s.T, r))
			}
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
	return all
}

func parse(t testing.TB, r *kgo.Record) Record {
	t.Helper()
	e, err := kafka.FromRecord(r)
	if err != nil {
		t.Fatal(err)
	}
	out := Record{Event: e, Partition: r.Partition, Offset: r.Offset}
	if e.ContentType != event.JSON.ContentType() {
		return out
	}
	if err := json.Unmarshal(e.Payload, &out.Value); err != nil {
		t.Fatalf("%s: %v", e.Payload, err)
	}
	return out
}

func (s *System) client(opts ...kgo.Opt) *kgo.Client {
	s.T.Helper()
	client, err := kafka.NewClient(s.Kafka, opts...)
	if err != nil {
		s.T.Fatal(err)
	}
	return client
}
