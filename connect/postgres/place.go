package postgres

import (
	"fmt"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
)

// place is a position between transactions; that within one where it is still to come again.
func (s *stream) place() *position {
	s.told = s.flushed
	p := &position{
		partition: s.partition, lsn: s.flushed, proc: s.flushed, commit: s.commit, flush: s.flushed,
		micros: time.Now().UnixMicro(), kind: commitKind, snapshot: s.progress, blocked: s.blocked, history: s.history, published: s.published,
	}
	if s.resume.within() {
		again := *s.resume
		p, again.flush, again.offset, again.history = &again, s.flushed, nil, s.history
		p.published = s.published
		p.tx = s.emitter.Transactions.State()
	}
	if s.chunks != nil {
		p.chunks = s.chunks.Told()
	}
	return p
}

// last is the position of the last record, to be changed: its own from now on, as an earlier record
// that has the same may have been passed on.
func (s *stream) last() *position {
	r := &s.out[len(s.out)-1]
	p, ok := r.At.(*position)
	if !ok {
		return nil
	}
	own := *p
	r.At = &own
	return &own
}

// at is the position of an event.
func (s *stream) at(lsn pgoutput.LSN, kind string) *position {
	p := s.places.One()
	*p = position{
		partition: s.partition, lsn: lsn, proc: lsn, commit: s.commit, flush: s.flushed, xid: s.tx.begin.XID,
		xmin: s.xminValue, micros: s.tx.begin.Time.UnixMicro(), kind: kind, events: s.events, snapshot: s.progress, blocked: s.blocked, history: s.history, published: s.published,
	}
	if s.tx.open {
		p.final = s.tx.begin.Final
	}
	if s.chunks != nil {
		p.chunks = s.chunks.Told()
	}
	return p
}

func (s *stream) source(at pgoutput.LSN, schema, name any) *data.Struct {
	b := s.blocks.New(s.tx.begin.Time, debezium.NoSnapshot, s.options.database)
	b.Values[debezium.SourceSequence] = s.sequence.of(s.commit, at)
	b.Values[sourceSchemaName], b.Values[sourceTable] = schema, name
	b.Values[sourceXID], b.Values[sourceLSN] = s.tx.xid, int64(at)
	if s.xminValue != 0 {
		b.Values[sourceXmin] = s.xminValue
	}
	b.Values[sourceOrigin], b.Values[sourceOriginLSN] = s.tx.origin, s.tx.originLSN
	return b
}

// sequence is the field of the same name, which many records share a part of.
type sequence struct {
	commit pgoutput.LSN
	prefix []byte
}

func (q *sequence) of(commit, at pgoutput.LSN) string {
	if q.prefix == nil || commit != q.commit {
		q.commit, q.prefix = commit, []byte("[null,\"")
		if commit != 0 {
			q.prefix = fmt.Appendf(nil, "[\"%d\",\"", uint64(commit))
		}
	}
	var room [64]byte
	b := append(room[:0], q.prefix...)
	b = strconv.AppendUint(b, uint64(at), 10)
	return string(append(b, '"', ']'))
}
