package postgres

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/internal/slab"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
)

// copyTable reads what is left of a table.
func (n *snapshotRun) copyTable(ctx context.Context, db *pgx.Conn, t *snapshotTable) error {
	n.mu.Lock()
	after := n.progress.row(t.ID.String())
	n.mu.Unlock()
	w := &copyWriter{
		ctx: ctx, snapshot: n, table: t, now: time.Now(), any: after != nil,
		blocks:  debezium.NewSourceBlocks(sourceSchema, "postgresql", n.options.Naming.Prefix),
		emitter: debezium.NewEmitter(n.options.Settings, n.headers, nil),
		sent:    make([]pgoutput.Value, len(t.columns)), name: t.ID.String(),
	}
	if err := n.tell(ctx, debezium.TableNote(t.ID.String(), n.names()...)); err != nil {
		return err
	}
	w.emitter.Now(w.now)
	w.lsn, w.xid = int64(n.at), n.xid
	w.sequence = new(sequence).of(n.commit, n.at)
	if _, err := db.PgConn().CopyTo(ctx, w, "COPY ("+t.rest(after)+") TO STDOUT"); err != nil {
		return altered(err, t)
	}
	if err := w.end(); err != nil {
		return err
	}
	n.mu.Lock()
	if !n.progress.whole(t.ID.String()) { // it is empty, or was left off at its last row
		n.progress = n.progress.with(&rowAt{table: t.ID.String(), last: true})
		n.count()
	}
	n.mu.Unlock()
	return n.tell(ctx, debezium.TableDoneNote(t.ID.String(), w.rows, n.names()...))
}

// altered tables are read again by their new definition.
func altered(err error, t *snapshotTable) error {
	if refusedWith(err, noColumn, noTable) && !t.overridden {
		return fmt.Errorf("%w: the table was altered meanwhile: %w", plugin.ErrRetry, err)
	}
	return err
}

// copyWriter makes records of the rows of COPY. One row is always held back, to say of it that it is
// the last of the table.
type copyWriter struct {
	ctx      context.Context
	snapshot *snapshotRun
	table    *snapshotTable
	name     string // of the table
	now      time.Time
	blocks   *debezium.SourceBlocks
	emitter  *debezium.Emitter
	lsn, xid any
	sequence any
	sent     []pgoutput.Value
	any      bool // that a row was read
	rows     int64
	out      []plugin.SourceRecord
	size     int // of out
	// Where rows and positions are made.
	values slab.Slab[any]
	places slab.Slab[position]
	keys   slab.Slab[rowAt]
}

// Write takes one row.
func (w *copyWriter) Write(line []byte) (int, error) {
	t := w.table
	rest := bytes.TrimSuffix(line, []byte{'\n'})
	for i := range w.sent {
		w.sent[i] = pgoutput.Value{Kind: 'n'}
	}
	row := w.keys.One()
	row.table = w.name
	var keys [8][]byte
	key := keys[:0]
	for i, place := range t.place {
		field := rest
		if end := bytes.IndexByte(rest, '\t'); end >= 0 && i < len(t.place)-1 {
			field, rest = rest[:end], rest[end+1:]
		}
		if containsInt(t.keyAt, i) {
			key = append(key, field)
		}
		if len(field) != 2 || field[0] != '\\' || field[1] != 'N' {
			w.sent[place] = pgoutput.Value{Kind: 't', Data: field}
		}
	}
	w.rows++
	row.key, row.keyed = t.keyText(key), len(t.keyAt) > 0
	for i := range w.sent {
		w.sent[i].Data = unescape(w.sent[i].Data)
	}
	return len(line), w.row(row, len(line))
}

func (w *copyWriter) row(at *rowAt, size int) error {
	n, t := w.snapshot, w.table
	room := &w.values
	if size > mostShared {
		room = nil
	}
	values, err := t.row(room, w.sent, nil, func(column string, err error) error {
		if !n.options.lenient {
			return fmt.Errorf("the column %s: %w", column, err)
		}
		n.log.Warn("postgres: null stands for a value that cannot be converted, as event.converting.failure.handling.mode says", "table", t.ID.String(), "column", column, "error", err)
		return nil
	})
	if err != nil {
		return err
	}
	mark := debezium.InSnapshot
	switch {
	case w.any:
	case t.first:
		mark = debezium.FirstInSnapshot
	default:
		mark = debezium.FirstOfTable
	}
	w.any = true
	b := w.blocks.New(w.now, mark, n.options.database)
	b.Values[debezium.SourceSequence] = w.sequence
	b.Values[sourceSchemaName], b.Values[sourceTable] = t.schema, t.name
	b.Values[sourceXID], b.Values[sourceLSN] = w.xid, w.lsn
	p := w.places.One()
	*p = position{partition: n.partition, lsn: n.at, commit: n.commit, flush: n.at, xid: uint32(n.xid), micros: w.now.UnixMicro(), row: at, history: n.history, published: n.published}
	from := len(w.out)
	w.out = w.emitter.Append(w.out, &debezium.Change{Op: debezium.Read, Table: t.Table, After: values, Source: b, At: p, End: true, Bytes: 700 + 3*size})
	w.size += 700 + 3*size
	if from == len(w.out) || len(w.out) < batchRecords && w.size < n.queue.Batch() {
		return nil
	}
	return w.flush(len(w.out) - 1)
}

func (w *copyWriter) flush(count int) error {
	w.emitter.Now(time.Now())
	w.size = 0
	err := w.snapshot.emit(w.ctx, w.out[:count])
	kept := copy(w.out, w.out[count:])
	w.out = w.out[:kept]
	return err
}

// end marks the last row.
func (w *copyWriter) end() error {
	if len(w.out) == 0 {
		return nil
	}
	last := &w.out[len(w.out)-1]
	last.At.(*position).row.last = true
	mark := debezium.LastOfTable
	block := sourceOf(last)
	switch {
	case w.table.last:
		mark = debezium.LastInSnapshot
	case block.Values[debezium.SourceSnapshot] == string(debezium.FirstInSnapshot):
		mark = debezium.FirstInSnapshot
	}
	block.Values[debezium.SourceSnapshot] = string(mark)
	return w.flush(len(w.out))
}

func sourceOf(r *plugin.SourceRecord) *data.Struct {
	return r.Value.(*data.Struct).Values[debezium.EnvelopeSource].(*data.Struct)
}

// markLast says that a record is the last of a snapshot.
func markLast(r *plugin.SourceRecord) {
	sourceOf(r).Values[debezium.SourceSnapshot] = string(debezium.LastInSnapshot)
}
