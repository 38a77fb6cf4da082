package mysql

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// signalled takes a change of the table of signals, which is done with at a position, for what it
// asks.
func (s *stream) signalled(h *replication.EventHeader, at *position, t *table, c *debezium.Change) error {
	if s.chunks == nil || !slices.Contains(s.options.Signals, t.ID) {
		return nil
	}
	signal, ok := debezium.SignalOfRow(c.Op, texts(c.Before), texts(c.After))
	if !ok || !signal.Mark() && !s.options.SignalsFrom(debezium.SourceChannel) {
		return nil
	}
	s.obey(h, at, signal)
	for s.chunks.Waiting() {
		select {
		case o := <-s.worker.Done():
			if err := s.chunkRead(h, at, o); err != nil {
				return err
			}
		case <-s.ctx.Done():
			return s.ctx.Err()
		}
	}
	if err := s.nextChunk(h, at); err != nil {
		return err
	}
	p := *at
	p.chunks = s.chunks.State()
	n := len(s.out)
	s.notify(&p)
	s.tx.records += len(s.out) - n
	if last := len(s.out) - 1; last >= 0 { // a signal is done with once its record is stored
		if own, ok := s.out[last].At.(*position); ok && own.place == p.place && own.events == p.events && own.rows == p.rows && own.part == 0 {
			s.out[last].At = &p
		}
	}
	return nil
}

// texts of the columns of the table of signals, whose types may be of bytes.
func texts(row []any) []any {
	out := make([]any, len(row))
	for i, v := range row {
		switch v := v.(type) {
		case nil:
		case []byte:
			out[i] = string(v)
		default:
			out[i] = fmt.Sprint(v)
		}
	}
	if row == nil {
		return nil
	}
	return out
}

// obey a signal. One that cannot be obeyed is left, with a warning that says why.
func (s *stream) obey(h *replication.EventHeader, at *position, signal debezium.Signal) {
	left := func(why any) {
		s.log.Warn("mysql: a signal is left", "id", signal.ID, "type", signal.Type, "error", why)
	}
	action, err := signal.Action()
	if err != nil {
		left(err)
		return
	}
	switch a, ok := action.(debezium.ExecuteSnapshot); {
	case ok && s.worker == nil && !a.Blocking:
		left("incremental snapshots need signal.data.collection")
		return
	}
	rows, ok := s.chunks.Apply(signal.ID, action, s)
	if message, is := action.(debezium.LogMessage); is {
		s.log.Info("mysql: " + strings.ReplaceAll(message.Message, "{}", at.place.String()))
	} else if !ok {
		left("this connector does not take signals of this type")
	}
	s.sendChunk(h, at, rows)
}

// ofTopic obeys the signals that came by the topic since, between transactions: a position of its
// own says that they were.
func (s *stream) ofTopic() {
	obeyed := false
	for {
		signal, ok := s.signals.Next()
		if !ok {
			break
		}
		s.chunks.Signalled(signal.Offset)
		s.obey(&replication.EventHeader{}, s.place(), signal.Signal)
		obeyed = true
	}
	if obeyed {
		s.notify(s.place()) // before a position says what was notified of
	}
	if obeyed && s.positions {
		s.out = append(s.out, plugin.SourceRecord{At: s.tell(), End: true, Bytes: 100})
	}
}

// notify of what the incremental snapshot did.
func (s *stream) notify(at *position) {
	if notes := s.chunks.Notes(); len(notes) > 0 {
		s.out = s.notes.Append(s.out, time.Now(), at, notes...)
	}
}
