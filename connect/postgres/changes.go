package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/internal/slab"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres/internal/catalog"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
	"github.com/pabal-dev/pabal/connect/postgres/internal/replication"
	"github.com/pabal-dev/pabal/connect/postgres/internal/values"
)

// relation comes before the first change of a table, and again after it was altered.
func (s *stream) relation(ctx context.Context, r *pgoutput.Relation) error {
	t, err := s.tableOf(ctx, r)
	if err != nil {
		return fmt.Errorf("the table %s.%s: %w", r.Namespace, r.Name, err)
	}
	s.tables[r.ID] = t
	if s.chunks != nil && t != nil {
		s.chunks.Redefined(t.ID)
	}
	return nil
}

func (s *stream) tableOf(ctx context.Context, r *pgoutput.Relation) (*table, error) {
	if !s.options.Tables.Captured(debezium.TableID{Schema: r.Namespace, Table: r.Name}) {
		return nil, nil
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	for _, c := range r.Columns {
		if _, ok := s.schemas.types.Get(c.Type); !ok {
			if err := s.schemas.reload(ctx, s.db); err != nil {
				return nil, err
			}
			break
		}
	}
	known := &catalog.Table{OID: r.ID, Schema: r.Namespace, Name: r.Name}
	if err := catalog.Fill(ctx, s.db, known); err != nil {
		return nil, err
	}
	return s.schemas.streamTable(r, known), nil
}

var (
	kinds = map[pgoutput.Kind]string{pgoutput.InsertKind: insertKind, pgoutput.UpdateKind: updateKind, pgoutput.DeleteKind: deleteKind}
	ops   = map[pgoutput.Kind]debezium.Op{pgoutput.InsertKind: debezium.Create, pgoutput.UpdateKind: debezium.Update, pgoutput.DeleteKind: debezium.Delete}
)

// change of a row.
func (s *stream) change(ctx context.Context, m replication.Message, d *pgoutput.Message) error {
	done, part := s.count(m.At)
	s.proc = m.At
	if done {
		return nil
	}
	t, known := s.tables[d.Change.Relation]
	if !known {
		return fmt.Errorf("%w: a change of the relation %d, which was not described", pgoutput.ErrMessage, d.Change.Relation)
	}
	if t == nil {
		return nil
	}
	c := debezium.Change{Op: ops[d.Kind], Table: t.Table, Bytes: 800 + 3*len(m.Data)}
	room := &s.values
	if len(m.Data) > mostShared {
		room = nil
	}
	err := s.rows(ctx, t, room, &d.Change, &c)
	if errors.Is(err, values.ErrLabel) {
		if t, err = s.relabel(ctx, d.Change.Relation, t); err == nil {
			c.Table = t.Table
			err = s.rows(ctx, t, room, &d.Change, &c)
			t.anyLabel = false
		}
	}
	if err != nil {
		if !s.options.skipFailed {
			return fmt.Errorf("a change of %s at %s: %w", t.ID, m.At, err)
		}
		s.log.Warn("postgres: a change is skipped, as event.processing.failure.handling.mode says", "table", t.ID.String(), "lsn", m.At.String(), "error", err)
		return nil
	}
	if s.progress != nil {
		if keep, err := s.progress.cut(ctx, s.run, t, &c, &d.Change); err != nil || !keep {
			return err
		}
	}
	s.noticed(t, &c)
	before := len(s.out)
	s.append(m.At, kinds[d.Kind], part, &c, t)
	if err := s.signalled(ctx, m.At, t, ops[d.Kind], &d.Change); err != nil {
		return err
	}
	if len(s.out) > before {
		s.decided()
	}
	return nil
}

// relabel reads the types again, as enums get labels without a word of it in the stream.
func (s *stream) relabel(ctx context.Context, id uint32, t *table) (*table, error) {
	if err := s.schemas.reload(ctx, s.db); err != nil {
		return nil, err
	}
	renewed, err := s.tableOf(ctx, t.relation)
	if err != nil {
		return nil, err
	}
	renewed.anyLabel = true
	s.tables[id] = renewed
	return renewed, nil
}

// append the records of a change, without the first part of them.
func (s *stream) append(at pgoutput.LSN, kind string, part int, c *debezium.Change, t *table) {
	c.Source = s.source(at, t.schema, t.name)
	p := s.at(at, kind)
	before := s.emitter.Transactions.State()
	c.At = p
	n := len(s.out)
	s.out = s.emitter.Append(s.out, c)
	p.proc, p.tx = s.proc, s.emitter.Transactions.State()
	for i := n; i < len(s.out)-1; i++ {
		between := *p
		between.part, between.tx = i-n+1, before
		s.out[i].At = &between
	}
	s.made(n, at)
	if part > 0 && n+part <= len(s.out) {
		s.out = append(s.out[:n], s.out[n+part:]...)
		s.tx.records -= part
	}
}

// rows before and after a change.
func (s *stream) rows(ctx context.Context, t *table, room *slab.Slab[any], from *pgoutput.Change, c *debezium.Change) (err error) {
	failed := func(column string, err error) error { return s.unfit(ctx, t, column, err) }
	if from.OldKind != 0 {
		if c.Before, err = t.row(room, from.Old, nil, failed); err != nil {
			return err
		}
	}
	if c.Op == debezium.Delete {
		return nil
	}
	var old []any
	if from.OldKind == 'O' {
		old = c.Before
	}
	if c.After, err = t.row(room, from.New, old, failed); err != nil {
		return err
	}
	if from.OldKind == 'K' {
		// A replica identity by another index than the primary key does not tell the key, which is
		// then taken to be what it is after the change.
		for _, i := range t.key {
			if !t.columns[i].identity {
				c.Before[i] = c.After[i]
			}
		}
	}
	return nil
}

// unfit is a value that its type cannot be read from: null stands for it, or it is an error.
func (s *stream) unfit(_ context.Context, t *table, column string, err error) error {
	if !s.options.lenient {
		return fmt.Errorf("the column %s: %w", column, err)
	}
	s.log.Warn("postgres: null stands for a value that cannot be converted, as event.converting.failure.handling.mode says", "table", t.ID.String(), "column", column, "error", err)
	return nil
}

func (s *stream) truncate(ctx context.Context, at pgoutput.LSN, tr *pgoutput.Truncate) error {
	if s.options.Skipped[debezium.Truncate] {
		return nil
	}
	var captured []*table
	for _, id := range tr.Relations {
		if t := s.tables[id]; t != nil {
			captured = append(captured, t)
		}
	}
	for i, t := range captured {
		if i == len(captured)-1 {
			s.proc = at
		}
		if done, _ := s.count(at); done {
			continue
		}
		if s.progress != nil && !s.progress.begun(t.ID.String()) {
			continue
		}
		if s.chunks != nil {
			s.chunks.Truncated(t.ID)
		}
		s.append(at, truncateKind, 0, &debezium.Change{Op: debezium.Truncate, Table: t.Table, Bytes: 500}, t)
	}
	return nil
}

var _ plugin.Position = (*position)(nil)
