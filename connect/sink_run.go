package connect

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/kafka"
)

// sinkRun reads as a member of the connector's consumer group, and commits what is stored.
type sinkRun struct {
	*run
	client  *kafka.Member
	task    plugin.SinkTask
	letters *letters
	most    int
	topics  map[string]bool // known to be read
}

// mostPolled records at once, as with Kafka's consumer.
const mostPolled = 500

// sinkPatience is how long a batch waits for its target, before the task gives its partitions
// back and begins anew: others may reach the target.
const (
	sinkPatience         = 20 * time.Second
	sinkRebalanceTimeout = 60 * time.Second
)

func (r *run) runSink(ctx context.Context) error {
	s := &sinkRun{run: r, most: mostPolled, topics: map[string]bool{}}
	if err := s.connect(); err != nil {
		return err
	}
	defer s.leave()
	common, err := r.task()
	if err != nil {
		return err
	}
	if s.task, err = r.kind.sink.Open(ctx, plugin.SinkContext{Common: common}); err != nil {
		return err
	}
	defer func() {
		farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
		defer cancel()
		if closing := s.task.Close(farewell); closing != nil {
			r.logger.Warn("connect: closing the sink", "error", closing)
		}
	}()
	r.running()
	for ctx.Err() == nil {
		if err := s.round(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *sinkRun) connect() error {
	topics, regex := s.common.List("topics"), s.common.String("topics.regex")
	opts := []kgo.Opt{
		kgo.ConsumerGroup(s.w.sinkGroup(s.id.connector, s.given)), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxBytes(int32(s.w.cfg.TaskBytes / 2)), kgo.FetchMaxWait(250 * time.Millisecond), kgo.MaxConcurrentFetches(2),
		kgo.RebalanceTimeout(sinkRebalanceTimeout), kgo.MetadataMinAge(250 * time.Millisecond), kgo.DisableClientMetrics(),
		kgo.RecordPartitioner(kafka.Partitioner()), // of dead letters
	}
	if regex != "" {
		opts = append(opts, kgo.ConsumeRegex(), kgo.ConsumeTopics("^"+regexp.QuoteMeta(s.w.cfg.Kafka.Topic(""))+"(?:"+regex+")$"))
	}
	for _, topic := range topics {
		opts = append(opts, kgo.ConsumeTopics(s.w.cfg.Kafka.Topic(topic)))
	}
	for _, read := range []func(map[string]string) ([]kgo.Opt, error){consumerOverrides, producerOverrides} {
		more, err := read(s.given)
		if err != nil {
			return err
		}
		opts = append(opts, more...)
	}
	if n, err := strconv.Atoi(s.given[consumerPrefix+"max.poll.records"]); err == nil && n > 0 {
		s.most = n
	}
	var err error
	if s.client, err = kafka.NewMember(s.w.cfg.Kafka, opts...); err != nil {
		return err
	}
	s.letters = newLetters(s.run, s.client.Client)
	return nil
}

// sinkGroup is the consumer group of a sink, as Kafka Connect names it.
func (w *Worker) sinkGroup(connector string, given map[string]string) string {
	if group := given[consumerPrefix+"group.id"]; group != "" {
		return w.cfg.Kafka.Group(group)
	}
	return w.cfg.Kafka.Group("connect-" + connector)
}

func (s *sinkRun) leave() {
	ctx, cancel := context.WithTimeout(s.w.hard, leaveTimeout)
	defer cancel()
	s.client.Leave(ctx)
	s.client.Close()
}

// round polls, stores and commits. Partitions do not change hands in between.
func (s *sinkRun) round(ctx context.Context) error {
	fetches := s.client.PollRecords(ctx, s.most)
	defer s.client.AllowRebalance()
	var failed error
	fetches.EachError(func(topic string, partition int32, err error) {
		if ctx.Err() == nil {
			failed = retriable{fmt.Errorf("read partition %d of topic %s: %w", partition, topic, err)}
		}
	})
	if failed != nil || ctx.Err() != nil || fetches.NumRecords() == 0 {
		return failed
	}
	records := fetches.Records()
	s.letters.waiting = nil
	s.note(fetches)
	batch := make([]plugin.SinkRecord, 0, len(records))
	for _, r := range records {
		one, keep, err := s.take(r)
		if err != nil {
			if err := s.refuse(r, stageOf(err), err); err != nil {
				return err
			}
			continue
		}
		if keep {
			batch = append(batch, one)
		}
	}
	if err := s.put(ctx, batch, originals(records)); err != nil {
		return err
	}
	if err := s.letters.send(ctx); err != nil {
		return err
	}
	commit, cancel := context.WithTimeout(s.w.hard, writeTimeout)
	defer cancel()
	if err := s.client.CommitRecords(commit, records...); err != nil {
		return retriable{fmt.Errorf("commit offsets: %w", err)}
	}
	s.counter("sink_records").Add(len(batch))
	return nil
}

// note the topics that are read, each once.
func (s *sinkRun) note(fetches kgo.Fetches) {
	fetches.EachTopic(func(t kgo.FetchTopic) {
		if !s.topics[t.Topic] {
			s.topics[t.Topic] = true
			s.w.reportTopic(s.id, s.w.cfg.Kafka.Local(t.Topic))
		}
	})
}

// place of a record in Kafka.
type place struct {
	plugin.TopicPartition
	offset int64
}

func originals(records []*kgo.Record) map[place]*kgo.Record {
	out := make(map[place]*kgo.Record, len(records))
	for _, r := range records {
		out[place{plugin.TopicPartition{Topic: r.Topic, Partition: r.Partition}, r.Offset}] = r
	}
	return out
}

// put a batch. What waits for the target keeps the records; one that is refused becomes a dead
// letter, where that is tolerated.
func (s *sinkRun) put(ctx context.Context, batch []plugin.SinkRecord, from map[place]*kgo.Record) error {
	began, pause := time.Now(), firstPause
	for len(batch) > 0 {
		err := s.task.Put(ctx, batch)
		var bad *plugin.RecordError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &bad) && bad.Index >= 0 && bad.Index < len(batch):
			one := batch[bad.Index]
			topic := plugin.TopicPartition{Topic: s.w.cfg.Kafka.Topic(one.From.Topic), Partition: one.From.Partition}
			if err := s.refuse(from[place{topic, one.Offset}], "TASK_PUT", bad.Err); err != nil {
				return err
			}
			batch = batch[bad.Index+1:]
		case errors.Is(err, plugin.ErrRetry) && time.Since(began) < sinkPatience:
			s.logger.Warn("connect: the sink waits", "error", hide(err, s.spec.props))
			select {
			case <-time.After(pause):
				pause = min(2*pause, longestPause)
			case <-ctx.Done():
				return ctx.Err()
			}
		default:
			return err
		}
	}
	return nil
}

// refuse a record: the task fails, or it is left out.
func (s *sinkRun) refuse(r *kgo.Record, stage string, err error) error {
	if errors.Is(err, plugin.ErrRetry) {
		return err
	}
	if !s.tolerant {
		return fatalError{fmt.Errorf("the record at offset %d of partition %d of topic %s: %w", r.Offset, r.Partition, r.Topic, err)}
	}
	s.leftOut(err, r.Topic, r.Partition, r.Offset)
	s.letters.add(r, stage, err)
	return nil
}

// stageError says where on its way a record failed, in Kafka Connect's words.
type stageError struct {
	stage string
	error
}

func (e stageError) Unwrap() error { return e.error }

func stageOf(err error) string {
	var e stageError
	if errors.As(err, &e) {
		return e.stage
	}
	return "TRANSFORMATION"
}

// take a record from Kafka.
func (s *sinkRun) take(r *kgo.Record) (out plugin.SinkRecord, keep bool, err error) {
	topic := s.w.cfg.Kafka.Local(r.Topic)
	out = plugin.SinkRecord{
		Record: plugin.Record{Topic: topic, Partition: r.Partition, Timestamp: r.Timestamp.UnixMilli()},
		From:   plugin.TopicPartition{Topic: topic, Partition: r.Partition}, Offset: r.Offset,
	}
	if out.KeySchema, out.Key, err = s.keys.Decode(topic, r.Key); err != nil {
		return out, false, stageError{"KEY_CONVERTER", err}
	}
	if out.ValueSchema, out.Value, err = s.values.Decode(topic, r.Value); err != nil {
		return out, false, stageError{"VALUE_CONVERTER", err}
	}
	for _, h := range r.Headers {
		header, err := s.headers.DecodeHeader(topic, h.Key, h.Value)
		if err != nil {
			return out, false, stageError{"HEADER_CONVERTER", err}
		}
		out.Headers = append(out.Headers, header)
	}
	keep, err = s.chain.ApplySink(&out)
	return out, keep, err
}
