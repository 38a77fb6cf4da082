package mysql

import (
	"errors"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
)

// startChunks makes what signals and incremental snapshots need, where there are any.
func (s *stream) startChunks(from *position) (err error) {
	o := s.options
	if s.progress() != nil || len(o.Signals) == 0 && !o.SignalsFrom(debezium.KafkaChannel) {
		return nil
	}
	s.chunks = incremental.New(incremental.Config{
		Limit: int(o.Values.Int("incremental.snapshot.chunk.size")), Strategy: strings.ToUpper(o.Values.String("incremental.snapshot.watermarking.strategy")),
	})
	offset := from.offset
	if offset == nil { // one of ours, after a connection was lost
		offset = map[string]any{}
		from.chunks.Put(offset)
	}
	if err := s.chunks.Restore(offset, s.Parse); err != nil {
		return err
	}
	if s.signals, err = debezium.OpenSignalTopic(o.Settings, s.kafka, s.log, s.chunks.State().SignalOffset()); err != nil {
		return err
	}
	s.topic.Store(s.signals)
	if len(o.Signals) > 0 {
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

// chunkState is how far signals and an incremental snapshot have come, for positions.
func (s *stream) chunkState() (state incremental.State) {
	if s.chunks != nil {
		state = s.chunks.State()
	}
	return state
}

// Known tables are those captured, for patterns in signals.
func (s *stream) Known() []debezium.TableID {
	names, err := s.options.tableNames(s.db)
	if err != nil {
		s.log.Warn("mysql: the names of tables cannot be read for a signal", "error", err)
	}
	return names
}

// Parse a table's name.
func (s *stream) Parse(name string) (debezium.TableID, bool) {
	return debezium.ParseTableID(name, true)
}

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

// redefined says that a statement may have changed a table's definition: a chunk of a table that it
// names is read again.
func (s *stream) redefined(statement string) {
	if s.chunks == nil || !s.chunks.Running() {
		return
	}
	if id := s.chunks.State().Tables()[0].ID; strings.Contains(strings.ToLower(statement), strings.ToLower(id.Table)) {
		s.chunks.Redefined(id)
	}
}

// nextChunk takes what was read, and starts to read the next one, where one is due.
func (s *stream) nextChunk(h *replication.EventHeader, at *position) error {
	if s.worker == nil {
		return nil
	}
	if s.reading {
		select {
		case o := <-s.worker.Done():
			if err := s.chunkRead(h, at, o); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	if time.Now().Before(s.notBefore) {
		return nil
	}
	if c, ok := s.chunks.Next(); ok {
		s.reading = true
		s.worker.Start(c)
	}
	return nil
}

// retryChunk is how long to wait after a chunk that could not be read.
const retryChunk = time.Second

func (s *stream) chunkRead(h *replication.EventHeader, at *position, o incremental.Outcome) error {
	s.reading = false
	if errors.Is(o.Err, incremental.ErrPanic) {
		return o.Err
	}
	if o.Err != nil {
		s.log.Warn("mysql: a chunk of an incremental snapshot is read again", "error", o.Err)
		s.chunks.Failed(o.Result.ID)
		s.notBefore = time.Now().Add(retryChunk)
		return nil
	}
	s.sendChunk(h, at, s.chunks.Read(o.Result))
	return nil
}

// sendChunk makes records of rows, at the place of the mark that closed their window.
func (s *stream) sendChunk(h *replication.EventHeader, at *position, rows []incremental.Emission) {
	now := time.Now()
	for _, one := range rows {
		row := one.Row.Values[0].(*chunkRow)
		source := s.blocks.New(now, debezium.IncrementalSnapshot, row.table.database)
		v := source.Values
		v[sourceTable], v[sourceServer], v[sourceFile], v[sourcePos], v[sourceRow] = row.table.name, int64(h.ServerID), s.fileBox, int64(at.pos), int32(0)
		p := *at
		p.chunks = one.State
		n := len(s.out)
		s.out = s.emitter.Append(s.out, &debezium.Change{Op: debezium.Read, Table: row.table.Table, After: row.values, Source: source, At: &p, Bytes: one.Row.Bytes})
		s.tx.records += len(s.out) - n
	}
}
