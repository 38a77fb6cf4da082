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
		flags.IntVar(&o.producers, "producers", o.producers, "producers at the same time, on one client and then each on a connection of its own")
		flags.IntVar(&o.size, "size", o.size, "bytes of a record; on one client at least 400, so that no batch has two")
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
			for _, way := range []string{"", "_connections"} {
				r.ratio("ratio_kafka"+way, ours+"_per_s"+way, apache+"_per_s"+way)
				r.ratio("ratio_kafka_per_cpu"+way, apache+"_cpu_us"+way, ours+"_cpu_us"+way)
				r.ratio("ratio_kfake"+way, ours+"_per_s"+way, kfake+"_per_s"+way)
				r.ratio("ratio_p99"+way, ours+"_p99_ms"+way, apache+"_p99_ms"+way)
			}
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

// fsyncTurn has producers on one client, and on connections of their own.
func (s *stage) fsyncTurn(ctx context.Context, o options, side *side, r round) error {
	shared := crowd{producers: o.producers, partitions: o.partitions, duration: o.duration, size: max(o.size, sharedSize), have: oneClient}
	own := crowd{producers: o.producers, partitions: o.partitions, duration: o.duration, size: o.size, have: ownConnection}
	if side.name == slow { // franz-go has four requests under way at most, which is what that would measure
		return errors.Join(s.syncedCrowd(ctx, side, own, r, ""), s.syncedCrowd(ctx, side, shared, r, "_one_client"))
	}
	return errors.Join(s.syncedCrowd(ctx, side, shared, r, ""), s.syncedCrowd(ctx, side, own, r, "_connections"))
}

func (s *stage) syncedCrowd(ctx context.Context, side *side, c crowd, r round, way string) error {
	var settings map[string]string
	if side.name == apache {
		settings = syncEach
	}
	topic := unique("fsync")
	if err := side.client.create(ctx, topic, c.partitions, settings); err != nil {
		return err
	}
	m, err := s.synchronously(ctx, side, "fsync "+side.name+way, topic, c)
	if err := errors.Join(err, side.client.drop(ctx, topic)); err != nil {
		return err
	}
	r[side.name+"_per_s"+way], r[side.name+"_cpu_us"+way] = m.perSecond(), m.cpuEach()*1e6
	r[side.name+"_p50_ms"+way], r[side.name+"_p99_ms"+way] = percentile(m.latencies, 0.5), percentile(m.latencies, 0.99)
	return nil
}
