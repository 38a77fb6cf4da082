// Package outboxrelay measures the way from a PostgreSQL outbox to a topic: Pabal's
// relay, and beside it Watermill's forwarder from its SQL subscriber to Kafka. Each
// runs in a process of its own.
package outboxrelay

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"github.com/pabal-dev/pabal/bench/measure"
	"io"
	"math"
	"slices"
	"time"
)

// plan says how much is measured.
type plan struct {
	rounds int
	// rows of the backlog that the relay, and the forwarder, is timed with.
	rows, watermillRows int
	// bytes of a payload.
	bytes int
	// latency is how long messages are sent one by one, perSecond of them.
	latency   time.Duration
	perSecond int
}

// Run measures, in rounds that take turns; figures are medians of the rounds:
//
//   - pabal_per_s: rows published and removed per second, into the in-process broker;
//   - kafka_per_s: the same into Apache Kafka;
//   - watermill_per_s: rows forwarded per second into that Apache Kafka;
//   - ratio_watermill: kafka_per_s over watermill_per_s;
//   - p99_ms, p50_ms: from a commit to a read_committed consumer, at 1,000 messages
//     a second, through the in-process broker;
//   - rss_mb: the relay process's largest resident memory of all runs.
//
// After each run the topic is read and must hold every row once and in its key's
// order (the forwarder's: at least once); otherwise there are no figures.
func Run(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	p := plan{}
	flags := flag.NewFlagSet("outbox-relay", flag.ContinueOnError)
	flags.IntVar(&p.rounds, "rounds", 3, "rounds")
	flags.IntVar(&p.rows, "rows", 600_000, "rows of the backlog for the relay")
	flags.IntVar(&p.watermillRows, "watermill-rows", 20_000, "rows of the backlog for Watermill's forwarder")
	flags.IntVar(&p.bytes, "bytes", 256, "bytes of a payload")
	flags.DurationVar(&p.latency, "latency", 15*time.Second, "how long messages are sent one by one")
	flags.IntVar(&p.perSecond, "per-second", 1000, "messages sent one by one per second")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if p.rounds < 1 || p.rows < 1 || p.watermillRows < 1 || p.bytes < 2 || p.perSecond < 1 || p.latency <= 0 {
		return nil, errors.New("every number must be above 0, and a payload has at least 2 bytes")
	}
	s, err := openStage(ctx, w)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return p.measure(ctx, s, w)
}

// results are the figures of every round, by name.
type results map[string][]float64

func (p plan) measure(ctx context.Context, s *stage, w io.Writer) (map[string]float64, error) {
	r := results{}
	for round := range p.rounds {
		if err := p.round(ctx, s, r); err != nil {
			return nil, err
		}
		fmt.Fprintf(w, "round %d: in-process broker %.0f/s, Apache Kafka %.0f/s, Watermill to the same %.0f/s; p50 %.1f ms, p99 %.1f ms; relay %.0f MB\n",
			round+1, last(r["pabal_per_s"]), last(r["kafka_per_s"]), last(r["watermill_per_s"]),
			last(r["p50_ms"]), last(r["p99_ms"]), last(r["rss_mb"]))
	}
	figures := map[string]float64{}
	for name, values := range r {
		figures[name] = round1(measure.Median(values))
	}
	figures["ratio_watermill"] = round1(measure.Median(r["kafka_per_s"]) / measure.Median(r["watermill_per_s"]))
	figures["rss_mb"] = round1(slices.Max(r["rss_mb"]))
	return figures, nil
}

func (p plan) round(ctx context.Context, s *stage, r results) error {
	var most float64
	for _, run := range []struct {
		figure, who string
		rows        int
		apache      bool
	}{
		{"pabal_per_s", pabal, p.rows, false},
		{"watermill_per_s", watermill, p.watermillRows, true},
		{"kafka_per_s", pabal, p.rows, true},
	} {
		done, err := s.drain(ctx, run.who, run.rows, p.bytes, run.apache)
		if err != nil {
			return fmt.Errorf("%s: %w", run.figure, err)
		}
		r[run.figure] = append(r[run.figure], done.perSecond())
		if run.who == pabal {
			most = max(most, done.RSS)
		}
	}
	p50, p99, err := s.latency(ctx, p.latency, p.perSecond, p.bytes)
	if err != nil {
		return fmt.Errorf("latency: %w", err)
	}
	r["p50_ms"], r["p99_ms"], r["rss_mb"] = append(r["p50_ms"], p50), append(r["p99_ms"], p99), append(r["rss_mb"], most)
	return nil
}

func last(of []float64) float64 { return of[len(of)-1] }

func round1(f float64) float64 { return math.Round(f*10) / 10 }
