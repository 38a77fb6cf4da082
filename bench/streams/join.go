package streams

import (
	"context"
	"io"
)

// Join measures a stream joined with a table of 100,000 keys in a persistent store,
// exactly-once; see Count. Zipf keys; each record of the stream has one result.
//
//   - pabal_per_s, pabal_per_s_per_core, ratio_kafka_streams, ratio_kafka_streams_cpu, ratio_rss.
func Join(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	o, err := parse("streams-join", args, options{records: 4_000_000, keys: 100_000, commitMs: 100, cacheBytes: 10 << 20}, nil)
	if err != nil {
		return nil, err
	}
	s, err := openStage(ctx, w)
	if err != nil {
		return nil, err
	}
	defer s.close()
	in, err := s.input(ctx, "stream", o, zipf(o.keys))
	if err != nil {
		return nil, err
	}
	if err := s.makeTopic(ctx, "table", o.partitions); err != nil {
		return nil, err
	}
	value := payload(o.bytes)
	// Earlier than the stream, so that the table is read first.
	early := func(i int) ([]byte, []byte, int64) { return keyText(i), value, int64(i) }
	if err := s.load(ctx, "table", o.keys, early); err != nil {
		return nil, err
	}
	return s.beside(ctx, o, w, task{Kind: "join", Table: "table", CommitMs: o.commitMs, CacheBytes: o.cacheBytes}, in, s.asMany)
}

// beside measures ours and Kafka Streams.
func (s *stage) beside(ctx context.Context, o options, w io.Writer, base task, in workload, check func(context.Context, task, workload) error) (map[string]float64, error) {
	results, err := s.contend(ctx, o, w, base, []contender{{ours, ours, in, nil, check}, {kafkaStreams, kafkaStreams, in, nil, check}})
	if err != nil {
		return nil, err
	}
	mine, theirs := results[ours], results[kafkaStreams]
	return rounded(map[string]float64{
		"pabal_per_s":             mine.median(perSecond),
		"pabal_per_s_per_core":    mine.median(perCPU),
		"pabal_rss_mb":            mine.median(peak) / 1e6,
		"ratio_kafka_streams":     ratio(mine, theirs, perSecond),
		"ratio_kafka_streams_cpu": ratio(mine, theirs, perCPU),
		"ratio_rss":               ratio(mine, theirs, peak),
	}), nil
}
