// Package sagas measures sagas: three steps with real effects, beside DBOS Transact
// for Go and dtm, and a million that sleep.
package sagas

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/bench/measure"
)

// runner is one way to run sagas. run returns when the saga has ended.
type runner interface {
	run(ctx context.Context, saga string, account int) error
	close() error
}

// contender is a way with the number of sagas it does best with at a time.
type contender struct {
	name     string
	underWay int
	start    func(ctx context.Context, url string, connections int) (runner, error)
}

func contenders(o options) []contender {
	all := []contender{{"pabal", o.underWay, func(ctx context.Context, url string, n int) (runner, error) { return startPabal(ctx, url, n) }}}
	if o.dbos {
		all = append(all, contender{"dbos", o.peerUnderWay, func(ctx context.Context, url string, n int) (runner, error) { return startDBOS(ctx, url, n) }})
	}
	if o.dtm {
		all = append(all, contender{"dtm", o.peerUnderWay, func(ctx context.Context, url string, n int) (runner, error) { return startDTM(ctx, url, n) }})
	}
	return all
}

// options say how much is measured.
type options struct {
	rounds, connections, underWay, peerUnderWay, perSecond int
	duration                                               time.Duration
	dbos, dtm                                              bool
}

// ThreeStep measures sagas of three steps, each of which books from an account, in
// rounds that take turns; figures are medians of the rounds. PostgreSQL has fsync=on,
// every side a fresh database of its own on it, and all are one process (dtm's server
// is a second one):
//
//   - sagas_per_s: sagas that end per second while a fixed number is under way;
//   - p99_ms, p50_ms: from the moment a saga is due to start until its end has
//     committed, at 500 per second;
//   - ratio_dbos, ratio_dtm: sagas_per_s over theirs.
//
// After each run the tables must hold each saga's effects once, or there are no
// figures.
func ThreeStep(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	var o options
	flags := flag.NewFlagSet("saga-three-step", flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 3, "rounds")
	flags.IntVar(&o.connections, "connections", 16, "connections of each side's pool")
	flags.IntVar(&o.underWay, "under-way", 2000, "sagas under way at a time")
	flags.IntVar(&o.peerUnderWay, "peers-under-way", 64, "sagas of the others under way at a time")
	flags.IntVar(&o.perSecond, "per-second", 500, "rate at which the latency is measured")
	flags.DurationVar(&o.duration, "duration", 8*time.Second, "of each measurement")
	flags.BoolVar(&o.dbos, "dbos", true, "measure DBOS, too")
	flags.BoolVar(&o.dtm, "dtm", true, "measure dtm, too")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if o.rounds < 1 || o.connections < 1 || o.underWay < 1 || o.peerUnderWay < 1 || o.perSecond < 1 || o.duration <= 0 {
		return nil, errors.New("every number must be above 0")
	}
	server, err := measure.StartPostgres(ctx, w)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	return o.measure(ctx, server.URL, w)
}

func (o options) measure(ctx context.Context, server string, w io.Writer) (map[string]float64, error) {
	rates := map[string][]float64{}
	var p50s, p99s []float64
	for round := range o.rounds {
		for _, c := range contenders(o) {
			rate, err := o.rate(ctx, server, c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			fmt.Fprintf(w, "round %d: %-6s %7.0f sagas/s with %d under way\n", round+1, c.name, rate, c.underWay)
			rates[c.name] = append(rates[c.name], rate)
		}
		p50, p99, err := o.latency(ctx, server, contenders(o)[0])
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(w, "round %d: pabal at %d/s: p50 %.1f ms, p99 %.1f ms\n", round+1, o.perSecond, p50, p99)
		p50s, p99s = append(p50s, p50), append(p99s, p99)
	}
	figures := map[string]float64{"sagas_per_s": measure.Median(rates["pabal"]), "p50_ms": measure.Median(p50s), "p99_ms": measure.Median(p99s)}
	for name, theirs := range rates {
		if name != "pabal" {
			figures[name+"_per_s"] = measure.Median(theirs)
			figures["ratio_"+name] = measure.RatioOf(rates["pabal"], theirs)
		}
	}
	return figures, nil
}

// stage is a contender on a fresh database.
func (o options) stage(ctx context.Context, server string, c contender, play func(r runner) (sagas int64, err error)) error {
	url, drop, err := measure.FreshDatabase(ctx, server)
	if err != nil {
		return err
	}
	defer func() { _ = drop() }()
	pool, err := newPool(ctx, url, 2)
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, effectTables); err != nil {
		return err
	}
	r, err := c.start(ctx, url, o.connections)
	if err != nil {
		return err
	}
	sagas, err := play(r)
	if err := errors.Join(err, r.close()); err != nil {
		return err
	}
	return checkEffects(ctx, pool, sagas)
}

// rate keeps a number of sagas under way; the first quarter of the time does not
// count.
func (o options) rate(ctx context.Context, server string, c contender) (rate float64, err error) {
	err = o.stage(ctx, server, c, func(r runner) (int64, error) {
		ctx, fail := context.WithCancelCause(ctx)
		defer fail(nil)
		var started, ended atomic.Int64
		stop := make(chan struct{})
		var all sync.WaitGroup
		for range c.underWay {
			all.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					n := started.Add(1)
					if err := r.run(ctx, fmt.Sprint("saga-", n), int(n)%accounts); err != nil {
						fail(err)
						return
					}
					ended.Add(1)
				}
			})
		}
		sleep(ctx, o.duration/4)
		before, began := ended.Load(), time.Now()
		sleep(ctx, o.duration)
		rate = float64(ended.Load()-before) / time.Since(began).Seconds()
		close(stop)
		all.Wait()
		return ended.Load(), context.Cause(ctx)
	})
	return rate, err
}

// latency starts sagas at a steady rate; the first quarter does not count.
func (o options) latency(ctx context.Context, server string, c contender) (p50, p99 float64, err error) {
	err = o.stage(ctx, server, c, func(r runner) (int64, error) {
		ctx, fail := context.WithCancelCause(ctx)
		defer fail(nil)
		took := make([]time.Duration, int(1.25*o.duration.Seconds()*float64(o.perSecond)))
		began := time.Now()
		var all sync.WaitGroup
		for i := range took {
			due := began.Add(time.Duration(i) * time.Second / time.Duration(o.perSecond))
			sleep(ctx, time.Until(due))
			all.Go(func() {
				if err := r.run(ctx, fmt.Sprint("saga-", i), i%accounts); err != nil {
					fail(err)
				}
				took[i] = time.Since(due)
			})
		}
		all.Wait()
		counted := took[len(took)/5:]
		slices.Sort(counted)
		at := func(share float64) float64 {
			return float64(counted[int(share*float64(len(counted)-1))].Microseconds()) / 1000
		}
		p50, p99 = at(0.5), at(0.99)
		return int64(len(took)), context.Cause(ctx)
	})
	return p50, p99, err
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
