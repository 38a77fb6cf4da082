package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
)

// signalled takes a change of the table of signals for what it asks.
func (s *stream) signalled(ctx context.Context, at pgoutput.LSN, t *table, op debezium.Op, c *pgoutput.Change) error {
	if s.chunks == nil || !slices.Contains(s.options.Signals, t.ID) {
		return nil
	}
	signal, ok := debezium.SignalOfRow(op, texts(c.Old), texts(c.New))
	if !ok || !signal.Mark() && !s.options.SignalsFrom(debezium.SourceChannel) {
		return nil
	}
	s.obey(at, signal)
	for s.chunks.Waiting() {
		select {
		case o := <-s.worker.Done():
			if err := s.chunkRead(at, o); err != nil {
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
	n := len(s.out)
	s.notify(func() *position {
		p := s.at(at, insertKind)
		p.tx = s.emitter.Transactions.State()
		return p
	})
	s.made(n, at)
	return nil
}

// texts of a row as the server sent them: they are the same for all types of columns.
func texts(sent []pgoutput.Value) []any {
	out := make([]any, len(sent))
	for i := range sent {
		if sent[i].Kind == 't' {
			out[i] = string(sent[i].Data)
		}
	}
	return out
}

// obey a signal. One that cannot be obeyed is left, with a warning that says why.
func (s *stream) obey(at pgoutput.LSN, signal debezium.Signal) {
	left := func(why any) {
		s.log.Warn("postgres: a signal is left", "id", signal.ID, "type", signal.Type, "error", why)
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
		s.log.Info("postgres: " + strings.ReplaceAll(message.Message, "{}", at.String()))
	} else if !ok {
		left("this connector does not take signals of this type")
	}
	s.sendChunk(at, rows)
}

// ofTopic obeys the signals that came by the topic since. Between transactions, a position of its
// own says that they were; within one, the records that follow do.
func (s *stream) ofTopic() {
	obeyed := false
	for {
		signal, ok := s.signals.Next()
		if !ok {
			break
		}
		s.obey(s.flushed, signal.Signal)
		s.chunks.Signalled(signal.Offset)
		obeyed = true
	}
	if obeyed && !s.tx.open && s.positions {
		s.out = append(s.out, plugin.SourceRecord{At: s.place(), End: true, Bytes: 100})
	}
}

// notify of what the incremental snapshot did.
func (s *stream) notify(at func() *position) {
	if notes := s.chunks.Notes(); len(notes) > 0 {
		s.out = s.notes.Append(s.out, time.Now(), at(), notes...)
	}
}
