package postgres

import (
	"strconv"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
)

// transaction under way.
type transaction struct {
	open      bool
	begin     pgoutput.Begin
	xid       any // boxed once
	origin    any
	originLSN any
	records   int
	skip      bool // until resume
}

func (s *stream) begin(at pgoutput.LSN, b *pgoutput.Begin) {
	if s.until != 0 && b.Final >= s.until {
		s.reached = true
		return
	}
	s.unseen.began(b.XID, s.tx.records > 0)
	s.tx = transaction{open: true, begin: *b, xid: int64(b.XID)}
	s.tx.skip = s.resume.within() && s.resume.xid == b.XID
	s.lastLSN, s.events = 0, 0
	if !s.options.Transactions {
		return
	}
	p := s.at(at, beginKind)
	n := len(s.out)
	s.out = s.emitter.Transactions.Begin(s.out, strconv.FormatUint(uint64(b.XID), 10), b.Time, p)
	p.proc, p.tx = s.proc, s.emitter.Transactions.State()
	s.made(n, at)
}

func (s *stream) end(at pgoutput.LSN, c *pgoutput.Commit) {
	s.commit, s.proc, s.flushed = at, at, max(s.flushed, c.End)
	if s.options.Transactions {
		p := s.at(at, commitKind)
		n := len(s.out)
		s.out = s.emitter.Transactions.End(s.out, c.Time, p)
		s.made(n, at)
	}
	if s.tx.records > 0 {
		s.out[len(s.out)-1].End = true
		s.decided()
		if p := s.last(); p != nil {
			p.flush, p.end = s.flushed, at
		}
		s.told = s.flushed
	}
	s.tx.open, s.resume = false, nil
	s.reached = s.until != 0 && s.flushed >= s.until
}

// made the records from n on: they name the transaction with the event's place.
func (s *stream) made(n int, at pgoutput.LSN) {
	s.tx.records += len(s.out) - n
	if !s.options.Transactions || n == len(s.out) {
		return
	}
	id := strconv.FormatUint(uint64(s.tx.begin.XID), 10) + ":" + strconv.FormatUint(uint64(at), 10)
	for i := n; i < len(s.out); i++ {
		r := &s.out[i].Record
		value, ok := r.Value.(*data.Struct)
		if !ok {
			continue
		}
		if block, ok := value.Get("transaction").(*data.Struct); ok && block != nil {
			block.Values[0] = id
		} else if key, ok := r.Key.(*data.Struct); ok && value.Schema.Field("status") == 0 {
			key.Values[0], value.Values[1] = id, id
		}
	}
}

// count an event, and say whether it was done before the restart, and how many of its records.
func (s *stream) count(at pgoutput.LSN) (done bool, part int) {
	if at != s.lastLSN {
		s.lastLSN, s.events = at, 0
	}
	s.events++
	if !s.tx.skip {
		return false, 0
	}
	switch {
	case at < s.resume.lsn, at == s.resume.lsn && s.events < s.resume.events:
		return true, 0
	case at == s.resume.lsn && s.events == s.resume.events:
		s.tx.skip = false
		return s.resume.part == 0, s.resume.part
	}
	s.tx.skip = false
	return false, 0
}
