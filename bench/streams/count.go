package streams

import (
	"context"
	"flag"
	"io"
	"time"
)

// Count measures counting by key into a persistent store, in rounds that take turns; each
// application is a process of its own with one thread or worker. Figures are medians:
//
//   - pabal_per_s, pabal_per_s_per_core: records per second, and per CPU second of the process,
//     of -keys Zipf keys, exactly-once;
//   - ratio_kafka_streams, ratio_kafka_streams_cpu: records per second, and per CPU second, over
//     Kafka Streams' with the same keys and settings;
//   - ratio_kafka_streams_uniform: the same of -uniform keys that are equally frequent;
//   - ratio_rss: the most resident memory of the process over that of Kafka Streams (Zipf);
//   - ratio_goka: records per second over goka's, both at-least-once (Zipf).
//
// After each run the counts must add up to the records.
func Count(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	o, err := parse("streams-count", args, options{records: 4_000_000, keys: 100_000, commitMs: 100, cacheBytes: 10 << 20}, func(o *options, flags *flag.FlagSet) {
		flags.IntVar(&o.uniformKeys, "uniform", 2_000_000, "keys that are equally frequent")
	})
	if err != nil {
		return nil, err
	}
	s, err := openStage(ctx, w)
	if err != nil {
		return nil, err
	}
	defer s.close()
	hot, err := s.input(ctx, "hot", o, zipf(o.keys))
	if err != nil {
		return nil, err
	}
	even, err := s.input(ctx, "even", o, uniform(o.uniformKeys))
	if err != nil {
		return nil, err
	}
	atLeastOnce := func(t *task) { t.AtLeastOnce = true }
	exactly := s.sumsUp(outOf, true)
	base := task{Kind: "count", CommitMs: o.commitMs, CacheBytes: o.cacheBytes}
	results, err := s.contend(ctx, o, w, base, []contender{
		{"Pabal, Zipf", ours, hot, nil, exactly},
		{"Kafka Streams, Zipf", kafkaStreams, hot, nil, exactly},
		{"Pabal, uniform", ours, even, nil, exactly},
		{"Kafka Streams, uniform", kafkaStreams, even, nil, exactly},
		{"Pabal at-least-once, Zipf", ours, hot, atLeastOnce, s.sumsUp(outOf, false)},
		{"goka, Zipf", goka, hot, atLeastOnce, s.sumsUp(gokaTable, false)},
	})
	if err != nil {
		return nil, err
	}
	mine, theirs := results["Pabal, Zipf"], results["Kafka Streams, Zipf"]
	return rounded(map[string]float64{
		"pabal_per_s":                 mine.median(perSecond),
		"pabal_per_s_per_core":        mine.median(perCPU),
		"pabal_rss_mb":                mine.median(peak) / 1e6,
		"ratio_kafka_streams":         ratio(mine, theirs, perSecond),
		"ratio_kafka_streams_cpu":     ratio(mine, theirs, perCPU),
		"ratio_rss":                   ratio(mine, theirs, peak),
		"ratio_kafka_streams_uniform": ratio(results["Pabal, uniform"], results["Kafka Streams, uniform"], perSecond),
		"ratio_goka":                  ratio(results["Pabal at-least-once, Zipf"], results["goka, Zipf"], perSecond),
	}), nil
}

// input makes and fills a topic.
func (s *stage) input(ctx context.Context, topic string, o options, pick func() int) (workload, error) {
	value := payload(o.bytes)
	begin := time.Now().UnixMilli()
	if err := s.makeTopic(ctx, topic, o.partitions); err != nil {
		return workload{}, err
	}
	err := s.load(ctx, topic, o.records, func(i int) ([]byte, []byte, int64) {
		return keyText(pick()), value, begin + int64(i/10) // 10,000 records are a second
	})
	return workload{topic: topic, records: o.records}, err
}
