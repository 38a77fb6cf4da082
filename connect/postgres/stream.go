package postgres

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/internal/slab"
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

	tx     transaction
	unseen unseen
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
	// point is where the stream stops for a blocking snapshot, and blocked how far that has come.
	point   *point
	blocked *progress

	// chunks are those of incremental snapshots, nil without signals; worker reads them from the
	// database, nil without a table of signals.
	chunks *incremental.Snapshot
	worker *incremental.Worker
	// reading says that the worker is at one.
	reading  bool
	database *chunks
	// signals are those of the topic; nil without one.
	signals *debezium.SignalTopic

	out        []plugin.SourceRecord
	size       int // of what was received for out
	nextStatus time.Time
	nextPlace  time.Time
	// nextPublished is when the publication is looked at again.
	nextPublished time.Time
	silence       time.Duration // of the server, while we listened
	told          pgoutput.LSN  // the last flushed that a record or position had
	xminValue     int64
	nextXmin      time.Time
	sequence      sequence
	// Where rows and positions are made.
	values slab.Slab[any]
	places slab.Slab[position]
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
		if err := s.block(ctx); err != nil {
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
			if s.reached || !s.conn.Buffered() || s.full() || s.mayBlock() {
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
func (s *stream) full() bool { return len(s.out) >= batchRecords || s.size >= s.queue.Batch() }

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
	if err := s.shown(ctx); err != nil {
		return err
	}
	for !s.queue.Offer(records) {
		select {
		case <-s.queue.Room():
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
