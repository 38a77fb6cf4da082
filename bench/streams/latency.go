package streams

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Latency measures the way of a record through a count with a persistent store, exactly-once
// with 10 ms commits and no record cache, at 10,000 records a second: from when it is due to be
// produced to when a read_committed consumer has its result.
//
//   - p50_ms, p99_ms: ours; kafka_streams_p50_ms, kafka_streams_p99_ms: Kafka Streams';
//   - ratio_kafka_streams: our p99 over theirs.
//
// The first seconds do not count, nor does a round before the others, in which the broker warms
// up. Figures are medians of the rounds.
func Latency(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	l := latency{}
	o, err := parse("streams-latency", args, options{records: 1000, keys: 100_000, commitMs: 10}, func(_ *options, flags *flag.FlagSet) {
		flags.IntVar(&l.perSecond, "per-second", 10_000, "records produced per second")
		flags.DurationVar(&l.warm, "warm", 5*time.Second, "how long it runs before it counts")
		flags.DurationVar(&l.length, "length", 15*time.Second, "how long it counts")
	})
	if err != nil {
		return nil, err
	}
	if l.perSecond < 1 || l.length <= 0 {
		return nil, errors.New("-per-second and -length must be above 0")
	}
	s, err := openStage(ctx, w)
	if err != nil {
		return nil, err
	}
	defer s.close()
	figures := map[string][]float64{}
	for round := range o.rounds + 1 {
		for i := range 2 {
			side := []string{ours, kafkaStreams}[(i+round)%2]
			p50, p99, err := s.latency(ctx, side, o, l)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", side, err)
			}
			if round == 0 {
				continue
			}
			figures[side+"50"], figures[side+"99"] = append(figures[side+"50"], p50), append(figures[side+"99"], p99)
			fmt.Fprintf(w, "round %d: %-14s p50 %.1f ms, p99 %.1f ms\n", round, side, p50, p99)
		}
	}
	return rounded(map[string]float64{
		"p50_ms": measure.Median(figures[ours+"50"]), "p99_ms": measure.Median(figures[ours+"99"]),
		"kafka_streams_p50_ms": measure.Median(figures[kafkaStreams+"50"]),
		"kafka_streams_p99_ms": measure.Median(figures[kafkaStreams+"99"]),
		"ratio_kafka_streams":  measure.RatioOf(figures[ours+"99"], figures[kafkaStreams+"99"]),
	}), nil
}

type latency struct {
	perSecond    int
	warm, length time.Duration
}

// latency of one run.
func (s *stage) latency(ctx context.Context, side string, o options, l latency) (p50, p99 float64, err error) {
	t := task{Kind: "count", Brokers: s.addr, ID: name("bench"), CommitMs: o.commitMs, CacheBytes: o.cacheBytes}
	t.In, t.Out, t.Dir = t.ID+"-in", t.ID+"-out", s.folder(t.ID)
	for _, topic := range []string{t.In, t.Out} {
		if err := s.makeTopic(ctx, topic, o.partitions); err != nil {
			return 0, 0, err
		}
	}
	p, err := s.start(ctx, side, t)
	if err != nil {
		return 0, 0, err
	}
	defer p.kill()
	if _, err := p.wait(ctx, "it runs", func(s sample) bool { return s.State == running }); err != nil {
		return 0, 0, err
	}
	waits, err := s.flow(ctx, t, o, l)
	if err != nil {
		return 0, 0, err
	}
	if err := p.stop(); err != nil {
		return 0, 0, err
	}
	slices.Sort(waits)
	at := func(q float64) float64 { return waits[int(q*float64(len(waits)-1))].Seconds() * 1000 }
	return at(0.5), at(0.99), s.drop(ctx, t.ID)
}

// flow produces at an even pace and returns for how long each record was under way.
func (s *stage) flow(ctx context.Context, t task, o options, l latency) ([]time.Duration, error) {
	total := int((l.warm + l.length).Seconds() * float64(l.perSecond))
	pace := time.Second / time.Duration(l.perSecond)
	reader, err := kafka.NewClient(s.kafka(), kgo.ConsumeTopics(t.Out), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	writer, err := kafka.NewClient(s.kafka(), kgo.ProducerLinger(0))
	if err != nil {
		return nil, err
	}
	defer writer.Close()
	begin := time.Now().Add(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(ctx, l.warm+l.length+stallTimeout)
	defer cancel()
	failed := make(chan error, 1)
	go func() { failed <- produceEvenly(ctx, writer, t.In, o, total, begin, pace) }()
	waits := make([]time.Duration, 0, total)
	for seen := 0; seen < total; {
		fetches := reader.PollFetches(ctx)
		now := time.Now()
		if err := fetches.Err0(); err != nil {
			return nil, fmt.Errorf("%d of %d results came: %w", seen, total, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			seen++
			due := r.Timestamp
			if due.Sub(begin) >= l.warm {
				waits = append(waits, now.Sub(due))
			}
		})
	}
	if err := <-failed; err != nil {
		return nil, err
	}
	if len(waits) == 0 {
		return nil, errors.New("nothing came that counts: make -length longer")
	}
	return waits, nil
}

// produceEvenly produces record i when it is due, begin + i × pace; its timestamp says when
// that was.
func produceEvenly(ctx context.Context, client *kgo.Client, topic string, o options, total int, begin time.Time, pace time.Duration) error {
	value := payload(o.bytes)
	failed := make(chan error, 1)
	promise := func(_ *kgo.Record, err error) {
		if err != nil {
			select {
			case failed <- err:
			default:
			}
		}
	}
	for i := range total {
		due := begin.Add(time.Duration(i) * pace)
		if wait := time.Until(due); wait > time.Millisecond {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		client.Produce(ctx, &kgo.Record{Topic: topic, Key: keyText(i % o.keys), Value: value, Timestamp: due}, promise)
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}
