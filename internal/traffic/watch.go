package traffic

import (
	"context"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Watcher sees what services publish, from the log and committed records only: that
// costs them nothing, however much is under way, and things count as ended when the
// world can know. It uses no group.
type Watcher struct {
	client *kgo.Client
	see    func(value []byte, now time.Time)
	done   chan struct{}
	stop   context.CancelFunc
}

// Watch starts at the present end of the topic (its name without the prefix) and has
// see called with every value from there on. The caller closes the watcher.
func Watch(ctx context.Context, cluster kafka.Config, topic string, see func(value []byte, now time.Time)) (*Watcher, error) {
	full := cluster.Topic(topic)
	ends, err := endOffsets(ctx, cluster, full)
	if err != nil {
		return nil, fmt.Errorf("find the end of topic %s: %w", full, err)
	}
	client, err := kafka.NewClient(cluster,
		kgo.ConsumePartitions(ends.KOffsets()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	w := &Watcher{client: client, see: see, done: make(chan struct{}), stop: stop}
	go w.run(run)
	return w, nil
}

// Close returns when the watcher has ended.
func (w *Watcher) Close() {
	w.stop()
	<-w.done
	w.client.Close()
}

func (w *Watcher) run(ctx context.Context) {
	defer close(w.done)
	for {
		fetches := w.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return
		}
		now := time.Now()
		fetches.EachRecord(func(r *kgo.Record) { w.see(r.Value, now) })
	}
}

// SeeOrder takes an order's end from what order-changed says.
func (t *Tracker) SeeOrder(id, status string, now time.Time) {
	if status == "APPROVED" || status == "CANCELLED" {
		t.Ended(id, status == "APPROVED", now)
	}
}

// A topic created just now is not known to its broker at once.
const (
	topicPatience = 15 * time.Second
	topicPause    = 100 * time.Millisecond
)

func endOffsets(ctx context.Context, cluster kafka.Config, topic string) (kadm.ListedOffsets, error) {
	client, err := kafka.NewClient(cluster, kgo.MetadataMinAge(topicPause))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, topicPatience)
	defer cancel()
	for {
		ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
		if err == nil {
			err = ends.Error()
		}
		if err == nil || !kerr.IsRetriable(err) {
			return ends, err
		}
		select {
		case <-time.After(topicPause):
		case <-ctx.Done():
			return nil, err
		}
	}
}
