package cdc

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// database is what is captured: one table (or collection) of orders, and one for probes.
type database interface {
	title() string
	// begin a round with empty tables.
	begin(ctx context.Context) error
	// config of a connector with the prefix.
	config(prefix string) map[string]string
	// capture is the name of a table in topics, without the prefix.
	capture(table string) string
	// probe makes a change of the table probes.
	probe(ctx context.Context) error
	// change the orders, so many times, in short transactions; deletions are among them.
	change(ctx context.Context, changes int) (deletions int, err error)
	// forget what the server keeps for a connector that is gone.
	forget(ctx context.Context, prefix string) error
	close() error
}

// warmUp is the share of the changes before what is measured: Java compiles as it runs.
const warmUp = 0.25

// stream lets connectors come to the end of the log and stops them, makes changes, and lets one
// after the other come to the end again.
func stream(ctx context.Context, s *stage, db database, sides []string, changes int) (map[string]run, error) {
	if err := db.begin(ctx); err != nil {
		return nil, err
	}
	connectors := map[string]*connector{}
	for _, side := range sides {
		c, err := prepare(ctx, s.sides[side], db)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", side, err)
		}
		connectors[side] = c
	}
	deletions, err := db.change(ctx, changes)
	if err != nil {
		return nil, fmt.Errorf("make changes: %w", err)
	}
	results := map[string]run{}
	for _, side := range sides {
		c := connectors[side]
		if results[side], err = c.drain(ctx, changes, changes+deletions, func() error { return c.worker.resume(ctx, c.name) }); err != nil {
			return nil, fmt.Errorf("%s: %w", side, err)
		}
		if err := c.end(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", side, err)
		}
	}
	return results, nil
}

// snapshot times connectors that read a table for the first time.
func snapshot(ctx context.Context, s *stage, db database, sides []string, rows int) (map[string]run, error) {
	if err := db.begin(ctx); err != nil {
		return nil, err
	}
	if err := db.(*postgresDB).fill(ctx, rows); err != nil {
		return nil, err
	}
	results := map[string]run{}
	for _, side := range sides {
		c, err := newConnector(ctx, s.sides[side], db)
		if err != nil {
			return nil, err
		}
		config := db.config(c.name)
		config["snapshot.mode"] = "initial"
		if results[side], err = c.drain(ctx, rows, rows, func() error { return c.worker.create(ctx, c.name, config) }); err != nil {
			return nil, fmt.Errorf("%s: %w", side, err)
		}
		if err := c.end(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", side, err)
		}
	}
	return results, nil
}

// connector of one round.
type connector struct {
	name   string // and prefix of its topics
	worker *worker
	db     database
	orders *topic
}

func newConnector(ctx context.Context, w *worker, db database) (*connector, error) {
	c := &connector{name: unique("bench_"), worker: w, db: db}
	var err error
	if c.orders, err = w.topic(c.name + "." + db.capture("orders")); err != nil {
		return nil, err
	}
	return c, c.orders.make(ctx)
}

// prepare one that follows the log, and stop it.
func prepare(ctx context.Context, w *worker, db database) (*connector, error) {
	c, err := newConnector(ctx, w, db)
	if err != nil {
		return nil, err
	}
	if err := w.create(ctx, c.name, db.config(c.name)); err != nil {
		return nil, err
	}
	probes, err := w.topic(c.name + "." + db.capture("probes"))
	if err != nil {
		return nil, err
	}
	defer probes.close()
	if err := probes.make(ctx); err != nil {
		return nil, err
	}
	err = await(ctx, c.name+" to follow the log", func() (bool, error) {
		if err := db.probe(ctx); err != nil {
			return false, err
		}
		if n, err := probes.end(ctx); n > 0 || err != nil {
			return n > 0, err
		}
		_, err := w.status(ctx, c.name)
		return false, err
	})
	if err != nil {
		return nil, err
	}
	return c, w.halt(ctx, c.name)
}

// lookInterval is how often the end of the topic is looked at.
const lookInterval = 5 * time.Millisecond

var errAtOnce = errors.New("everything was there at the first look: use more changes")

// drain starts the connector, and times it from the first look that sees it warmed up to the one
// that sees all records.
func (c *connector) drain(ctx context.Context, changes, records int, start func() error) (r run, err error) {
	if err := start(); err != nil {
		return r, err
	}
	first, err := c.reached(ctx, int64(warmUp*float64(records)))
	if err != nil {
		return r, err
	}
	last, err := c.reached(ctx, int64(records))
	if err != nil {
		return r, err
	}
	if first.records >= int64(records) {
		return r, errAtOnce
	}
	if err := c.orders.verify(ctx, records, c.worker.prefix == ourPrefix); err != nil {
		return r, err
	}
	n := float64(int64(records)-first.records) * float64(changes) / float64(records)
	return run{perSecond: n / last.at.Sub(first.at).Seconds(), cpu: (last.cpu - first.cpu) / n, rss: last.rss}, nil
}

// look at a topic and the process that fills it.
type look struct {
	usage
	at      time.Time
	records int64
}

func (c *connector) reached(ctx context.Context, records int64) (l look, err error) {
	const stall = time.Minute
	moved := time.Now()
	for before := int64(0); ; {
		if l.records, err = c.orders.end(ctx); err != nil {
			return l, err
		}
		l.at = time.Now()
		if l.records >= records {
			l.usage, err = usageOf(c.worker.pid)
			return l, err
		}
		if l.records > before {
			before, moved = l.records, l.at
		}
		if time.Since(moved) > stall {
			_, err := c.worker.status(ctx, c.name)
			return l, errors.Join(fmt.Errorf("%s stands still for %s at %d of %d records", c.name, stall, l.records, records), err)
		}
		select {
		case <-ctx.Done():
			return l, ctx.Err()
		case <-time.After(lookInterval):
		}
	}
}

// end removes the connector, and what it wrote.
func (c *connector) end(ctx context.Context) error {
	defer c.orders.close()
	if err := c.worker.halt(ctx, c.name); err != nil {
		return err
	}
	return errors.Join(c.worker.remove(ctx, c.name), c.db.forget(ctx, c.name), c.orders.drop(ctx))
}
