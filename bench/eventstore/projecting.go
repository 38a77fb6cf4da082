package eventstore

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// projecting says how much is measured.
type projecting struct {
	rounds, perSecond, entities, backlog, bytes int
	duration                                    time.Duration
}

// Projection measures an exactly-once projection on PostgreSQL, on the database of
// its journal; figures are medians of the rounds:
//
//   - p50_ms, p99_ms: from an append's answer to when the projection's row of it is
//     committed (seen by a query every millisecond), at 2,000 appends a second;
//   - catchup_per_s: events per second of a backlog, with a handler that takes them
//     in groups and keeps a count per entity.
//
// Afterwards the view must have every event once, or there are no figures.
func Projection(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	p := projecting{}
	flags := flag.NewFlagSet("projection", flag.ContinueOnError)
	flags.IntVar(&p.rounds, "rounds", 3, "rounds")
	flags.IntVar(&p.perSecond, "per-second", 2000, "appends per second")
	flags.IntVar(&p.entities, "entities", 1000, "entities")
	flags.IntVar(&p.backlog, "backlog", 1_000_000, "events of the backlog")
	flags.IntVar(&p.bytes, "bytes", 256, "bytes of a payload")
	flags.DurationVar(&p.duration, "duration", 10*time.Second, "how long events are appended one by one")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if p.rounds < 1 || p.perSecond < 1 || p.entities < 1 || p.backlog < p.entities || p.bytes < 64 || p.duration <= 0 {
		return nil, errors.New("every number must be above 0, a payload has at least 64 bytes, and every entity an event of the backlog")
	}
	server, err := measure.StartPostgres(ctx, w)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	figures := map[string][]float64{}
	for round := range p.rounds {
		one := map[string]float64{}
		if err := p.round(ctx, server.URL, one); err != nil {
			return nil, err
		}
		fmt.Fprintf(w, "round %d: p50 %.1f ms, p99 %.1f ms, catching up %.0f events/s\n",
			round+1, one["p50_ms"], one["p99_ms"], one["catchup_per_s"])
		for name, value := range one {
			figures[name] = append(figures[name], value)
		}
	}
	out := map[string]float64{}
	for name, values := range figures {
		out[name] = measure.Median(values)
	}
	return out, nil
}

func (p projecting) round(ctx context.Context, server string, figures map[string]float64) error {
	for _, figure := range []func(context.Context, *postgres.DB, map[string]float64) error{p.latency, p.catchUp} {
		where, drop, err := measure.FreshDatabase(ctx, server)
		if err != nil {
			return err
		}
		db, err := postgres.Open(ctx, where, postgres.Config{MaxConns: 16, Logger: measure.Quiet})
		if err != nil {
			return errors.Join(err, drop())
		}
		if err := errors.Join(figure(ctx, db, figures), db.Close(), drop()); err != nil {
			return err
		}
	}
	return nil
}

// running runs do while a projection with that handler runs.
func running(ctx context.Context, db *postgres.DB, handler projection.GroupHandler[*postgres.Tx], do func() error) error {
	p, err := projection.New(db, db, projection.Config[*postgres.Tx]{Name: "bench", Grouped: handler, Logger: measure.Quiet})
	if err != nil {
		return err
	}
	if err := p.Start(ctx); err != nil {
		return err
	}
	return errors.Join(do(), p.Health(), p.Stop(ctx))
}

// latency appends at a steady rate, whatever the answers take.
func (p projecting) latency(ctx context.Context, db *postgres.DB, figures map[string]float64) error {
	if _, err := db.Pool().Exec(ctx, "CREATE TABLE seen (id bigserial PRIMARY KEY, persistence_id text, seq_nr bigint, UNIQUE (persistence_id, seq_nr))"); err != nil {
		return err
	}
	handler := func(ctx context.Context, tx *postgres.Tx, es []projection.Envelope) error {
		ids, seqNrs := keys(es)
		_, err := tx.Exec(ctx, "INSERT INTO seen (persistence_id, seq_nr) SELECT * FROM unnest($1::text[], $2::bigint[])", ids, seqNrs)
		return err
	}
	return running(ctx, db, handler, func() error {
		answered, err := p.send(ctx, db)
		if err != nil {
			return err
		}
		var taken []float64
		for answer := range answered {
			taken = append(taken, answer)
		}
		taken = taken[int(warmUp.Seconds()*float64(p.perSecond)):]
		slices.Sort(taken)
		figures["p50_ms"], figures["p99_ms"] = quantile(taken, 0.5), quantile(taken, 0.99)
		return nil
	})
}

// warmUp is how long the latencies do not count at first: slices are claimed and
// statements prepared.
const warmUp = time.Second

func quantile(sorted []float64, q float64) float64 {
	return sorted[min(int(math.Ceil(q*float64(len(sorted)))), len(sorted))-1]
}

type key struct {
	id    string
	seqNr int64
}

func keys(es []projection.Envelope) (ids []string, seqNrs []int64) {
	for _, e := range es {
		ids, seqNrs = append(ids, e.PersistenceID), append(seqNrs, e.SeqNr)
	}
	return ids, seqNrs
}

// send appends and watches; the latencies are in milliseconds.
func (p projecting) send(ctx context.Context, db *postgres.DB) (<-chan float64, error) {
	writer := journal.NewWriter(db, journal.WriterConfig{Logger: measure.Quiet})
	if err := writer.Start(ctx); err != nil {
		return nil, err
	}
	total := int((warmUp + p.duration).Seconds() * float64(p.perSecond))
	var mu sync.Mutex
	answers := map[key]time.Time{}
	var all sync.WaitGroup
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	seen := make(chan error, 1)
	latencies := make(chan float64, total)
	go func() {
		seen <- p.watch(ctx, db, total, func(k key, at time.Time) {
			mu.Lock()
			defer mu.Unlock()
			// Where the answer is slower than the projection, there was no latency.
			taken := 0.0
			if answered, ok := answers[k]; ok {
				taken = max(0, float64(at.Sub(answered))/float64(time.Millisecond))
			}
			latencies <- taken
		})
	}()
	began, id := time.Now(), event.NewID()
	busy := make([]sync.Mutex, p.entities) // an entity's appends come one after the other
	next := make([]int64, p.entities)
	for i := range total {
		wait(ctx, time.Until(began.Add(time.Duration(i)*time.Second/time.Duration(p.perSecond))))
		if ctx.Err() != nil {
			break
		}
		entity := i % p.entities
		busy[entity].Lock()
		all.Go(func() {
			defer busy[entity].Unlock()
			appended, err := writer.Append(ctx, journal.Write{PersistenceID: pid(entity), After: next[entity], Writer: id,
				Events: []journal.NewEvent{{Payload: journal.Payload{Serializer: 4, Data: make([]byte, p.bytes)}}}})
			if err != nil {
				fail(err)
				return
			}
			next[entity]++
			mu.Lock()
			answers[key{pid(entity), appended.SeqNr}] = time.Now()
			mu.Unlock()
		})
	}
	all.Wait()
	err := errors.Join(<-seen, writer.Stop(ctx))
	close(latencies)
	return latencies, errors.Join(err, context.Cause(ctx))
}

const watchTimeout = time.Minute

// watch reports each row of the view as soon as it is committed.
func (p projecting) watch(ctx context.Context, db *postgres.DB, total int, report func(key, time.Time)) error {
	found := map[int64]bool{}
	var low int64 // all ids up to it were found: ids become visible out of order
	for changed := time.Now(); len(found) < total; wait(ctx, time.Millisecond) {
		rows, err := db.Pool().Query(ctx, "SELECT id, persistence_id, seq_nr FROM seen WHERE id > $1", low)
		if err != nil {
			return err
		}
		now := time.Now()
		for rows.Next() {
			var id int64
			var k key
			if err := rows.Scan(&id, &k.id, &k.seqNr); err != nil {
				return err
			}
			if !found[id] {
				found[id], changed = true, now
				report(k, now)
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for found[low+1] {
			low++
		}
		if time.Since(changed) > watchTimeout {
			return fmt.Errorf("the view has %d of %d events, and nothing has come for %v", len(found), total, watchTimeout)
		}
	}
	return nil
}

// catchUp times a projection that has everything before it.
func (p projecting) catchUp(ctx context.Context, db *postgres.DB, figures map[string]float64) error {
	fill := replaying{entities: p.entities, events: p.backlog / p.entities, bytes: p.bytes}
	if err := fill.fill(ctx, db); err != nil {
		return err
	}
	if _, err := db.Pool().Exec(ctx, "CREATE TABLE counted (persistence_id text PRIMARY KEY, n bigint NOT NULL)"); err != nil {
		return err
	}
	handler := func(ctx context.Context, tx *postgres.Tx, es []projection.Envelope) error {
		ids, _ := keys(es)
		_, err := tx.Exec(ctx, `INSERT INTO counted SELECT id, count(*) FROM unnest($1::text[]) AS id GROUP BY id ORDER BY id
			ON CONFLICT (persistence_id) DO UPDATE SET n = counted.n + EXCLUDED.n`, ids)
		return err
	}
	began := time.Now()
	return running(ctx, db, handler, func() error {
		for ; ; wait(ctx, 5*time.Millisecond) {
			var n int64
			if err := db.Pool().QueryRow(ctx, "SELECT coalesce(sum(n), 0) FROM counted").Scan(&n); err != nil {
				return err
			}
			if n >= fill.total() || time.Since(began) > 5*watchTimeout {
				figures["catchup_per_s"] = float64(n) / time.Since(began).Seconds()
				break
			}
		}
		var wrong int64
		err := db.Pool().QueryRow(ctx, "SELECT count(*) FROM counted WHERE n <> $1", fill.events).Scan(&wrong)
		if err == nil && wrong > 0 {
			err = fmt.Errorf("%d entities have not exactly %d events in the view", wrong, fill.events)
		}
		return err
	})
}
