package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
	"github.com/pabal-dev/pabal/connect/postgres/internal/replication"
)

// stream makes records of what a slot tells. One goroutine runs it.
type stream struct {
	*run
	decoder pgoutput.Decoder
	tables  map[uint32]*table // by the relation's number; nil are not captured
	emitter *debezium.Emitter
	blocks  *debezium.SourceBlocks
	message *messages
	hearts  *debezium.Heartbeats

	tx transaction
	// commit is the end of the last transaction, flushed up to where all is done, received how far
	// the log was read.
	commit, proc, flushed, received pgoutput.LSN
	// lastLSN is that of the last event, of which there were so many.
	lastLSN pgoutput.LSN
	events  int
	// resume is where an earlier run stopped within a transaction.
	resume *position
	// progress is that of a snapshot which waits until the stream has come up to until.
	progress *progress
	until    pgoutput.LSN
	reached  bool

	// chunks are those of incremental snapshots, which worker reads; nil without a table of signals.
	chunks *incremental.Snapshot
	worker *incremental.Worker
	// reading says that the worker is at one.
	reading bool
	// closeChunks ends the worker.
	closeChunks func()

	out        []plugin.SourceRecord
	size       int // of what was received for out
	nextStatus time.Time
	nextPlace  time.Time
	silence    time.Duration // of the server, while we listened
	told       pgoutput.LSN  // the last flushed that a record or position had
	xminValue  int64
	nextXmin   time.Time
	sequence   sequence
}

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

// batchRecords are put into the queue together, so that its lock costs little.
const batchRecords = 512

// read the stream until the context ends, or it has come as far as is wanted.
func (s *stream) read(ctx context.Context) error {
	for ctx.Err() == nil && !s.reached {
		if !s.conn.Buffered() {
			s.size = 0
			if err := s.push(ctx, s.ready()); err != nil {
				return err
			}
		}
		now := time.Now()
		if err := s.periodic(ctx, now); err != nil {
			return err
		}
		quiet, waiting, came := false, time.Now(), false
		for range batchRecords {
			m, err := s.conn.Receive(s.wake(now))
			if err != nil {
				return err
			}
			if quiet = m.Kind == replication.Quiet; quiet {
				break
			}
			came = true
			if err := s.receive(ctx, m); err != nil {
				return err
			}
			if s.reached || !s.conn.Buffered() || s.full() {
				break
			}
		}
		if err := s.hear(came || s.conn.Buffered(), time.Since(waiting)); err != nil {
			return err
		}
		if quiet || s.full() { // quiet, with a part of a message buffered
			s.size = 0
			if err := s.push(ctx, s.ready()); err != nil {
				return err
			}
		}
	}
	return s.push(ctx, s.ready())
}

// full says that what was made is to be put into the queue.
func (s *stream) full() bool { return len(s.out) >= batchRecords || s.size >= s.queue.batch() }

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

// wake is when something is due though nothing comes.
func (s *stream) wake(now time.Time) time.Time {
	at := s.nextStatus
	if s.chunks != nil && s.chunks.Running() {
		if soon := now.Add(chunkWait); soon.Before(at) {
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

// ready are the records made so far. The last one of a transaction that may go on is kept back, to
// say of it that it is the last.
func (s *stream) ready() []plugin.SourceRecord {
	n := len(s.out)
	if s.tx.open && s.tx.records > 0 {
		n--
	}
	return s.out[:n]
}

// push the first records of out, and wait for room.
func (s *stream) push(ctx context.Context, records []plugin.SourceRecord) error {
	if len(records) == 0 {
		return nil
	}
	for !s.queue.add(records) {
		select {
		case <-s.queue.taken:
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(s.nextStatus)):
			if err := s.status(time.Now(), false); err != nil {
				return err
			}
		}
	}
	kept := copy(s.out, s.out[len(records):])
	clear(s.out[kept:])
	s.out = s.out[:kept]
	return nil
}

// periodic tells the server how far its log is needed, and Kafka that the source lives.
func (s *stream) periodic(ctx context.Context, now time.Time) error {
	s.emitter.Now(now)
	if !now.Before(s.nextStatus) {
		if err := s.status(now, true); err != nil {
			return err
		}
	}
	if err := s.nextChunk(ctx); err != nil {
		return err
	}
	if due, _ := s.hearts.Due(now); due && !s.tx.open {
		s.out = append(s.out, s.hearts.Record(now, s.place()))
		return s.act(ctx)
	}
	return nil
}

// act on a heartbeat as heartbeat.action.query says. What fails of it is told and left, unless the
// connection is gone.
func (s *stream) act(ctx context.Context) error {
	query := s.options.Values.String("heartbeat.action.query")
	if query == "" {
		return nil
	}
	bounded, cancel := s.bounded(ctx)
	defer cancel()
	_, err := s.db.Exec(bounded, query)
	if err != nil && s.db.IsClosed() {
		return fmt.Errorf("%w: heartbeat.action.query: %w", plugin.ErrRetry, err)
	}
	if err != nil {
		s.log.Warn("postgres: heartbeat.action.query failed", "error", err)
	}
	return nil
}

// bounded is for a query that the stream waits for.
func (s *stream) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.options.query <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, s.options.query)
}

func (s *stream) status(now time.Time, ask bool) error {
	s.nextStatus = now.Add(s.interval)
	return s.conn.Confirm(s.received, pgoutput.LSN(s.confirmed.Load()), now, ask)
}

// place is a position between transactions; that within one where it is still to come again.
func (s *stream) place() *position {
	s.told = s.flushed
	p := &position{
		partition: s.partition, lsn: s.flushed, proc: s.flushed, commit: s.commit, flush: s.flushed,
		micros: time.Now().UnixMicro(), kind: commitKind, snapshot: s.progress,
	}
	if s.resume.within() {
		again := *s.resume
		p, again.flush, again.offset = &again, s.flushed, nil
		p.tx = s.emitter.Transactions.State()
	}
	if s.chunks != nil {
		p.chunks = s.chunks.State()
	}
	return p
}

func (s *stream) receive(ctx context.Context, m replication.Message) error {
	if m.Kind == replication.Keepalive {
		return s.keepalive(m)
	}
	s.received = max(s.received, m.At)
	s.size += 3 * len(m.Data)
	d, err := s.decoder.Decode(m.Data)
	if err != nil {
		return err
	}
	switch d.Kind {
	case pgoutput.BeginKind:
		s.begin(m.At, &d.Begin)
	case pgoutput.CommitKind:
		s.end(m.At, &d.Commit)
	case pgoutput.OriginKind:
		s.tx.origin, s.tx.originLSN = d.Origin.Name, int64(d.Origin.Commit)
	case pgoutput.RelationKind:
		return s.relation(ctx, d.Relation)
	case pgoutput.InsertKind, pgoutput.UpdateKind, pgoutput.DeleteKind:
		return s.change(ctx, m, d)
	case pgoutput.TruncateKind:
		return s.truncate(ctx, m.At, &d.Truncate)
	case pgoutput.MessageKind:
		s.logical(m.At, &d.Logical)
	}
	return nil
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

func (s *stream) begin(at pgoutput.LSN, b *pgoutput.Begin) {
	if s.until != 0 && b.Final >= s.until {
		s.reached = true
		return
	}
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
		last := &s.out[len(s.out)-1]
		last.End = true
		s.decided()
		if p, ok := last.At.(*position); ok {
			p.flush, p.end = s.flushed, at
		}
		s.told = s.flushed
	}
	s.tx.open, s.resume = false, nil
	s.reached = s.until != 0 && s.flushed >= s.until
}

// at is the position of an event.
func (s *stream) at(lsn pgoutput.LSN, kind string) *position {
	p := &position{
		partition: s.partition, lsn: lsn, proc: lsn, commit: s.commit, flush: s.flushed, xid: s.tx.begin.XID,
		xmin: s.xminValue, micros: s.tx.begin.Time.UnixMicro(), kind: kind, events: s.events, snapshot: s.progress,
	}
	if s.chunks != nil {
		p.chunks = s.chunks.State()
	}
	return p
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
