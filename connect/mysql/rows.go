package mysql

import (
	"fmt"

	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/pabal-dev/pabal/connect/debezium"
)

// rows of one event, but for those that were done before a restart.
func (s *stream) rows(h *replication.EventHeader, e *replication.RowsEvent, start place) error {
	if s.passed() || s.tx.foreign {
		return nil
	}
	from, part := s.tx.skipRows, s.tx.skipPart
	s.tx.skipRows, s.tx.skipPart = 0, 0
	t := s.tables[e.TableID]
	if t == nil {
		return nil
	}
	for _, skipped := range e.SkippedColumns {
		if len(skipped) > 0 {
			return fmt.Errorf("%w: a change of %s at %s has not all columns: set the server's binlog_row_image to FULL, for all sessions", ErrSetup, t.ID, start)
		}
	}
	step := 1
	if e.Type() == replication.EnumRowsEventTypeUpdate {
		step = 2
	}
	for row := from; (row+1)*step <= len(e.Rows); row++ {
		c := &debezium.Change{Table: t.Table, Bytes: 800 + 3*int(h.EventSize)*step/max(len(e.Rows), 1)}
		if err := s.change(c, t, e, row, step); err != nil {
			if !s.options.skipFailed {
				return fmt.Errorf("a change of %s at %s, row %d: %w", t.ID, start, row, err)
			}
			s.log.Warn("mysql: a change is skipped, as event.processing.failure.handling.mode says", "table", t.ID.String(), "at", start.String(), "row", row, "error", err)
			continue
		}
		s.noticed(t, c)
		signal := *c // records change the rows
		s.append(h, c, t, start, row, part)
		part = 0
		if err := s.signalled(h, c.At.(*position), t, &signal); err != nil {
			return err
		}
		if len(s.out) >= batchRecords {
			if err := s.push(); err != nil {
				return err
			}
		}
	}
	return s.push()
}

// change of a row.
func (s *stream) change(c *debezium.Change, t *table, e *replication.RowsEvent, row, step int) (err error) {
	first, err := s.schemas.row(t, e.Rows[row*step])
	if err != nil {
		return err
	}
	switch e.Type() {
	case replication.EnumRowsEventTypeInsert:
		c.Op, c.After = debezium.Create, first
	case replication.EnumRowsEventTypeDelete:
		c.Op, c.Before = debezium.Delete, first
	case replication.EnumRowsEventTypeUpdate:
		c.Op, c.Before = debezium.Update, first
		c.After, err = s.schemas.row(t, e.Rows[row*step+1])
	default:
		err = fmt.Errorf("it is of a kind that is not known")
	}
	return err
}

// append the records of a change, without the first part of them.
func (s *stream) append(h *replication.EventHeader, c *debezium.Change, t *table, start place, row, part int) {
	source := s.blocks.New(s.time(h), debezium.NoSnapshot, t.database)
	v := source.Values
	v[sourceTable], v[sourceServer], v[sourceFile], v[sourcePos], v[sourceRow] = t.name, int64(h.ServerID), s.fileBox, int64(start.pos), int32(row)
	v[sourceThread], v[sourceQuery] = s.tx.thread, s.tx.query
	if s.tx.gtid != "" {
		v[sourceGTID] = s.tx.gtid
	}
	c.Source = source
	before := s.at(h)
	before.rows = row
	p := *before
	p.rows = row + 1
	c.At = &p
	n := len(s.out)
	s.out = s.emitter.Append(s.out, c)
	p.tx = s.emitter.Transactions.State()
	for i := n; i < len(s.out)-1; i++ {
		between := *before
		between.part = i - n + 1
		s.out[i].At = &between
	}
	if part > 0 && n+part <= len(s.out) {
		s.out = append(s.out[:n], s.out[n+part:]...)
	}
	s.tx.records += len(s.out) - n
}
