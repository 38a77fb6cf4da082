package postgres

import (
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
)

// logical is a message of pg_logical_emit_message; one of no transaction is one by itself.
func (s *stream) logical(at pgoutput.LSN, l *pgoutput.Logical) {
	if !l.Transactional {
		if s.until != 0 && at > s.until {
			s.reached = true
			return
		}
		s.tx = transaction{begin: pgoutput.Begin{Time: s.tx.begin.Time}} // messages have no time of their own
		// It comes with the end of its entry in the log, where that of a commit may begin.
		s.commit, s.proc, s.flushed = at, at, max(s.flushed, at)
		s.reached = s.until != 0 && s.flushed >= s.until
	} else if s.tx.skip {
		if at <= s.resume.lsn {
			return
		}
		s.tx.skip = false
	}
	if !s.options.messages.captured(l.Prefix) {
		return
	}
	p := s.at(at, messageKind)
	p.events = 0
	now := time.Now()
	var block *data.Struct
	if l.Transactional {
		block = s.emitter.Transactions.Event("LOGICAL_DECODING_MESSAGE")
	}
	p.tx = s.emitter.Transactions.State()
	n := len(s.out)
	r := s.message.record(l, now, s.source(at, "", ""), block)
	r.At, r.End = p, !l.Transactional
	s.out = append(s.out, r)
	s.emitter.Moved(p)
	s.made(n, at)
	if !l.Transactional {
		s.tx.records, s.told = 0, s.flushed
	}
}
