package debezium

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
)

// SignalTopic reads signals from the topic that signal.kafka.topic names, which has one partition,
// beside the stream of changes. Its owner closes it; one goroutine asks it for signals.
//
// The offset of the last signal that a source acted on is to be stored in the source's own position
// together with what the signal brought about (incremental.Snapshot.Signalled does so). Then a
// signal counts exactly once: one whose effect is not stored at a crash comes again.
type SignalTopic struct {
	cfg           kafka.Config
	opts          []kgo.Opt
	admin         *kgo.Client
	topic, prefix string
	group         string
	logger        *slog.Logger

	came   chan []TopicSignal // those of one fetch, which the client bounds in bytes
	next   []TopicSignal
	stored atomic.Int64 // the offset after the last signal that is stored; 0 is none
	cancel context.CancelFunc
	done   chan struct{}
}

// TopicSignal is a signal with its place in its topic.
type TopicSignal struct {
	Signal
	Offset int64
}

// NoSignal is the offset of no signal.
const NoSignal int64 = -1

// mostSignals is how many bytes of signals are fetched at once.
const mostSignals = 1 << 20

// OpenSignalTopic after the offset of the last signal that was acted on; nil where
// signal.enabled.channels has no kafka. Where there is none, it begins where the consumer group
// signal.kafka.groupId left off, as Debezium does, or else at the topic's begin. It is on the
// worker's cluster unless signal.kafka.bootstrap.servers names another one.
func OpenSignalTopic(s *Settings, worker kafka.Config, logger *slog.Logger, after int64) (*SignalTopic, error) {
	if !s.SignalsFrom(KafkaChannel) {
		return nil, nil
	}
	cfg, opts, err := signalConsumer(s.Values, worker)
	if err != nil {
		return nil, err
	}
	t := &SignalTopic{
		topic: cfg.Topic(or(s.Values.String("signal.kafka.topic"), s.Naming.Prefix+"-signal")), prefix: s.Naming.Prefix,
		group: cfg.Group(s.Values.String("signal.kafka.groupId")), logger: logger,
		came: make(chan []TopicSignal), done: make(chan struct{}), cfg: cfg, opts: opts,
	}
	if t.admin, err = kafka.NewClient(cfg, opts...); err != nil {
		return nil, fmt.Errorf("the topic of signals %s: %w", t.topic, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel = cancel
	go func() {
		defer close(t.done)
		t.run(ctx, after)
	}()
	return t, nil
}

// Channels of signals.
const (
	SourceChannel = "source"
	KafkaChannel  = "kafka"
)

// SignalsFrom says whether signals come from a channel.
func (s *Settings) SignalsFrom(channel string) bool {
	return slices.Contains(s.Values.List("signal.enabled.channels"), channel)
}

// Next is the next signal; ok is false where none has come.
func (t *SignalTopic) Next() (signal TopicSignal, ok bool) {
	if t == nil {
		return TopicSignal{}, false
	}
	if len(t.next) == 0 {
		select {
		case t.next = <-t.came:
		default:
			return TopicSignal{}, false
		}
	}
	signal, t.next = t.next[0], t.next[1:]
	return signal, true
}

// Stored says that positions with the offset of a signal are stored, so that the consumer group may
// know, too.
func (t *SignalTopic) Stored(offset int64) {
	if t != nil && offset >= 0 {
		t.stored.Store(offset + 1)
	}
}

// Close ends reading and waits for that.
func (t *SignalTopic) Close() {
	if t == nil {
		return
	}
	t.cancel()
	<-t.done
	t.admin.Close()
}

// signalTick is how long a fetch waits, after which the group is told what is stored.
const signalTick = time.Second

// run until the context ends.
func (t *SignalTopic) run(ctx context.Context, after int64) {
	from, ok := t.begin(ctx, after)
	if !ok {
		return
	}
	reader, err := kafka.NewClient(t.cfg, append([]kgo.Opt{
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{t.topic: {0: from}}), kgo.MaxConcurrentFetches(1),
		kgo.FetchMaxBytes(mostSignals), kgo.FetchMaxPartitionBytes(mostSignals), kgo.FetchMaxWait(signalTick / 2),
	}, t.opts...)...)
	if err != nil { // the other client's settings were right
		t.logger.Warn("the topic of signals cannot be read", "topic", t.topic, "error", err)
		return
	}
	defer reader.Close()
	t.countPartitions(ctx)
	t.read(ctx, reader)
}

// countPartitions warns of a topic that has more than the one that is read, as signals may be there.
func (t *SignalTopic) countPartitions(ctx context.Context) {
	topics, err := kadm.NewClient(t.admin).ListTopics(ctx, t.topic)
	if n := len(topics[t.topic].Partitions); err == nil && n > 1 {
		t.logger.Warn("the topic of signals has more than one partition: only signals of partition 0 are taken, as by Debezium", "topic", t.topic, "partitions", n)
	}
}

// begin is where reading begins; false is that the context ended.
func (t *SignalTopic) begin(ctx context.Context, after int64) (kgo.Offset, bool) {
	if after != NoSignal {
		return kgo.NewOffset().At(after + 1), true
	}
	for {
		offsets, err := kadm.NewClient(t.admin).FetchOffsets(ctx, t.group)
		if err == nil || errors.Is(err, kerr.GroupIDNotFound) {
			if committed, ok := offsets.Lookup(t.topic, 0); ok && committed.At >= 0 {
				return kgo.NewOffset().At(committed.At), true
			}
			first, _ := t.admin.OptValue(kgo.ConsumeResetOffset).(kgo.Offset)
			return first, true
		}
		t.logger.Warn("the consumer group of signals cannot be asked for now", "group", t.group, "error", err)
		select {
		case <-ctx.Done():
			return kgo.Offset{}, false
		case <-time.After(signalTick):
		}
	}
}

// read until the context ends.
func (t *SignalTopic) read(ctx context.Context, reader *kgo.Client) {
	told, failing := int64(0), ""
	for ctx.Err() == nil {
		if stored := t.stored.Load(); stored > told {
			told = stored
			t.tell(ctx, stored)
		}
		wait, cancel := context.WithTimeout(ctx, signalTick)
		fetches := reader.PollFetches(wait)
		cancel()
		fetches.EachError(func(_ string, _ int32, err error) {
			if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || err.Error() == failing {
				return
			}
			failing = err.Error()
			t.logger.Warn("the topic of signals cannot be read for now", "topic", t.topic, "error", err)
		})
		var signals []TopicSignal
		fetches.EachRecord(func(r *kgo.Record) {
			failing = ""
			if s, ok := t.signal(r); ok {
				signals = append(signals, s)
			}
		})
		if len(signals) == 0 {
			continue
		}
		select {
		case t.came <- signals:
		case <-ctx.Done():
		}
	}
}

// signal that a record has for this connector.
func (t *SignalTopic) signal(r *kgo.Record) (TopicSignal, bool) {
	s, ok, err := SignalOfRecord(t.prefix, r.Key, r.Value)
	if err != nil {
		t.logger.Warn("signal left", "topic", t.topic, "offset", r.Offset, "error", err)
		return TopicSignal{}, false
	}
	return TopicSignal{s, r.Offset}, ok
}

// tell the consumer group, which nothing depends on while positions are stored.
func (t *SignalTopic) tell(ctx context.Context, next int64) {
	offsets := kadm.Offsets{}
	offsets.AddOffset(t.topic, 0, next, -1)
	ctx, cancel := context.WithTimeout(ctx, 5*signalTick)
	defer cancel()
	if err := kadm.NewClient(t.admin).CommitAllOffsets(ctx, t.group, offsets); err != nil && ctx.Err() == nil {
		t.logger.Warn("the consumer group of signals cannot be told what is done", "group", t.group, "offset", next, "error", err)
	}
}
