package mysql

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	driver "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// catchUp is the stream of a snapshot that goes on: up to a place, and only of tables read before.
// The stream before a blocking snapshot has all.
type catchUp struct {
	until    place
	progress *progress
	blocking bool
}

// stream makes records of the events of the binary log. The driver's goroutine hands it the events,
// one after the other, and waits; the run's looks after heartbeats.
type stream struct {
	*run
	ctx     context.Context
	catchUp *catchUp

	mu      sync.Mutex
	err     error
	emitter *debezium.Emitter
	blocks  *debezium.SourceBlocks
	hearts  *debezium.Heartbeats
	tables  map[uint64]*table
	resume  *position // nil once it is passed
	file    string
	fileBox any
	ended   place // of the last transaction
	gtids   gtidSet
	tx      transaction
	out     []plugin.SourceRecord
	// blocked is how far a blocking snapshot has come.
	blocked *progress
	// told is the place that the last record or position said.
	told     place
	nextTell time.Time

	// chunks are those of incremental snapshots, nil without signals; worker reads them from the
	// database, nil without a table of signals.
	chunks    *incremental.Snapshot
	worker    *incremental.Worker
	database  *chunks
	reading   bool      // the worker is at one
	notBefore time.Time // the next one is read
	// signals are those of the topic; nil without one.
	signals *debezium.SignalTopic
}

// transaction under way.
type transaction struct {
	open          bool
	start         place
	gtid          string
	events        int
	countsQueries bool
	thread        any
	query         any
	at            time.Time // when it was committed, where the server tells
	records       int
	foreign       bool // its changes are not streamed, as its origin is not
	// what is done of it since before a restart
	skip, skipRows, skipPart int
}

// batchRecords are put into the queue together, so that its lock costs little.
const batchRecords = 512

// errReached ends a catchUp.
var errReached = errors.New("the stream has come as far as is wanted")

// tick is how often it is looked whether something is due.
const tick = 200 * time.Millisecond

// tellEvery is how often a position is told though no record was made.
const tellEvery = time.Second

// stream from a position on.
func (r *run) stream(ctx context.Context, from *position, c *catchUp) error {
	r.stopped = from
	if c != nil && from.events == 0 && from.file != "" && from.reaches(c.until) {
		return nil
	}
	if err := r.completeGTIDs(from); err != nil {
		return err
	}
	now := time.Now()
	s := &stream{
		run: r, catchUp: c, blocked: from.blocked, tables: map[uint64]*table{}, ended: from.place, told: from.place, gtids: from.gtids,
		emitter: debezium.NewEmitter(r.options.Settings, r.headers, from),
		blocks:  debezium.NewSourceBlocks(sourceSchemas[r.options.flavor], string(r.options.flavor), r.options.Naming.Prefix),
		hearts:  debezium.NewHeartbeats(r.options.Settings, now),
	}
	if from.events > 0 || from.rows > 0 || from.part > 0 {
		s.resume = from
	}
	o := from.offset
	if o == nil {
		s.told = place{} // so that a start without a snapshot is stored
		o = map[string]any{}
		from.tx.Put(o)
	}
	s.emitter.Transactions.Restore(o)
	s.emitter.Now(now)
	defer s.closeChunks()
	if err := s.startChunks(from); err != nil {
		return err
	}
	if r.skipped && c == nil {
		s.out = s.notes.Append(s.out, now, s.firstPlace(from), debezium.SnapshotNote(debezium.SnapshotSkipped))
		r.skipped = false
	}
	inner, stop := context.WithCancel(ctx)
	s.ctx = inner
	syncer, err := r.syncer(s)
	if err != nil {
		stop()
		return err
	}
	defer syncer.Close() // it waits for the driver's goroutine, which stop lets go
	defer stop()
	var streamer *replication.BinlogStreamer
	if r.byGTID(from) {
		set, err := driver.ParseGTIDSet(driverFlavor[r.options.flavor], from.gtids.String())
		if err != nil {
			return cause(err)
		}
		streamer, err = syncer.StartSyncGTID(set)
		if err != nil {
			return lost(cause(err), from)
		}
	} else if streamer, err = syncer.StartSync(driver.Position{Name: from.file, Pos: uint32(from.pos)}); err != nil {
		return lost(cause(err), from)
	}
	return s.follow(ctx, streamer, from)
}

var driverFlavor = map[flavor]string{mariadb: driver.MariaDBFlavor, mysql: driver.MySQLFlavor}

// byGTID says whether to start by global transaction ids.
func (r *run) byGTID(from *position) bool {
	return from.gtids != nil && from.gtids.String() != "" && (!r.options.byFile || from.file == "")
}

// completeGTIDs of a position that has only a file, as ids of later transactions alone would be no
// position.
func (r *run) completeGTIDs(from *position) (err error) {
	if from.gtids == nil && from.file != "" && r.options.flavor == mariadb {
		from.gtids, err = r.gtidsAt(from.place, "")
	}
	return err
}

// follow the stream until the context ends, it fails, or it has come as far as is wanted.
func (s *stream) follow(ctx context.Context, streamer *replication.BinlogStreamer, from *position) error {
	for {
		wait, cancel := context.WithTimeout(ctx, tick)
		_, err := streamer.GetEvent(wait)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, context.DeadlineExceeded) {
			if err := s.periodic(time.Now()); err != nil {
				return err
			}
			continue
		}
		if err == nil {
			continue
		}
		s.mu.Lock()
		own := s.err
		s.mu.Unlock()
		switch {
		case errors.Is(own, errReached):
			return nil
		case own != nil:
			return own
		}
		return lost(fmt.Errorf("read the binary log: %w", cause(err)), from)
	}
}

// decode leaves rows of tables that are not captured as they are.
func (s *stream) decode(e *replication.RowsEvent, data []byte) error {
	at, err := e.DecodeHeader(data)
	if err != nil {
		return err
	}
	if t, known := s.tables[e.TableID]; known && t == nil || s.passed() || s.tx.foreign {
		return nil
	}
	return e.DecodeData(at, data)
}

// passed says whether the next event was done before a restart.
func (s *stream) passed() bool { return s.tx.open && s.tx.events < s.tx.skip }

// periodic tells Kafka that the source lives, and how far it is.
func (s *stream) periodic(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emitter.Now(now)
	if s.tx.open || s.err != nil {
		return s.push()
	}
	if s.chunks != nil {
		s.ofTopic()
		if err := s.nextChunk(&replication.EventHeader{}, s.place()); err != nil {
			return err
		}
		s.notify(s.place())
		if s.mayBlock() {
			s.err = s.stop(errBlocking)
			return s.err
		}
	}
	if due, _ := s.hearts.Due(now); due {
		s.out = append(s.out, s.hearts.Record(now, s.tell()))
		if err := s.act(); err != nil {
			return err
		}
	} else if s.positions && s.ended != s.told && !now.Before(s.nextTell) {
		s.nextTell = now.Add(tellEvery)
		s.out = append(s.out, plugin.SourceRecord{At: s.tell(), End: true, Bytes: 100})
	}
	return s.push()
}

// place is a position between transactions.
func (s *stream) place() *position {
	return &position{
		partition: s.partition, place: s.ended, gtids: s.gtids, seconds: time.Now().Unix(), snapshot: s.progress(), blocked: s.blocked, chunks: s.chunkState(),
	}
}

// stop the stream for a reason, with all that was read before.
func (s *stream) stop(why error) error {
	if err := s.push(); err != nil {
		return err
	}
	s.stopped = s.place()
	return why
}

// firstPlace is a position at which nothing was streamed yet.
func (s *stream) firstPlace(from *position) *position {
	if s.resume == nil {
		return s.place()
	}
	p := *from
	p.chunks, p.tx = s.chunkState(), s.emitter.Transactions.State()
	return &p
}

// tell the place with a record.
func (s *stream) tell() *position {
	s.told = s.ended
	return s.place()
}

func (s *stream) progress() *progress {
	if s.catchUp == nil {
		return nil
	}
	return s.catchUp.progress
}

// push the records made so far, and wait for room. The last one of a transaction that may go on is
// kept back, to say of it that it is the last.
func (s *stream) push() error {
	n := len(s.out)
	if s.tx.open && s.tx.records > 0 {
		n--
	}
	if n <= 0 {
		return nil
	}
	if err := s.queue.Put(s.ctx, s.out[:n]); err != nil {
		return err
	}
	kept := copy(s.out, s.out[n:])
	clear(s.out[kept:])
	s.out = s.out[:kept]
	return nil
}
