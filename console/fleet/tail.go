package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// pauseAfterFailure is the wait before Kafka is tried again.
const pauseAfterFailure = time.Second

// tail reads the topic from its beginning, again where it was made anew: a client
// never finds the new one.
func (f *Fleet) tail(ctx context.Context) {
	for ctx.Err() == nil {
		client, err := kafka.NewClient(f.cluster,
			kgo.ConsumeTopics(f.cluster.Topic(admin.Topic)), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
			kgo.FetchMaxBytes(4<<20), kgo.FetchMaxPartitionBytes(1<<20),
			kgo.WithHooks(contactHook{f}), kgo.KeepRetryableFetchErrors(), kgo.MetadataMinAge(250*time.Millisecond), kgo.DisableClientMetrics())
		if err == nil {
			err = f.session(ctx, client)
			client.Close()
		}
		if ctx.Err() != nil {
			return
		}
		f.cfg.Logger.Debug("the topic of announcements is read anew", "error", err)
		timer := time.NewTimer(pauseAfterFailure)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// contactHook sees every answer of Kafka, also that there are no new records,
// which comes every five seconds.
type contactHook struct{ *Fleet }

// OnBrokerRead implements kgo.HookBrokerRead.
func (h contactHook) OnBrokerRead(_ kgo.BrokerMetadata, _ int16, _ int, _, _ time.Duration, err error) {
	if err == nil {
		h.registry.kafkaAnswers(h.cfg.Now())
	}
}

// session reads until ctx ends or the topic is another one.
func (f *Fleet) session(ctx context.Context, client *kgo.Client) error {
	if err := f.ensureTopic(ctx, client); err != nil {
		// Services make it, too; it is waited for.
		f.cfg.Logger.Debug("the topic of announcements cannot be made", "error", err)
	}
	edges := map[int32]int64{}
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil || fetches.IsClientClosed() {
			return ctx.Err()
		}
		var gone error
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			if errors.Is(p.Err, kerr.UnknownTopicID) || errors.Is(p.Err, kerr.UnknownTopicOrPartition) {
				gone = p.Err
			}
			f.take(edges, p.FetchPartition)
		})
		if gone != nil {
			return gone
		}
	}
}

const ensureTimeout = 10 * time.Second

func (f *Fleet) ensureTopic(ctx context.Context, client *kgo.Client) error {
	ctx, cancel := context.WithTimeout(ctx, ensureTimeout)
	defer cancel()
	return kafka.EnsureTopics(ctx, client, f.cluster, admin.AnnouncementTopic())
}

// take hears a partition's records. What was there at first was written some time
// ago; what comes after that is news, whatever the clock of its producer says.
func (f *Fleet) take(edges map[int32]int64, p kgo.FetchPartition) {
	now := f.cfg.Now()
	edge, known := edges[p.Partition]
	if !known && p.Err == nil {
		edge = p.HighWatermark
		edges[p.Partition] = edge
	}
	for _, r := range p.Records {
		at := now
		if r.Offset < edge && r.Timestamp.Before(now) {
			at = r.Timestamp
		}
		f.registry.hear(r.Key, r.Value, at, now)
	}
}
