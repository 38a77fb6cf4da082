package brokers

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/pabal-dev/pabal/bench/measure"
	"golang.org/x/sync/errgroup"
)

// Footprint measures the memory of a broker that has just started and of one that was written to
// and read from, and how long it takes to serve again on its log, after a clean stop and after
// kill -9 under load. Ours is measured with both durabilities, and the worse figures count.
func Footprint(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	o, err := parse("broker-footprint", args, options{
		rounds: 5, sides: []string{ours, apache}, partitions: 8, duration: 2 * time.Second,
		bytes: 4 << 30, size: 1024,
	}, func(o *options, flags *flag.FlagSet) {
		flags.Int64Var(&o.bytes, "bytes", o.bytes, "bytes of records in the log")
		flags.IntVar(&o.size, "size", o.size, "bytes of a record")
		flags.BoolVar(&o.cold, "cold", false, "have files read from the disk again after each stop (as root)")
	})
	if err != nil {
		return nil, err
	}
	f := &footprint{o: o, w: w, figures: map[string]float64{}}
	for _, name := range o.sides {
		for _, durability := range []string{pageCache, onDisk} {
			if name == apache && durability == onDisk {
				continue
			}
			if err := f.measure(ctx, name, durability); err != nil {
				return nil, err
			}
		}
	}
	f.worse("idle_rss_mb", "load_rss_mb", "start_clean_ms", "start_killed_s")
	return f.figures, nil
}

type footprint struct {
	o       options
	w       io.Writer
	figures map[string]float64
}

// worse sets figures to the larger ones of our two durabilities.
func (f *footprint) worse(names ...string) {
	for _, name := range names {
		if v, ok := f.figures[pageCache+"_"+name]; ok {
			f.figures[name] = max(v, f.figures[onDisk+"_"+name])
		}
	}
}

// measure one side, alone.
func (f *footprint) measure(ctx context.Context, name, durability string) (err error) {
	s, err := openStage(ctx, options{dir: f.o.dir, profiles: f.o.profiles, sides: []string{name}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	side, err := s.start(ctx, name, durability)
	if err != nil {
		return err
	}
	if side.name == ours {
		side.name = durability
	}
	return f.steps(ctx, s, side)
}

func (f *footprint) steps(ctx context.Context, s *stage, one *side) error {
	r := round{}
	for _, step := range []func(context.Context, *stage, *side, round) error{f.idle, f.load, f.cleanStarts, f.killedStarts} {
		if err := step(ctx, s, one, r); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	r.show(f.w, "footprint", one.name)
	for name, v := range r {
		f.figures[name] = rounded(v)
	}
	return nil
}

// loaded is the topic whose records make up the log.
const loaded = "loaded"

// idle looks at a broker that has one topic and does nothing.
func (f *footprint) idle(ctx context.Context, _ *stage, side *side, r round) error {
	if err := side.client.create(ctx, loaded, f.o.partitions, nil); err != nil {
		return err
	}
	if err := wait(ctx, f.o.duration); err != nil {
		return err
	}
	m, err := memoryOf(side.server.PID())
	r[side.name+"_idle_rss_mb"], r[side.name+"_idle_own_mb"] = m.now, m.own
	return err
}

// load fills the log while one consumer reads along, and has it read once more from the start.
func (f *footprint) load(ctx context.Context, s *stage, side *side, r round) error {
	n := int(f.o.bytes / int64(f.o.size))
	along, again := newTally(), newTally()
	m, err := s.measure(side, "load "+side.name, func() (int, error) {
		group, both := errgroup.WithContext(ctx)
		group.Go(func() error { return side.client.produce(both, loaded, f.o.size, 0, n) })
		group.Go(func() error { return side.client.read(both, loaded, n, along.add) })
		if err := group.Wait(); err != nil {
			return n, err
		}
		return n, side.client.read(ctx, loaded, n, again.add)
	})
	if err := errors.Join(err, along.complete(0, uint64(n)), again.complete(0, uint64(n))); err != nil {
		return err
	}
	used, err := memoryOf(side.server.PID())
	r[side.name+"_load_rss_mb"], r[side.name+"_after_rss_mb"] = used.peak, used.now
	r[side.name+"_load_cpu_us"], r[side.name+"_load_per_s"] = m.cpuEach()*1e6, m.perSecond()
	return err
}

func (f *footprint) cleanStarts(ctx context.Context, _ *stage, side *side, r round) error {
	var all []float64
	for range f.o.rounds {
		if err := side.server.Stop(); err != nil {
			return err
		}
		took, err := f.timeStart(ctx, side)
		if err != nil {
			return err
		}
		all = append(all, took.Seconds()*1000)
	}
	r[side.name+"_start_clean_ms"] = measure.Median(all)
	m, err := memoryOf(side.server.PID())
	r[side.name+"_started_rss_mb"] = m.now
	return err
}

func (f *footprint) killedStarts(ctx context.Context, _ *stage, side *side, r round) error {
	var all []float64
	for range f.o.rounds {
		acknowledged, err := flood(ctx, side, f.o.size, f.o.duration)
		if err != nil {
			return err
		}
		took, err := f.timeStart(ctx, side)
		if err != nil {
			return err
		}
		if err := acknowledged.kept(ctx, side); err != nil {
			return err
		}
		all = append(all, took.Seconds())
	}
	r[side.name+"_start_killed_s"] = measure.Median(all)
	return nil
}

// timeStart starts a broker and returns how long after that the first record was acknowledged.
func (f *footprint) timeStart(ctx context.Context, side *side) (time.Duration, error) {
	if f.o.cold {
		if err := dropCaches(); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	if err := errors.Join(side.server.Restart(ctx), side.connect()); err != nil {
		return 0, err
	}
	all, err := side.client.producers(ctx, loaded, 1, 1, ownClient)
	if err != nil {
		return 0, err
	}
	defer closeAll(all)
	err = all[0].send(ctx, []byte("started"))
	return time.Since(began), err
}

// wait for some time.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
