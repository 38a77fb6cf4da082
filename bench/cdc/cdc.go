// Package cdc measures change data capture: Pabal's connectors as "pabal up" runs them, and
// beside them Debezium in Kafka Connect, from the same changes of the same database into the same
// Apache Kafka, each worker a process of its own.
//
// Records are whole envelopes in JSON without schemas. Ours are exactly-once, as by default;
// Debezium's at-least-once, as by default.
package cdc

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"time"
)

// plan says how much is measured.
type plan struct {
	rounds int
	// changes of the backlog, or rows of the snapshot, that each side is timed with.
	changes int
	// latency is how long changes are made at a steady pace, perSecond of them.
	latency   time.Duration
	perSecond int
	// only is a side to measure alone; "" is all.
	only string
	// program is pabal's; "" is to build it.
	program string
}

func parse(name string, args []string, p plan) (plan, error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.IntVar(&p.rounds, "rounds", 3, "rounds")
	flags.IntVar(&p.changes, "changes", p.changes, "changes, or rows, that each side is timed with")
	flags.DurationVar(&p.latency, "latency", p.latency, "how long changes are made at a steady pace, where latency is measured")
	flags.IntVar(&p.perSecond, "per-second", 10_000, "changes of that pace")
	flags.StringVar(&p.only, "only", "", "measure one side only: "+inProcess+", "+ours+", "+tuned+" or "+standard)
	flags.StringVar(&p.program, "pabal", "", "the program to measure (default: it is built)")
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	if p.rounds < 1 || p.changes < 1000 || p.changes%perTransaction != 0 || p.perSecond < rowsPerInsert || p.latency < 0 {
		return p, errors.New("there are at least 1 round, 1000 changes in hundreds, and 10 changes a second")
	}
	return p, nil
}

// PostgresStream measures the log of PostgreSQL, in rounds that take turns; figures are medians:
//
//   - pabal_per_s: changes per second into the in-process broker; kafka_per_s into Apache Kafka;
//   - debezium_per_s, debezium_default_per_s: Debezium's into that, tuned and as it comes;
//   - ratio_debezium, ratio_debezium_default: kafka_per_s over these;
//   - ratio_cpu: CPU seconds per change, both with Apache Kafka, over those of tuned Debezium;
//   - rss_mb: the most resident memory of our workers, debezium_rss_mb of Debezium's;
//   - p50_ms, p99_ms: from a commit's answer to a read_committed consumer of the in-process broker.
//
// After each run the topic is read and must have every change, ours once, or there are no figures.
func PostgresStream(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	p, err := parse("cdc-postgres-stream", args, plan{changes: 400_000, latency: 15 * time.Second})
	if err != nil {
		return nil, err
	}
	return p.run(ctx, w, startPostgres, stream, inProcess, ours, tuned, standard)
}

// PostgresSnapshot measures the first reading of a table; the figures are named as PostgresStream's.
func PostgresSnapshot(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	p, err := parse("cdc-postgres-snapshot", args, plan{changes: 1_000_000})
	if err != nil {
		return nil, err
	}
	return p.run(ctx, w, startPostgres, snapshot, inProcess, ours, tuned, standard)
}

// MongoDB measures a change stream; the figures are named as PostgresStream's.
func MongoDB(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	p, err := parse("cdc-mongodb", args, plan{changes: 200_000})
	if err != nil {
		return nil, err
	}
	return p.run(ctx, w, startMongoDB, stream, ours, tuned, standard)
}

// MariaDB measures the binary log; the figures are named as PostgresStream's.
func MariaDB(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	p, err := parse("cdc-mariadb", args, plan{changes: 400_000})
	if err != nil {
		return nil, err
	}
	return p.run(ctx, w, startMariaDB, stream, ours, tuned, standard)
}

func (p plan) run(ctx context.Context, w io.Writer, open func(context.Context) (database, error), how measured, sides ...string) (map[string]float64, error) {
	if p.only != "" {
		sides = []string{p.only}
	}
	db, err := open(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w (scripts/install-test-servers gets it)", err)
	}
	defer db.close()
	s, err := openStage(ctx, p.program, sides)
	if err != nil {
		return nil, err
	}
	defer s.close()
	fmt.Fprintf(w, "%s, %s\n", db.title(), s.title())
	r := results{}
	for round := range p.rounds {
		if err := p.round(ctx, s, db, how, rotated(sides, round), r, w); err != nil {
			return nil, err
		}
	}
	return r.figures(), nil
}

// rotated so that each side begins a round.
func rotated(sides []string, round int) []string {
	n := round % len(sides)
	return append(append([]string(nil), sides[n:]...), sides[:n]...)
}

// measured is how the sides of a round are timed with a database.
type measured func(ctx context.Context, s *stage, db database, sides []string, changes int) (map[string]run, error)

func (p plan) round(ctx context.Context, s *stage, db database, how measured, sides []string, r results, w io.Writer) error {
	runs, err := how(ctx, s, db, sides, p.changes)
	if err != nil {
		return err
	}
	for _, side := range sides {
		one := runs[side]
		r.add(side, one)
		fmt.Fprintf(w, "%-17s %8.0f/s, %6.1f CPU s per million, %5.0f MB\n", side, one.perSecond, one.cpu*1e6, one.rss)
	}
	if db, ok := db.(*postgresDB); ok && p.latency > 0 && s.sides[inProcess] != nil {
		p50, p99, rss, err := s.latency(ctx, db, p.latency, p.perSecond)
		if err != nil {
			return fmt.Errorf("latency: %w", err)
		}
		r["p50_ms"], r["p99_ms"], r["rss_mb"] = append(r["p50_ms"], p50), append(r["p99_ms"], p99), append(r["rss_mb"], rss)
		fmt.Fprintf(w, "%-17s p50 %.1f ms, p99 %.1f ms at %d/s\n", inProcess, p50, p99, p.perSecond)
	}
	return nil
}

func rounded(f float64) float64 {
	if f >= 1000 {
		return math.Round(f)
	}
	return math.Round(f*100) / 100
}
