package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	driver "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/feed"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
)

// errBlocking ends a stream that is to stop for a blocking snapshot, which its position asks for.
var errBlocking = errors.New("the stream stops for a blocking snapshot")

// mayBlock says that the stream is to stop for a snapshot, and is between transactions.
func (s *stream) mayBlock() bool {
	return s.chunks != nil && s.catchUp == nil && !s.tx.open && s.resume == nil && s.chunks.State().Blocking() != nil
}

// blocking reads the tables that were asked for as of a place of the log, which the stream comes up
// to first, and returns where the stream goes on. One that cannot be read is given up with a
// warning.
func (r *run) blocking(ctx context.Context, from *position) (*position, error) {
	request := from.chunks.Blocking()
	r.log.Info("mysql: the stream stops for a blocking snapshot", "id", request.ID)
	at, err := r.readBlocked(ctx, from, request)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil:
		r.log.Info("mysql: the blocking snapshot is complete", "id", request.ID, "at", at.place.String())
		return at, nil
	case passing(err) || errors.Is(err, ErrLost) || errors.Is(err, feed.ErrPanic) || errors.Is(err, errStream):
		return nil, err
	}
	r.tablesWanted.Store(r.tablesRead.Load())
	r.log.Warn("mysql: a blocking snapshot is given up", "id", request.ID, "error", err)
	if _, err := r.db.Execute("ROLLBACK"); err != nil {
		return nil, cause(err)
	}
	end := *r.stopped
	end.chunks, end.blocked = end.chunks.Unblocked(), nil
	return &end, nil
}

// errStream is wrapped by errors of the stream before a snapshot, which are not the snapshot's.
var errStream = errors.New("the stream before a blocking snapshot")

func (r *run) readBlocked(ctx context.Context, from *position, request *incremental.Blocking) (*position, error) {
	all, err := r.options.tableNames(r.db)
	if err != nil {
		return nil, err
	}
	names := slices.DeleteFunc(all, func(id debezium.TableID) bool { return !request.Wants(id.String()) })
	locker, err := connect(ctx, r.options.flavor, r.values)
	if err != nil {
		return nil, err
	}
	defer func() { locker.close() }()
	at, tables, err := r.consistent(locker, names)
	if err != nil {
		return nil, err
	}
	if err := r.stream(ctx, from, &catchUp{until: at.place, blocking: true}); err != nil {
		return nil, fmt.Errorf("%w: %w", errStream, err)
	}
	at.chunks, at.tx = r.stopped.chunks, r.stopped.tx
	if at.blocked = r.stopped.blocked; at.blocked == nil {
		at.blocked = &progress{}
	}
	w := &snapshotWriter{
		run: r, ctx: ctx, at: at, done: slices.Clone(at.blocked.Done), started: time.Now(), blocking: request,
		emitter: debezium.NewEmitter(r.options.Settings, r.headers, at),
		blocks:  debezium.NewSourceBlocks(sourceSchemas[r.options.flavor], string(r.options.flavor), r.options.Naming.Prefix),
	}
	if err := w.all(tables); err != nil {
		return nil, err
	}
	end := w.within(nil)
	end.last, end.blocking = false, false
	_, err = r.db.Execute("COMMIT")
	return end, cause(err)
}

// readByKey a table, from the row after the last one that was read. The stream shows all changes
// meanwhile, so that none of the rows before it is missed.
func (w *snapshotWriter) readByKey(d *tableDefinition) error {
	t := &chunkTable{table: w.schemas.build(d), definition: d}
	for _, name := range d.key {
		t.keys = append(t.keys, keyOfColumn(d.column(name)))
	}
	source := quote(d.id.Catalog) + "." + quote(d.id.Table)
	if statement := strings.TrimSpace(w.blocking.Filter(d.id.String())); statement != "" {
		source = "(" + strings.TrimSuffix(statement, ";") + ") AS overridden"
	}
	query := "SELECT " + strings.Join(append(t.columns(), t.selected()...), ", ") + " FROM " + source
	begun := w.at.blocked
	first := begun.Begun != d.id.String()
	if !first && len(begun.After) > 0 && slices.Equal(begun.Key, d.key) {
		query += " WHERE " + t.compare(begun.After, ">", false)
	}
	if len(t.keys) > 0 {
		query += " ORDER BY " + t.order("")
	}
	return w.query(query, func(from []driver.FieldValue) (*snapshotRow, error) {
		one, err := t.row(w.schemas, from)
		if err != nil {
			return nil, err
		}
		row := &snapshotRow{
			table: t.table, begun: d.id.String(), first: first, done: w.done, bytes: one.Bytes,
			values: one.Values[0].(*chunkRow).values, key: d.key, after: one.Key,
		}
		first = false
		return row, nil
	})
}
