// Package demoorders measures the demo as a newcomer runs it: the built binary,
// SQLite, the broker, the four services and the traffic in one process.
package demoorders

import (
	"context"
	"flag"
	"fmt"
	"github.com/pabal-dev/pabal/bench/measure"
	"io"
	"os"
	"path/filepath"
	"time"
)

// plan says how much is measured.
type plan struct {
	rounds   int
	starts   int           // per round
	duration time.Duration // of each run under load
	// underWay is how many orders there are at a time while the highest rate
	// is looked for.
	underWay int
}

// Run measures, in rounds that take turns:
//
//   - first_order_s: from the start of the process to its first approved order;
//   - orders_per_s: the rate at which orders end while a fixed number is kept
//     under way, so that no backlog can grow;
//   - p99_ms_half_rate: the 99th percentile from the moment a POST is due to the
//     final state in the log, at half the rate of that round.
//
// Each figure is the median of the rounds. A run whose invariants do not hold
// is an error, not a figure.
func Run(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	p := plan{}
	flags := flag.NewFlagSet("demo-orders", flag.ContinueOnError)
	flags.IntVar(&p.rounds, "rounds", 3, "rounds")
	flags.IntVar(&p.starts, "starts", 3, "starts per round")
	flags.DurationVar(&p.duration, "duration", 20*time.Second, "of each run under load")
	flags.IntVar(&p.underWay, "under-way", 1000, "orders under way at the highest rate")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "pabal-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	binary := filepath.Join(folder, "pabal")
	if err := build(ctx, binary, w); err != nil {
		return nil, err
	}
	return p.measure(ctx, binary, w)
}

func (p plan) measure(ctx context.Context, binary string, w io.Writer) (map[string]float64, error) {
	var first, rate, p99 []float64
	for round := range p.rounds {
		for range p.starts {
			took, err := firstOrder(ctx, binary)
			if err != nil {
				return nil, err
			}
			first = append(first, took.Seconds())
		}
		fastest, err := demo(ctx, binary, "--rate=100000", fmt.Sprintf("--max-open=%d", p.underWay), "--duration="+p.duration.String())
		if err != nil {
			return nil, err
		}
		half, err := demo(ctx, binary, fmt.Sprintf("--rate=%.0f", fastest.Rate/2), "--duration="+p.duration.String())
		if err != nil {
			return nil, err
		}
		rate, p99 = append(rate, fastest.Rate), append(p99, half.Latency.P99)
		fmt.Fprintf(w, "round %d: first order %.2f s (median so far); %.0f orders/s with %d under way (p50 %.0f ms, p99 %.0f ms); at %.0f/s p50 %.1f ms, p99 %.1f ms\n",
			round+1, measure.Median(first), fastest.Rate, p.underWay, fastest.Latency.P50, fastest.Latency.P99, half.Rate, half.Latency.P50, half.Latency.P99)
	}
	return map[string]float64{"orders_per_s": measure.Median(rate), "p99_ms_half_rate": measure.Median(p99), "first_order_s": measure.Median(first)}, nil
}
