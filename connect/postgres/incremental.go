package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/postgres/internal/catalog"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
)

// chunks reads chunks of incremental snapshots, on a connection of its own.
type chunks struct {
	run *run
	db  *pgx.Conn
	// schemas are its own, as another goroutine uses them.
	schemas *schemas
}

func (c *chunks) connect(ctx context.Context) error {
	if c.db != nil && !c.db.IsClosed() {
		return nil
	}
	cfg, err := connection(c.run.values)
	if err != nil {
		return err
	}
	if c.db, err = pgx.ConnectConfig(ctx, cfg); err != nil {
		return err
	}
	c.schemas, err = newSchemas(ctx, c.db, c.run.options, c.run.log)
	return err
}

func (c *chunks) signals() string {
	id := c.run.options.Signals[0]
	return pgx.Identifier{id.Schema, id.Table}.Sanitize()
}

// Mark writes a row into the table of signals.
func (c *chunks) Mark(ctx context.Context, id, kind, text string) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	_, err := c.db.Exec(ctx, "INSERT INTO "+c.signals()+" VALUES ($1, $2, $3)", id, kind, text)
	return err
}

// Unmark deletes it.
func (c *chunks) Unmark(ctx context.Context, id string) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	_, err := c.db.Exec(ctx, "DELETE FROM "+c.signals()+" WHERE id = $1", id)
	return err
}

// chunkTable is a table with the columns of its order.
type chunkTable struct {
	*snapshotTable
	from, condition string
}

func (c *chunks) table(ctx context.Context, t incremental.Table) (*chunkTable, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	names, err := catalog.Names(ctx, c.db)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(names, func(n catalog.Table) bool { return n.Schema == t.ID.Schema && n.Name == t.ID.Table })
	if i < 0 {
		return nil, incremental.ErrUnknownTable
	}
	n := &snapshotRun{run: &run{options: c.run.options, log: c.run.log, db: c.db, schemas: c.schemas}}
	st, err := n.table(ctx, &names[i])
	if err != nil {
		return nil, err
	}
	if t.SurrogateKey != "" {
		st.orderBy(&names[i], t.SurrogateKey, c.schemas)
	}
	if len(st.key) == 0 {
		return nil, incremental.ErrNoKey
	}
	return &chunkTable{snapshotTable: st, from: pgx.Identifier{t.ID.Schema, t.ID.Table}.Sanitize(), condition: t.Condition}, nil
}

// orderBy another column than the primary key; none where there is no such column.
func (t *snapshotTable) orderBy(from *catalog.Table, name string, s *schemas) {
	t.key, t.types, t.keyAt = nil, nil, nil
	for at, place := range t.place {
		if c := from.Columns[place]; c.Name == name {
			typ, _ := s.types.Get(c.Type)
			t.key, t.types, t.keyAt = []string{pgx.Identifier{name}.Sanitize()}, []string{pgx.Identifier{typ.Schema, typ.Name}.Sanitize()}, []int{at}
		}
	}
}

func (t *chunkTable) where(more ...string) string {
	if t.condition != "" {
		more = append(more, "("+t.condition+")")
	}
	if len(more) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(more, " AND ")
}

func (t *chunkTable) row() string { return "ROW(" + strings.Join(t.key, ", ") + ")" }

// Last is the greatest key.
func (c *chunks) Last(ctx context.Context, it incremental.Table) (incremental.Key, error) {
	t, err := c.table(ctx, it)
	if err != nil {
		return nil, err
	}
	rows, err := c.query(ctx, "SELECT "+strings.Join(t.key, ", ")+" FROM "+t.from+t.where()+" ORDER BY "+strings.Join(t.key, " DESC, ")+" DESC LIMIT 1")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	var key incremental.Key
	for _, field := range rows[0] {
		key = append(key, string(field))
	}
	return key, nil
}

// Rows of a chunk.
func (c *chunks) Rows(ctx context.Context, it incremental.Table, after, until incremental.Key, limit int) ([]incremental.Row, error) {
	t, err := c.table(ctx, it)
	if err != nil {
		return nil, err
	}
	conditions := []string{t.row() + " <= " + t.literal(until)}
	if after != nil {
		conditions = append(conditions, t.row()+" > "+t.literal(after))
	}
	rows, err := c.query(ctx, t.statement+t.where(conditions...)+" ORDER BY "+strings.Join(t.key, ", ")+fmt.Sprintf(" LIMIT %d", limit))
	if err != nil {
		return nil, err
	}
	out := make([]incremental.Row, 0, len(rows))
	sent := make([]pgoutput.Value, len(t.columns))
	for _, fields := range rows {
		for i := range sent {
			sent[i] = pgoutput.Value{Kind: 'n'}
		}
		for i, field := range fields {
			if field != nil {
				sent[t.place[i]] = pgoutput.Value{Kind: 't', Data: field}
			}
		}
		values, err := t.table.row(sent, nil, func(column string, err error) error { return fmt.Errorf("the column %s: %w", column, err) })
		if err != nil {
			return nil, err
		}
		one := incremental.Row{ID: rowID(t.table, it.SurrogateKey, values), Values: values, Bytes: 700}
		for _, field := range fields {
			one.Bytes += 3 * len(field)
		}
		for _, at := range t.keyAt {
			one.Key = append(one.Key, string(fields[at]))
		}
		out = append(out, one)
	}
	return out, nil
}

// query in text, as the stream has values.
func (c *chunks) query(ctx context.Context, statement string) ([][][]byte, error) {
	results, err := c.db.PgConn().Exec(ctx, statement).ReadAll()
	if err != nil {
		return nil, err
	}
	return results[0].Rows, nil
}

// rowID is the same for all versions of a row. A table without a key is known by the column that a
// signal names as its surrogate-key.
func rowID(t *table, surrogate string, row []any) string {
	var b strings.Builder
	for _, i := range t.key {
		identify(&b, row[i])
	}
	if len(t.key) > 0 {
		return b.String()
	}
	for i := range t.columns {
		if t.columns[i].name == surrogate {
			identify(&b, row[i])
		}
	}
	return b.String()
}

// identify writes a value that a key has, with its length, so that values do not run together.
func identify(b *strings.Builder, value any) {
	var text string
	switch v := value.(type) {
	case data.Decimal:
		text = v.String()
	case *data.Struct: // a number whose scale varies, a point
		var parts strings.Builder
		if v != nil {
			for _, part := range v.Values {
				identify(&parts, part)
			}
		}
		text = parts.String()
	default:
		text = fmt.Sprintf("%v", v)
	}
	fmt.Fprintf(b, "%d:%s", len(text), text)
}

// close the connection; the worker has stopped.
func (c *chunks) close() {
	if c.db != nil {
		c.run.bye(c.db.Close)
	}
}

// startChunks makes what incremental snapshots need, where there is a table of signals.
func (s *stream) startChunks(from *position) error {
	if len(s.options.Signals) == 0 || s.until != 0 {
		return nil
	}
	v := s.options.Values
	s.chunks = incremental.New(incremental.Config{
		Limit: int(v.Int("incremental.snapshot.chunk.size")), Strategy: strings.ToUpper(v.String("incremental.snapshot.watermarking.strategy")),
	})
	offset := from.offset
	if offset == nil { // one of ours, after a connection was lost
		offset = map[string]any{}
		from.chunks.Put(offset)
	}
	if err := s.chunks.Restore(offset, parseTable); err != nil {
		return err
	}
	db := &chunks{run: s.run}
	s.worker = incremental.NewWorker(db)
	s.closeChunks = func() {
		s.worker.Close()
		db.close()
	}
	return nil
}

func parseTable(name string) (debezium.TableID, bool) { return debezium.ParseTableID(name, false) }

// Known tables are those captured, for patterns in signals.
func (s *stream) Known() []debezium.TableID {
	names, err := s.captured(context.Background())
	if err != nil {
		s.log.Warn("postgres: the names of tables cannot be read for a signal", "error", err)
	}
	var out []debezium.TableID
	for _, t := range names {
		out = append(out, debezium.TableID{Schema: t.Schema, Table: t.Name})
	}
	return out
}

// Parse a table's name.
func (s *stream) Parse(name string) (debezium.TableID, bool) { return parseTable(name) }

// noticed is a change that came by.
func (s *stream) noticed(t *table, c *debezium.Change) {
	if s.chunks == nil {
		return
	}
	surrogate := ""
	if tables := s.chunks.State().Tables(); len(t.key) == 0 && len(tables) > 0 {
		surrogate = tables[0].SurrogateKey
	}
	for _, row := range [][]any{c.Before, c.After} {
		if row != nil {
			s.chunks.Changed(t.ID, rowID(t, surrogate, row))
		}
	}
}

// signalled takes a change of the table of signals for what it asks.
func (s *stream) signalled(ctx context.Context, at pgoutput.LSN, t *table, c *debezium.Change) error {
	if s.chunks == nil || !slices.Contains(s.options.Signals, t.ID) {
		return nil
	}
	signal, ok := debezium.SignalOfRow(c.Op, c.Before, c.After)
	if !ok {
		return nil
	}
	action, err := signal.Action()
	if err != nil {
		s.log.Warn("postgres: a signal is left", "id", signal.ID, "type", signal.Type, "error", err)
		return nil
	}
	rows, ok := s.chunks.Apply(signal.ID, action, s)
	if message, is := action.(debezium.LogMessage); is {
		s.log.Info("postgres: " + message.Message)
	} else if !ok {
		s.log.Warn("postgres: a signal of this type is not supported", "id", signal.ID, "type", signal.Type)
	}
	if err := s.sendChunk(ctx, at, rows); err != nil {
		return err
	}
	for s.chunks.Waiting() {
		select {
		case o := <-s.worker.Done():
			if err := s.chunkRead(ctx, at, o); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(s.nextStatus)):
			if err := s.status(time.Now(), false); err != nil {
				return err
			}
		}
	}
	return nil
}

// decided is that the last record is behind all that the incremental snapshot knows of: a signal is
// done with once its record is stored.
func (s *stream) decided() {
	if s.chunks == nil {
		return
	}
	if p, ok := s.out[len(s.out)-1].At.(*position); ok {
		p.chunks = s.chunks.State()
	}
}

func (s *stream) chunkRead(ctx context.Context, at pgoutput.LSN, o incremental.Outcome) error {
	s.reading = false
	if errors.Is(o.Err, incremental.ErrPanic) {
		return o.Err
	}
	if o.Err != nil {
		s.log.Warn("postgres: a chunk of an incremental snapshot is read again", "error", o.Err)
		s.chunks.Failed(o.Result.ID)
		return nil
	}
	return s.sendChunk(ctx, at, s.chunks.Read(o.Result))
}

// nextChunk starts to read one, where one is due.
func (s *stream) nextChunk(ctx context.Context) error {
	if s.chunks == nil {
		return nil
	}
	select {
	case o := <-s.worker.Done():
		if err := s.chunkRead(ctx, s.flushed, o); err != nil {
			return err
		}
	default:
	}
	if !s.reading { // one may be read though it was given up
		if c, ok := s.chunks.Next(); ok {
			s.reading = true
			s.worker.Start(c)
		}
	}
	for _, note := range s.chunks.Notes() {
		s.log.Info("postgres: incremental snapshot", "notification", fmt.Sprint(note))
	}
	return nil
}

// sendChunk makes records of rows, at the place of the mark that closed their window.
func (s *stream) sendChunk(ctx context.Context, at pgoutput.LSN, rows []incremental.Emission) error {
	if len(rows) == 0 {
		return nil
	}
	id := rows[0].Table
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	names, err := catalog.Names(ctx, s.db)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(names, func(n catalog.Table) bool { return n.Schema == id.Schema && n.Name == id.Table })
	if i < 0 {
		return nil // it was dropped since
	}
	if err := catalog.Fill(ctx, s.db, &names[i]); err != nil {
		return err
	}
	t := s.schemas.snapshotTable(&names[i])
	now := time.Now()
	for _, row := range rows {
		b := s.blocks.New(now, debezium.IncrementalSnapshot, s.options.database)
		b.Values[debezium.SourceSequence] = s.sequence.of(s.commit, at)
		b.Values[sourceSchemaName], b.Values[sourceTable] = t.schema, t.name
		p := s.at(at, insertKind)
		p.chunks = row.State
		n := len(s.out)
		s.out = s.emitter.Append(s.out, &debezium.Change{Op: debezium.Read, Table: t.Table, After: row.Row.Values, Source: b, At: p, Bytes: row.Row.Bytes})
		p.tx = s.emitter.Transactions.State()
		s.made(n, at)
	}
	return nil
}
