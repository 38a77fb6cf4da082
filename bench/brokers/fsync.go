package brokers

import (
	"context"
	"errors"
	"flag"
	"io"
	"time"
)

// syncEach has Apache Kafka sync after each message, as all the others do by themselves.
var syncEach = map[string]string{"flush.messages": "1"}

// Fsync measures producers that wait for the disk with each record, which is a batch of its own,
// and the same on a disk whose syncs take longer.
func Fsync(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	o, err := parse("broker-fsync", args, options{
		rounds: 5, sides: []string{ours, apache, kfake, jetStream}, partitions: 16, duration: 4 * time.Second,
		producers: 64, size: 100, delay: 2 * time.Millisecond,
	}, func(o *options, flags *flag.FlagSet) {
		flags.IntVar(&o.producers, "producers", o.producers, "producers at the same time, each with a connection of its own")
		flags.IntVar(&o.size, "size", o.size, "bytes of a record")
		flags.BoolVar(&o.wholeClients, "clients", false, "each producer is a client of franz-go; else it makes its requests itself, and costs less")
		flags.DurationVar(&o.delay, "delay", o.delay, "what syncs of the slow disk take; 0: leave that out")
	})
	if err != nil {
		return nil, err
	}
	return withStage(ctx, o, onDisk, func(s *stage) (map[string]float64, error) {
		if err := s.slowDisk(ctx, o); err != nil {
			return nil, err
		}
		return s.inRounds(ctx, o, w, func(side *side, r round) error { return s.fsyncTurn(ctx, o, side, r) }, func(r round) {
			r.ratio("ratio_kafka", ours+"_per_s", apache+"_per_s")
			r.ratio("ratio_kafka_per_cpu", apache+"_cpu_us", ours+"_cpu_us")
			r.ratio("ratio_kfake", ours+"_per_s", kfake+"_per_s")
			r.ratio("ratio_p99", ours+"_p99_ms", apache+"_p99_ms")
		})
	})
}

// slow is our broker on a slow disk.
const slow = "slow_disk"

func (s *stage) slowDisk(ctx context.Context, o options) error {
	if o.delay == 0 || s.find(ours) == nil {
		return nil
	}
	side, err := s.start(ctx, ours, onDisk, "-sync-delay", o.delay.String())
	if err == nil {
		side.name = slow
	}
	return err
}

func (s *stage) fsyncTurn(ctx context.Context, o options, side *side, r round) error {
	var settings map[string]string
	if side.name == apache {
		settings = syncEach
	}
	topic := unique("fsync")
	if err := side.client.create(ctx, topic, o.partitions, settings); err != nil {
		return err
	}
	m, err := s.synchronously(ctx, side, "fsync "+side.name, topic,
		crowd{producers: o.producers, partitions: o.partitions, duration: o.duration, size: o.size, wholeClients: o.wholeClients})
	if err := errors.Join(err, side.client.drop(ctx, topic)); err != nil {
		return err
	}
	r[side.name+"_per_s"], r[side.name+"_cpu_us"] = m.perSecond(), m.cpuEach()*1e6
	r[side.name+"_p50_ms"], r[side.name+"_p99_ms"] = percentile(m.latencies, 0.5), percentile(m.latencies, 0.99)
	return nil
}
