package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
)

// startChunks makes what signals and incremental snapshots need, where there are any.
func (s *stream) startChunks(from *position) (err error) {
	if len(s.options.Signals) == 0 && !s.options.SignalsFrom(debezium.KafkaChannel) {
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
	if s.signals, err = debezium.OpenSignalTopic(s.options.Settings, s.kafka, s.log, s.chunks.State().SignalOffset()); err != nil {
		return err
	}
	s.topic.Store(s.signals)
	if len(s.options.Signals) > 0 {
		s.database = &chunks{run: s.run}
		s.worker = incremental.NewWorker(s.database)
	}
	return nil
}

// closeChunks ends what startChunks began.
func (s *stream) closeChunks() {
	s.signals.Close()
	if s.worker != nil {
		s.worker.Close()
		s.database.close()
	}
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

// decided is that the last record is behind all that the incremental snapshot knows of: a signal is
// done with once its record is stored.
func (s *stream) decided() {
	if s.chunks == nil {
		return
	}
	if p := s.last(); p != nil {
		p.chunks = s.chunks.Told()
	}
}

func (s *stream) chunkRead(at pgoutput.LSN, o incremental.Outcome) error {
	s.reading = false
	if errors.Is(o.Err, incremental.ErrPanic) {
		return o.Err
	}
	if o.Err != nil {
		s.log.Warn("postgres: a chunk of an incremental snapshot is read again", "error", o.Err)
		s.chunks.Failed(o.Result.ID)
		return nil
	}
	s.sendChunk(at, s.chunks.Read(o.Result))
	return nil
}

// nextChunk starts to read one, where one is due.
func (s *stream) nextChunk() error {
	if s.chunks == nil {
		return nil
	}
	s.ofTopic()
	if s.worker == nil {
		return nil
	}
	select {
	case o := <-s.worker.Done():
		if err := s.chunkRead(s.flushed, o); err != nil {
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
	if !s.tx.open { // else they come with the transaction's end
		s.notify(s.place)
	}
	return nil
}

// sendChunk makes records of rows, at the place of the mark that closed their window.
func (s *stream) sendChunk(at pgoutput.LSN, rows []incremental.Emission) {
	now := time.Now()
	for _, row := range rows {
		of := row.Row.Values[0].(chunkRow)
		t := of.table
		b := s.blocks.New(now, debezium.IncrementalSnapshot, s.options.database)
		b.Values[debezium.SourceSequence] = s.sequence.of(s.commit, at)
		b.Values[sourceSchemaName], b.Values[sourceTable] = t.schema, t.name
		p := s.at(at, insertKind)
		p.chunks = row.State
		n := len(s.out)
		s.out = s.emitter.Append(s.out, &debezium.Change{Op: debezium.Read, Table: t.Table, After: of.values, Source: b, At: p, Bytes: row.Row.Bytes})
		p.tx = s.emitter.Transactions.State()
		s.made(n, at)
	}
}
