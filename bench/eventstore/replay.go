package eventstore

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage/postgres"
	"golang.org/x/sync/errgroup"
)

// replaying says how much is measured.
type replaying struct {
	rounds, entities, events, readers, bytes int
}

func (r replaying) total() int64 { return int64(r.entities) * int64(r.events) }

// Replay measures how fast events come back from PostgreSQL; figures are medians of
// the rounds:
//
//   - replay_per_s: events per second when entities are loaded by persistence id,
//     several at a time, without decoding their payloads;
//   - replay_json_per_s: the same with each payload decoded as JSON into a struct;
//   - slices_per_s: the whole journal read by slices, as a projection reads it.
func Replay(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	r := replaying{}
	flags := flag.NewFlagSet("journal-replay", flag.ContinueOnError)
	flags.IntVar(&r.rounds, "rounds", 3, "rounds")
	flags.IntVar(&r.entities, "entities", 100, "entities")
	flags.IntVar(&r.events, "events", 10_000, "events of each entity")
	flags.IntVar(&r.readers, "readers", 2, "entities, or slice ranges, that are read at a time")
	flags.IntVar(&r.bytes, "bytes", 256, "bytes of a payload")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if r.rounds < 1 || r.entities < 1 || r.events < 1 || r.readers < 1 || r.bytes < 64 {
		return nil, errors.New("every number must be above 0, and a payload has at least 64 bytes")
	}
	server, err := measure.StartPostgres(ctx, w)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	db, err := postgres.Open(ctx, server.URL, postgres.Config{MaxConns: int32(r.readers), Logger: measure.Quiet})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := r.fill(ctx, db); err != nil {
		return nil, err
	}
	if _, err := db.Pool().Exec(ctx, "VACUUM ANALYZE event_journal"); err != nil {
		return nil, err
	}
	rates := map[string][]float64{}
	for round := range r.rounds {
		for name, read := range map[string]func(context.Context, *postgres.DB, func(journal.Event) error) error{
			"replay_per_s": r.byEntity, "replay_json_per_s": r.decoded, "slices_per_s": r.bySlices,
		} {
			rate, err := r.timed(ctx, db, read)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			fmt.Fprintf(w, "round %d: %-18s %9.0f\n", round+1, name, rate)
			rates[name] = append(rates[name], rate)
		}
	}
	figures := map[string]float64{}
	for name, of := range rates {
		figures[name] = measure.Median(of)
	}
	return figures, nil
}

type itemAdded struct {
	Item  string `json:"item"`
	Count int64  `json:"count"`
	Note  string `json:"note"`
}

func registry() (*journal.Registry, error) {
	return journal.NewRegistry(journal.JSON(journal.TypeOf[itemAdded]("item-added")))
}

func (r replaying) fill(ctx context.Context, db *postgres.DB) error {
	types, err := registry()
	if err != nil {
		return err
	}
	payload, err := types.Marshal(itemAdded{"socks", 3, strings.Repeat("x", r.bytes-44)})
	if err != nil {
		return err
	}
	events := make([]journal.NewEvent, min(r.events, 500))
	for i := range events {
		events[i].Payload = payload
	}
	writer := event.NewID()
	for entity := range r.entities {
		for after := 0; after < r.events; {
			n := min(len(events), r.events-after)
			results, err := db.AppendGroup(ctx, []journal.Write{{
				PersistenceID: pid(entity), After: int64(after), Writer: writer, Events: events[:n],
			}})
			if err := errors.Join(err, errOf(results)); err != nil {
				return err
			}
			after += n
		}
	}
	return nil
}

func pid(entity int) string { return fmt.Sprintf("Cart|%d", entity) }

func errOf(results []journal.Result) (err error) {
	for _, r := range results {
		err = errors.Join(err, r.Err)
	}
	return err
}

// timed reads all and checks that it was all.
func (r replaying) timed(ctx context.Context, db *postgres.DB, read func(context.Context, *postgres.DB, func(journal.Event) error) error) (float64, error) {
	var n atomic.Int64
	began := time.Now()
	err := read(ctx, db, func(journal.Event) error {
		n.Add(1)
		return nil
	})
	took := time.Since(began)
	if err == nil && n.Load() != r.total() {
		err = fmt.Errorf("%d events came back, %d are stored", n.Load(), r.total())
	}
	return float64(n.Load()) / took.Seconds(), err
}

func (r replaying) byEntity(ctx context.Context, db *postgres.DB, fn func(journal.Event) error) error {
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(r.readers)
	for entity := range r.entities {
		all.Go(func() error { return db.Events(ctx, pid(entity), 1, 0, fn) })
	}
	return all.Wait()
}

func (r replaying) decoded(ctx context.Context, db *postgres.DB, fn func(journal.Event) error) error {
	types, err := registry()
	if err != nil {
		return err
	}
	return r.byEntity(ctx, db, func(e journal.Event) error {
		if _, err := types.Unmarshal(e.Payload); err != nil {
			return err
		}
		return fn(e)
	})
}

func (r replaying) bySlices(ctx context.Context, db *postgres.DB, fn func(journal.Event) error) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, slices := range journal.SliceRanges(r.readers) {
		all.Go(func() error {
			q := journal.Query{Slices: slices, Limit: 5000}
			for more := true; more; {
				page, err := db.Page(ctx, q)
				if err != nil {
					return err
				}
				for _, e := range page.Events {
					if err := fn(e); err != nil {
						return err
					}
				}
				q.After, more = page.Cursor, page.More
			}
			return nil
		})
	}
	return all.Wait()
}
