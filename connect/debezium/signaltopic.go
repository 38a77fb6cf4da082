package debezium

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
)

// fetchWait is how long a broker waits for signals before it answers that there are none.
const fetchWait = 500 * time.Millisecond

// SignalTopic reads signals from the topic that signal.kafka.topic names. One goroutine polls it.
type SignalTopic struct {
	client *kgo.Client
	topic  string
	prefix string
	logger *slog.Logger
	polled []*kgo.Record
}

// NewSignalTopic on the worker's cluster; nil where signal.enabled.channels has no kafka. Its
// consumer group is signal.kafka.groupId, whose default has topic.prefix after it here: connectors
// that share a group would take one another's signals for read.
func NewSignalTopic(s *Settings, cfg kafka.Config, logger *slog.Logger) (*SignalTopic, error) {
	if !slices.Contains(s.Values.List("signal.enabled.channels"), "kafka") {
		return nil, nil
	}
	group := s.Values.String("signal.kafka.groupId")
	if !s.Values.Set("signal.kafka.groupId") {
		group += "-" + s.Naming.Prefix
	}
	t := &SignalTopic{topic: or(s.Values.String("signal.kafka.topic"), s.Naming.Prefix+"-signal"), prefix: s.Naming.Prefix, logger: logger}
	const most = 1 << 20 // bytes that wait
	var err error
	t.client, err = kafka.NewClient(cfg,
		kgo.ConsumerGroup(cfg.Group(group)), kgo.ConsumeTopics(cfg.Topic(t.topic)), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxBytes(most), kgo.FetchMaxPartitionBytes(most), kgo.MaxConcurrentFetches(1), kgo.FetchMaxWait(fetchWait))
	if err != nil {
		return nil, fmt.Errorf("the topic of signals %s: %w", t.topic, err)
	}
	return t, nil
}

// Poll waits for signals of this connector. Those of the call before count as done, so that they
// do not come again after a restart; those of the last call may. A record that is no signal is
// logged and left.
func (t *SignalTopic) Poll(ctx context.Context) ([]Signal, error) {
	for {
		if len(t.polled) > 0 {
			if err := t.client.CommitRecords(ctx, t.polled...); err != nil {
				return nil, fmt.Errorf("the topic of signals %s: %w", t.topic, err)
			}
			t.polled = nil
		}
		fetches := t.client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if fetches.IsClientClosed() {
			return nil, errors.New("the topic of signals is closed")
		}
		fetches.EachError(func(_ string, _ int32, err error) {
			t.logger.Warn("the topic of signals cannot be read for now", "topic", t.topic, "error", err)
		})
		var out []Signal
		fetches.EachRecord(func(r *kgo.Record) {
			t.polled = append(t.polled, r)
			s, ok, err := SignalOfRecord(t.prefix, r.Key, r.Value)
			if err != nil {
				t.logger.Warn("signal left", "topic", t.topic, "offset", r.Offset, "error", err)
			}
			if ok {
				out = append(out, s)
			}
		})
		if len(out) > 0 {
			return out, nil
		}
	}
}

// Close ends a Poll under way.
func (t *SignalTopic) Close() { t.client.Close() }
