package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pabal-dev/pabal/journal"
)

// view is a transaction that reads the journal as of one moment.
type view struct {
	db     *DB
	conn   *pgxpool.Conn
	kind   journal.Kind
	sees   snapshot
	now    time.Time // the server's
	server string
}

const beginView = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

// look runs fn in a view. A connection whose transaction did not end well is
// closed by its release.
func (db *DB) look(ctx context.Context, kind journal.Kind, fn func(*view) error) error {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return lost("connect", err)
	}
	defer conn.Release()
	v := &view{db: db, conn: conn, kind: kind}
	if err := v.begin(ctx); err != nil {
		return err
	}
	return fn(v)
}

// begin also makes sure that the numbers in the table are of this server.
func (v *view) begin(ctx context.Context) error {
	for {
		started, err := v.open(ctx)
		if err != nil {
			return err
		}
		known := false
		if v.server, known = v.db.servers.known(started, v.kind); known {
			return nil
		}
		if _, err := v.conn.Exec(ctx, "ROLLBACK"); err != nil {
			return err
		}
		if err := v.db.meetServer(ctx, v.conn, started, v.kind); err != nil {
			return err
		}
	}
}

func (v *view) open(ctx context.Context) (started time.Time, err error) {
	var sees string
	var set string
	batch := &pgx.Batch{}
	batch.Queue(beginView)
	batch.Queue(v.db.names.sql(slicesHead)).QueryRow(func(row pgx.Row) error {
		return row.Scan(&sees, &v.now, &started, &set, &set, &set, &set)
	})
	if err := v.conn.SendBatch(ctx, batch).Close(); err != nil {
		return started, err
	}
	v.now = v.now.UTC()
	v.sees, err = parseSnapshot(sees)
	return started.UTC(), err
}

// end runs the last queries of the view; one round trip.
func (v *view) end(ctx context.Context, queries *pgx.Batch) error {
	queries.Queue("COMMIT")
	return v.conn.SendBatch(ctx, queries).Close()
}

func (v *view) sql(s perKind) string { return v.db.names.sql(s[v.kind]) }

// resolve makes a cursor of this server's numbers of one that has none, or those
// of another server.
func (v *view) resolve(ctx context.Context, c cursor) (cursor, error) {
	c, why := c.trusted(v.server, v.sees)
	if why != "" {
		v.db.log.Warn("postgres: the journal is read again from some minutes before, because "+why,
			"from", c.From, "server", v.server)
	}
	if c.From == nil {
		c.Server = v.server
		return c, nil
	}
	var lowest *uint64
	if err := v.conn.QueryRow(ctx, v.sql(slicesSince), *c.From).Scan(&lowest); err != nil {
		return cursor{}, err
	}
	since := cursor{Server: v.server, Time: *c.From, Before: &place{Time: *c.From}}
	if lowest != nil {
		since.XID = *lowest
	} else if err := v.conn.QueryRow(ctx, v.sql(slicesHighest), all(v.sees).low, all(v.sees).high).Scan(&since.XID); err == nil {
		since.XID++
	} else if err != pgx.ErrNoRows {
		return cursor{}, err
	}
	since.Open = below(v.sees.running, since.XID)
	if c.Server == "" {
		return since, nil
	}
	c.From = nil
	return since.and(c), nil
}

// all is every transaction of the snapshot, the latest first.
func all(s snapshot) spans { return cursor{}.unseen(s) }
