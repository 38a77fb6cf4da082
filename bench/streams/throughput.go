package streams

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pabal-dev/pabal/bench/measure"
)

// workload is an input topic that the runs of a round share.
type workload struct {
	topic   string
	records int
	keys    int
}

// run is what one application made of an input.
type run struct {
	// perSecond of the wall clock and of the process's CPU, after it has warmed up, until all
	// is committed.
	perSecond, perCPU float64
	// peak are the most resident bytes.
	peak float64
}

// warmUp is the share of the records before what is measured: Java compiles as it runs.
const warmUp = 0.25

// measured lets a side process all of an input and checks what came out.
func (s *stage) measured(ctx context.Context, side string, t task, in workload, check func(context.Context, task, workload) error) (run, error) {
	p, err := s.start(ctx, side, t)
	if err != nil {
		return run{}, err
	}
	defer p.kill()
	total := int64(in.records)
	first, err := p.wait(ctx, "it warmed up", func(p sample) bool { return p.Records >= int64(warmUp*float64(total)) })
	if err != nil {
		return run{}, err
	}
	if first.Records >= total { // so few that nothing was seen in between
		if first, err = p.wait(ctx, "it ran", func(p sample) bool { return p.State == running }); err != nil {
			return run{}, err
		}
	}
	if _, err := p.wait(ctx, "it read all", func(p sample) bool { return p.Records >= total }); err != nil {
		return run{}, err
	}
	if err := s.committed(ctx, t.ID, in.topic); err != nil {
		return run{}, err
	}
	last, err := p.ask(ctx)
	if err != nil {
		return run{}, err
	}
	if first.Records >= total {
		return run{}, errors.New("everything was processed at the first look: use more records")
	}
	if err := p.stop(); err != nil {
		return run{}, err
	}
	if err := check(ctx, t, in); err != nil {
		return run{}, fmt.Errorf("%s: %w", side, err)
	}
	n := float64(total - first.Records)
	return run{perSecond: n / last.at.Sub(first.at).Seconds(), perCPU: n / (last.CPU - first.CPU), peak: float64(last.Peak)}, nil
}

// runs are the rounds of one contender.
type runs []run

func (r runs) of(figure func(run) float64) []float64 {
	var all []float64
	for _, one := range r {
		all = append(all, figure(one))
	}
	return all
}

func (r runs) median(figure func(run) float64) float64 { return measure.Median(r.of(figure)) }

func perSecond(r run) float64 { return r.perSecond }
func perCPU(r run) float64    { return r.perCPU }
func peak(r run) float64      { return r.peak }

// contender is a side with an input and settings.
type contender struct {
	name, side string
	in         workload
	set        func(*task)
	check      func(context.Context, task, workload) error
}

// contend runs the contenders in turns.
func (s *stage) contend(ctx context.Context, o options, w io.Writer, base task, all []contender) (map[string]runs, error) {
	results := map[string]runs{}
	for round := range o.rounds {
		for i := range all {
			c := all[(i+round)%len(all)] // each begins a round
			t := base
			t.ID, t.Brokers, t.In = name("bench"), s.addr, c.in.topic
			t.Out, t.Dir = t.ID+"-out", s.folder(t.ID)
			if c.set != nil {
				c.set(&t)
			}
			if err := s.makeTopic(ctx, t.Out, o.partitions); err != nil {
				return nil, err
			}
			r, err := s.measured(ctx, c.side, t, c.in, c.check)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			if err := s.drop(ctx, t.ID); err != nil {
				return nil, err
			}
			results[c.name] = append(results[c.name], r)
			fmt.Fprintf(w, "round %d: %-28s %8.0f/s, %8.0f per CPU second, %4.0f MB\n", round+1, c.name, r.perSecond, r.perCPU, r.peak/1e6)
		}
	}
	return results, nil
}

// ratio is the median of the rounds' ratios.
func ratio(a, b runs, figure func(run) float64) float64 {
	return measure.RatioOf(a.of(figure), b.of(figure))
}
