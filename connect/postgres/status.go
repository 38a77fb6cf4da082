package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
	"github.com/pabal-dev/pabal/connect/postgres/internal/replication"
)

// periodic tells the server how far its log is needed, and Kafka that the source lives.
func (s *stream) periodic(ctx context.Context, now time.Time) error {
	s.emitter.Now(now)
	if !now.Before(s.nextStatus) {
		if err := s.status(now, true); err != nil {
			return err
		}
	}
	if err := s.stillPublished(ctx, now); err != nil {
		return err
	}
	if err := s.nextChunk(); err != nil {
		return err
	}
	if due, _ := s.hearts.Due(now); due && !s.tx.open {
		s.out = append(s.out, s.hearts.Record(now, s.place()))
		return s.act(ctx)
	}
	return nil
}

func (s *stream) status(now time.Time, ask bool) error {
	s.nextStatus = now.Add(s.interval)
	return s.conn.Confirm(s.received, pgoutput.LSN(s.confirmed.Load()), now, ask)
}

// keepalive says that the log up to its end has nothing more for us: it may be let go once a
// position says so.
func (s *stream) keepalive(m replication.Message) error {
	now := time.Now()
	s.received = max(s.received, m.End)
	if !s.tx.open {
		s.flushed = max(s.flushed, m.End)
		if s.positions && s.flushed > s.told && !now.Before(s.nextPlace) {
			s.nextPlace = now.Add(s.interval)
			s.out = append(s.out, plugin.SourceRecord{At: s.place(), End: true, Bytes: 100})
		}
	}
	s.reached = s.until != 0 && !s.tx.open && s.flushed >= s.until
	if m.Reply {
		return s.status(now, false)
	}
	return nil
}

// wake is when something is due though nothing comes.
func (s *stream) wake(now time.Time) time.Time {
	at := s.nextStatus
	if s.chunks != nil && s.chunks.Running() {
		if soon := now.Add(chunkWait); soon.Before(at) {
			at = soon
		}
	}
	if s.signals != nil {
		if soon := now.Add(signalWait); soon.Before(at) {
			at = soon
		}
	}
	if due, wait := s.hearts.Due(now); !s.tx.open && (due || wait > 0) {
		if heart := now.Add(max(wait, time.Millisecond)); heart.Before(at) {
			at = heart
		}
	}
	return at
}

// chunkWait is how often it is looked whether a chunk was read.
const chunkWait = 10 * time.Millisecond

// signalWait is how often it is looked whether a signal came by its topic.
const signalWait = 200 * time.Millisecond

// deaf is how long a server that is asked at each status may say nothing while we listen.
const deaf = time.Minute

// hear says whether the server is still there: the death of a machine ends no connection.
func (s *stream) hear(came bool, waited time.Duration) error {
	if s.silence += waited; came {
		s.silence = 0
	}
	if longest := max(deaf, 3*s.interval); s.silence > longest {
		return fmt.Errorf("%w: the server has not answered for %s", plugin.ErrRetry, s.silence.Round(time.Second))
	}
	return nil
}
