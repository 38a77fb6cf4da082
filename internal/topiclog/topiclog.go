// Package topiclog keeps what a compacted topic says: read whole at the start, then followed.
package topiclog

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
)

// Log follows one topic. Its consumer reads what is committed only.
type Log struct {
	cfg    kafka.Config
	topic  string
	client *kgo.Client
	admin  *kadm.Client
	apply  func(*kgo.Record)
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu     sync.Mutex
	at     map[int32]int64 // next offset
	moved  chan struct{}   // closed when at changes
	failed error
}

// Open creates the topic where it is missing, and returns when apply was called for everything in
// it. apply is called by one goroutine at a time, in order per partition, until Close.
func Open(ctx context.Context, cfg kafka.Config, topic kafka.Topic, apply func(*kgo.Record)) (*Log, error) {
	l := &Log{cfg: cfg, topic: cfg.Topic(topic.Name), apply: apply, at: map[int32]int64{}, moved: make(chan struct{})}
	var err error
	l.client, err = kafka.NewClient(cfg,
		kgo.ConsumeTopics(l.topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), kgo.FetchMaxWait(500*time.Millisecond), kgo.MetadataMinAge(250*time.Millisecond), kgo.DisableClientMetrics())
	if err != nil {
		return nil, err
	}
	l.admin = kadm.NewClient(l.client)
	if err := kafka.EnsureTopics(ctx, l.client, cfg, topic); err != nil {
		l.client.Close()
		return nil, err
	}
	life, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	l.done.Go(func() { l.follow(life) })
	if err := l.Sync(ctx); err != nil {
		l.Close()
		return nil, fmt.Errorf("read topic %s: %w", l.topic, err)
	}
	return l, nil
}

// Topic is its full name.
func (l *Log) Topic() string { return l.topic }

// Close ends following.
func (l *Log) Close() {
	l.cancel()
	l.done.Wait()
	l.client.Close()
}

func (l *Log) follow(ctx context.Context) {
	for ctx.Err() == nil {
		fetches := l.client.PollFetches(ctx)
		fetches.EachError(func(_ string, _ int32, err error) {
			if ctx.Err() == nil {
				l.note(func() { l.failed = err })
			}
		})
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			for _, r := range p.Records {
				if !r.Attrs.IsControl() {
					l.apply(r)
				}
			}
			if n := len(p.Records); n > 0 {
				l.note(func() { l.at[p.Partition], l.failed = p.Records[n-1].Offset+1, nil })
			}
		})
	}
}

func (l *Log) note(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	close(l.moved)
	l.moved = make(chan struct{})
}

// Sync returns when everything was applied that the topic holds by now. It waits for transactions
// that are open, too, because what comes behind them is not to be seen before they end.
func (l *Log) Sync(ctx context.Context) error {
	ends, err := l.askEnds(ctx)
	if err != nil {
		return err
	}
	for {
		l.mu.Lock()
		missing, moved, failed := l.missing(ends), l.moved, l.failed
		l.mu.Unlock()
		if missing == "" {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			if failed != nil {
				return fmt.Errorf("%w (%s): %w", ctx.Err(), missing, failed)
			}
			return fmt.Errorf("%w: %s; a transaction that does not end may be in the way", ctx.Err(), missing)
		}
	}
}

// askEnds asks again while leaders are chosen, as they are of a topic made just now.
func (l *Log) askEnds(ctx context.Context) (map[int32]int64, error) {
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		ends, err := l.ends(ctx)
		if err == nil || !kerr.IsRetriable(err) {
			return ends, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// ends are the offsets to reach, of partitions that hold anything.
func (l *Log) ends(ctx context.Context) (map[int32]int64, error) {
	starts, err := l.admin.ListStartOffsets(ctx, l.topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("ask where topic %s begins: %w", l.topic, err)
	}
	ends, err := l.admin.ListEndOffsets(ctx, l.topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("ask where topic %s ends: %w", l.topic, err)
	}
	out := map[int32]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		if start, ok := starts.Lookup(l.topic, end.Partition); ok && start.Offset < end.Offset {
			out[end.Partition] = end.Offset
		}
	})
	return out, nil
}

func (l *Log) missing(ends map[int32]int64) string {
	for partition, end := range ends {
		if l.at[partition] < end {
			return fmt.Sprintf("topic %s partition %d was read up to %d of %d", l.topic, partition, l.at[partition], end)
		}
	}
	return ""
}
