package brokers

import (
	"context"
	"errors"
	"flag"
	"io"
	"time"
)

// load is a number of records of a size.
type load struct {
	name  string // in figures
	bytes int
	n     int
}

// Produce measures what records cost the broker, how fast they are read, and how long a producer
// waits that sends one at a time: ours leaves writing down to the operating system, as Apache
// Kafka does by default.
func Produce(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	o, err := parse("broker-produce", args, options{
		rounds: 5, sides: []string{ours, apache, kfake, jetStream}, partitions: 4, duration: 3 * time.Second,
		small: 3_000_000, large: 500_000,
	}, func(o *options, flags *flag.FlagSet) {
		flags.IntVar(&o.small, "small", o.small, "records of 100 bytes")
		flags.IntVar(&o.large, "large", o.large, "records of 1 KiB")
	})
	if err != nil {
		return nil, err
	}
	return withStage(ctx, o, pageCache, func(s *stage) (map[string]float64, error) {
		figures, err := s.inRounds(ctx, o, w, func(side *side, r round) error { return s.produceTurn(ctx, o, side, r) }, compareProduce)
		smaller(figures, "ratio_kafka_per_cpu", "ratio_kafka_per_cpu_100b", "ratio_kafka_per_cpu_1kib")
		smaller(figures, "ratio_kafka", "ratio_kafka_100b", "ratio_kafka_1kib")
		smaller(figures, "consume_ratio_kafka", "consume_ratio_kafka_100b", "consume_ratio_kafka_1kib")
		return figures, err
	})
}

func (s *stage) produceTurn(ctx context.Context, o options, side *side, r round) error {
	for _, l := range []load{{"100b", 100, o.small}, {"1kib", 1024, o.large}} {
		if side.name == jetStream {
			l.n = max(l.n/5, 1) // it is many times slower
		}
		if err := s.through(ctx, o, side, l, r); err != nil {
			return err
		}
	}
	return s.waits(ctx, o, side, r)
}

// through produces a load and reads it.
func (s *stage) through(ctx context.Context, o options, side *side, l load, r round) error {
	topic := unique("load")
	if err := side.client.create(ctx, topic, o.partitions, nil); err != nil {
		return err
	}
	in, err := s.measure(side, "produce "+l.name, func() (int, error) {
		return l.n, side.client.produce(ctx, topic, l.bytes, 0, l.n)
	})
	if err != nil {
		return err
	}
	tally := newTally()
	out, err := s.measure(side, "consume "+l.name, func() (int, error) {
		return l.n, side.client.read(ctx, topic, l.n, tally.add)
	})
	if err := errors.Join(err, tally.complete(0, uint64(l.n)), side.client.drop(ctx, topic)); err != nil {
		return err
	}
	r[side.name+"_per_s_"+l.name], r[side.name+"_cpu_us_"+l.name] = in.perSecond(), in.cpuEach()*1e6
	r[side.name+"_consume_per_s_"+l.name], r[side.name+"_consume_cpu_us_"+l.name] = out.perSecond(), out.cpuEach()*1e6
	return nil
}

// waits has one producer send one record after the other.
func (s *stage) waits(ctx context.Context, o options, side *side, r round) error {
	topic := unique("waits")
	if err := side.client.create(ctx, topic, 1, nil); err != nil {
		return err
	}
	m, err := s.synchronously(ctx, side, "one producer", topic, crowd{producers: 1, partitions: 1, duration: o.duration, size: 100})
	if err != nil {
		return err
	}
	r[side.name+"_p50_ms"], r[side.name+"_p99_ms"] = percentile(m.latencies, 0.5), percentile(m.latencies, 0.99)
	return side.client.drop(ctx, topic)
}

func compareProduce(r round) {
	for _, size := range []string{"_100b", "_1kib"} {
		r.ratio("ratio_kafka"+size, ours+"_per_s"+size, apache+"_per_s"+size)
		r.ratio("ratio_kafka_per_cpu"+size, apache+"_cpu_us"+size, ours+"_cpu_us"+size)
		r.ratio("consume_ratio_kafka"+size, ours+"_consume_per_s"+size, apache+"_consume_per_s"+size)
		r.ratio("consume_ratio_kafka_per_cpu"+size, apache+"_consume_cpu_us"+size, ours+"_consume_cpu_us"+size)
	}
	r.ratio("ratio_p99", ours+"_p99_ms", apache+"_p99_ms")
	r.ratio("ratio_p50", ours+"_p50_ms", apache+"_p50_ms")
}
