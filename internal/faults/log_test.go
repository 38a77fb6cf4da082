//go:build unix

package faults_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var quiet = slog.New(slog.DiscardHandler)

// record is an event with its place in the topic.
type record struct {
	event.Event
	partition int32
	offset    int64
}

// readCommitted returns the events that a topic holds now, by partition and
// offset.
func readCommitted(ctx context.Context, t testing.TB, cluster kafka.Config, topic string) (all []record) {
	t.Helper()
	full := cluster.Topic(topic)
	client, err := kafka.NewClient(cluster, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ends, err := committedEnds(ctx, client, full)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil
	}
	if err != nil {
		t.Fatalf("read %s: %v", full, err)
	}
	from, left := map[int32]kgo.Offset{}, map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			from[o.Partition], left[o.Partition] = kgo.NewOffset().At(0), o.Offset
		}
	})
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{full: from})
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("read %s: %v", full, ctx.Err())
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			if r.Attrs.IsControl() {
				return
			}
			e, err := kafka.FromRecord(r)
			if err != nil {
				t.Fatalf("%s/%d/%d: %v", full, r.Partition, r.Offset, err)
			}
			all = append(all, record{e, r.Partition, r.Offset})
		})
	}
	return all
}

// committedEnds asks again where a broker with too much to do is not the leader for
// a moment.
func committedEnds(ctx context.Context, client *kgo.Client, topic string) (ends kadm.ListedOffsets, err error) {
	for {
		ends, err = kadm.NewClient(client).ListCommittedOffsets(ctx, topic)
		if err == nil {
			err = ends.Error()
		}
		if !errors.Is(err, kerr.LeaderNotAvailable) && !errors.Is(err, kerr.NotLeaderForPartition) {
			return ends, err
		}
		select {
		case <-ctx.Done():
			return ends, err
		case <-time.After(100 * time.Millisecond):
		}
	}
}
