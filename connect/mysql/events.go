package mysql

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/pabal-dev/pabal/connect/debezium"
)

// HandleEvent of the log.
func (s *stream) HandleEvent(e *replication.BinlogEvent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.err = s.handle(e.Header, e.Event)
	return s.err
}

func (s *stream) handle(h *replication.EventHeader, event replication.Event) error {
	end := place{s.file, uint64(h.LogPos)}
	start := place{s.file, uint64(h.LogPos) - min(uint64(h.EventSize), uint64(h.LogPos))}
	counted := true
	switch e := event.(type) {
	case *replication.RotateEvent:
		return s.rotate(h, e)
	case *replication.FormatDescriptionEvent:
		return nil
	case *replication.MariadbGTIDEvent:
		s.pending(start, fmt.Sprintf("%d-%d-%d", e.GTID.DomainID, h.ServerID, e.GTID.SequenceNumber), time.Time{})
		s.tx.foreign = !s.options.origins.streamed(mariaOrigin(h, e))
		if !e.IsStandalone() {
			s.begin(h)
		}
	case *replication.GTIDEvent:
		s.mysqlGTID(start, h, e, "")
		counted = false
	case *replication.GtidTaggedLogEvent:
		s.mysqlGTID(start, h, &e.GTIDEvent, fmt.Sprint(e.Tag))
		counted = false
	case *replication.QueryEvent:
		return s.statement(h, e, start, end)
	case *replication.XIDEvent:
		return s.commit(h, end)
	case *replication.MariadbAnnotateRowsEvent:
		if s.options.query {
			s.tx.query = string(e.Query)
		}
		counted = s.tx.countsQueries
	case *replication.RowsQueryEvent:
		if s.options.query {
			s.tx.query = string(e.Query)
		}
	case *replication.TableMapEvent:
		if err := s.tableMap(e); err != nil {
			return err
		}
	case *replication.RowsEvent:
		if err := s.rows(h, e, start); err != nil {
			return err
		}
	case *replication.TransactionPayloadEvent:
		for _, inner := range e.Events {
			header := *inner.Header
			header.LogPos, header.EventSize = h.LogPos, h.EventSize
			if err := s.handle(&header, inner.Event); err != nil {
				return err
			}
		}
		return nil
	default:
		if h.EventType == replication.XA_PREPARE_LOG_EVENT {
			return s.commit(h, end)
		}
	}
	if s.tx.open && counted {
		s.tx.events++
	}
	return s.reached(h, end)
}

// reached says whether the end that is wanted is there.
func (s *stream) reached(h *replication.EventHeader, end place) error {
	if s.mayBlock() {
		return s.stop(errBlocking)
	}
	if s.catchUp == nil || s.tx.open || h.LogPos == 0 || h.Flags&replication.LOG_EVENT_ARTIFICIAL_F != 0 || s.file == "" {
		return nil
	}
	if end.reaches(s.catchUp.until) {
		return s.stop(errReached)
	}
	return nil
}

func (s *stream) rotate(h *replication.EventHeader, e *replication.RotateEvent) error {
	s.file = string(e.NextLogName)
	s.fileBox = s.file
	if h.Timestamp != 0 { // the server may have started anew, with other numbers of tables
		clear(s.tables)
	}
	return nil
}

func (s *stream) mysqlGTID(start place, h *replication.EventHeader, e *replication.GTIDEvent, tag string) {
	gtid := ""
	if h.EventType != replication.ANONYMOUS_GTID_EVENT && len(e.SID) == 16 {
		id := fmt.Sprintf("%x-%x-%x-%x-%x", e.SID[:4], e.SID[4:6], e.SID[6:8], e.SID[8:10], e.SID[10:])
		if tag != "" {
			id += ":" + tag
		}
		gtid = fmt.Sprintf("%s:%d", id, e.GNO)
	}
	var at time.Time
	if e.ImmediateCommitTimestamp != 0 {
		at = e.ImmediateCommitTime()
	}
	s.pending(start, gtid, at)
	s.tx.foreign = !s.options.origins.streamed(mysqlOrigin(gtid))
}

// pending transaction, which begins now or with the next event.
func (s *stream) pending(start place, gtid string, at time.Time) {
	s.tx = transaction{start: start, gtid: gtid, at: at}
}

// begin the transaction.
func (s *stream) begin(h *replication.EventHeader) {
	s.tx.open, s.tx.countsQueries = true, s.options.query
	if r := s.resume; r != nil && (r.gtid == "" || r.gtid == s.tx.gtid) {
		s.tx.skip, s.tx.skipRows, s.tx.skipPart = r.events, r.rows, r.part
		if r.gtid != "" || r.queries {
			s.tx.countsQueries = r.queries
		}
		s.resume = nil
	}
	if !s.options.Transactions {
		return
	}
	id := s.tx.gtid
	if id == "" {
		id = fmt.Sprintf("file=%s,pos=%d", s.tx.start.file, s.tx.start.pos)
	}
	p := s.at(h)
	p.events++
	n := len(s.out)
	s.out = s.emitter.Transactions.Begin(s.out, id, s.time(h), p)
	p.tx = s.emitter.Transactions.State()
	s.tx.records += len(s.out) - n
}

// at is a position within the transaction, before the event.
func (s *stream) at(h *replication.EventHeader) *position {
	return &position{
		partition: s.partition, place: s.tx.start, gtids: s.gtids, gtid: s.tx.gtid, events: s.tx.events, queries: s.tx.countsQueries,
		server: h.ServerID, seconds: int64(h.Timestamp), snapshot: s.progress(), blocked: s.blocked, chunks: s.chunkState(), tx: s.emitter.Transactions.State(),
	}
}

// time of the event.
func (s *stream) time(h *replication.EventHeader) time.Time {
	if !s.tx.at.IsZero() {
		return s.tx.at
	}
	return time.Unix(int64(h.Timestamp), 0)
}

// commit the transaction under way.
func (s *stream) commit(h *replication.EventHeader, end place) (err error) {
	gtids := s.gtids
	if gtids != nil && s.tx.gtid != "" {
		if gtids, err = gtids.with(s.tx.gtid); err != nil {
			return err
		}
	}
	p := &position{partition: s.partition, place: end, gtids: gtids, server: h.ServerID, seconds: int64(h.Timestamp), snapshot: s.progress(), blocked: s.blocked, chunks: s.chunkState()}
	n := len(s.out)
	s.out = s.emitter.Transactions.End(s.out, s.time(h), p)
	s.tx.records += len(s.out) - n
	if s.tx.records > 0 {
		last := &s.out[len(s.out)-1]
		last.At, last.End = p, true
		s.told = end
	}
	s.gtids, s.ended = gtids, end
	s.tx = transaction{}
	s.emitter.Now(time.Now())
	if err := s.push(); err != nil {
		return err
	}
	return s.reached(h, end)
}

// tableMap comes before rows, and tells their columns.
func (s *stream) tableMap(e *replication.TableMapEvent) error {
	if t, ok := s.tables[e.TableID]; ok {
		if t == nil || t.database == string(e.Schema) && t.name == string(e.Table) {
			return nil
		}
	}
	id := debezium.TableID{Catalog: string(e.Schema), Table: string(e.Table)}
	if !s.options.Tables.Captured(id) || s.progress() != nil && !s.progress().begun(id.String()) {
		s.tables[e.TableID] = nil
		return nil
	}
	t, err := s.schemas.streamTable(s.db, e)
	if errors.Is(err, errColumns) && s.options.skipUnknown {
		s.log.Warn("mysql: changes are skipped, as inconsistent.schema.handling.mode says", "table", id.String(), "error", err)
		t, err = nil, nil
	}
	if err == nil {
		s.tables[e.TableID] = t
	}
	return err
}
