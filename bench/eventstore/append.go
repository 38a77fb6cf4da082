// Package eventstore measures the event store: appending beside other ways and
// libraries, replaying, and projecting.
package eventstore

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"github.com/pabal-dev/pabal/bench/measure"
	"io"
	"time"
)

// appending says how much is measured.
type appending struct {
	rounds, entities, connections, bytes int
	duration                             time.Duration
}

// Append measures appends of one event per command, each to an entity of its own,
// in rounds that take turns; figures are medians of the rounds. PostgreSQL has
// fsync=on, every side a database of its own on it:
//
//   - pabal_per_s: events per second through a journal.Writer, whose transactions
//     concurrent appends share;
//   - pekko_shape_per_s: the INSERT of Pekko's plugin, a transaction each, on as many
//     connections as Pabal's pool has; ratio_pekko_shape is the first over it;
//   - goes_per_s, hallgren_per_s: the Go libraries modernice/goes and
//     hallgren/eventsourcing with their PostgreSQL stores; ratio_goes, ratio_hallgren;
//   - sqlite_per_s: Pabal on SQLite, synchronous=FULL;
//   - single_entity_ratio: one entity, one append after the other, over Pekko's
//     INSERT doing the same.
//
// After each run the tables must hold what was acknowledged, or there are no
// figures.
func Append(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	a := appending{}
	flags := flag.NewFlagSet("journal-append", flag.ContinueOnError)
	flags.IntVar(&a.rounds, "rounds", 3, "rounds")
	flags.IntVar(&a.entities, "entities", 256, "entities that append at the same time")
	flags.IntVar(&a.connections, "connections", 32, "connections of each side's pool")
	flags.IntVar(&a.bytes, "bytes", 256, "bytes of a payload")
	flags.DurationVar(&a.duration, "duration", 4*time.Second, "how long each side appends in a round")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if a.rounds < 1 || a.entities < 1 || a.connections < 1 || a.bytes < 2 || a.duration <= 0 {
		return nil, errors.New("every number must be above 0, and a payload has at least 2 bytes")
	}
	server, err := measure.StartPostgres(ctx, w)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	rates := map[string][]float64{}
	for round := range a.rounds {
		for _, c := range a.contests() {
			rate, err := a.run(ctx, server.URL, c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			fmt.Fprintf(w, "round %d: %-16s %8.0f events/s\n", round+1, c.name, rate)
			rates[c.name] = append(rates[c.name], rate)
		}
	}
	per := func(name string) float64 { return measure.Median(rates[name]) }
	return map[string]float64{
		"pabal_per_s": per("pabal"), "pekko_shape_per_s": per("pekko shape"), "goes_per_s": per("goes"),
		"hallgren_per_s": per("hallgren"), "sqlite_per_s": per("sqlite"), "single_entity_per_s": per("single"),
		"ratio_pekko_shape":   measure.RatioOf(rates["pabal"], rates["pekko shape"]),
		"ratio_goes":          measure.RatioOf(rates["pabal"], rates["goes"]),
		"ratio_hallgren":      measure.RatioOf(rates["pabal"], rates["hallgren"]),
		"single_entity_ratio": measure.RatioOf(rates["single"], rates["single pekko"]),
	}, nil
}

// contest is one way to append.
type contest struct {
	name     string
	open     func(ctx context.Context, url string, a appending) (store, error)
	entities int
}

func (a appending) contests() []contest {
	return []contest{
		{"pabal", openPabal, a.entities},
		{"pekko shape", openPekkoShape, a.entities},
		{"goes", openGoes, a.entities},
		{"hallgren", openHallgren, a.entities},
		{"sqlite", openSQLite, a.entities},
		{"single", openPabal, 1},
		{"single pekko", openPekkoShape, 1},
	}
}

// store is one side with its connections.
type store interface {
	// append stores the event with that number of an entity, and returns when it is
	// committed.
	append(ctx context.Context, entity int, seqNr int64, payload []byte) error
	// count is how many events are stored.
	count(ctx context.Context) (int64, error)
	close() error
}

func (a appending) run(ctx context.Context, server string, c contest) (rate float64, err error) {
	where, drop, err := measure.FreshDatabase(ctx, server)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	s, err := c.open(ctx, where, a)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	acknowledged, rate, err := a.load(ctx, s, c.entities)
	if err != nil {
		return 0, err
	}
	stored, err := s.count(ctx)
	if err == nil && stored != acknowledged {
		err = fmt.Errorf("%d events are stored, %d were acknowledged", stored, acknowledged)
	}
	return rate, err
}
