package streams

import (
	"context"
	"flag"
	"io"
	"time"
)

// Window measures counting by key and tumbling window into a persistent store, exactly-once;
// see Count. 10,000 records are a second of their time; Zipf keys.
//
//   - pabal_per_s, pabal_per_s_per_core, ratio_kafka_streams, ratio_kafka_streams_cpu, ratio_rss.
func Window(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	size := time.Minute
	o, err := parse("streams-window", args, options{records: 4_000_000, keys: 100_000, commitMs: 100, cacheBytes: 10 << 20}, func(_ *options, flags *flag.FlagSet) {
		flags.DurationVar(&size, "size", size, "size of the windows")
	})
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
	base := task{Kind: "window", WindowMs: size.Milliseconds(), CommitMs: o.commitMs, CacheBytes: o.cacheBytes}
	return s.beside(ctx, o, w, base, in, s.sumsUp(outOf, true))
}
