package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/feed"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres/internal/replication"
)

// streaming from a position on, with a stop for each blocking snapshot: the stream comes up to a
// point of the log, the tables are read as of it, and the stream goes on from there. Who starts
// within finds what was asked for in the position, and goes on with the table's next row.
func (r *run) streaming(ctx context.Context, from *position) error {
	for {
		next, err := r.leg(ctx, from)
		if err != nil {
			return err
		}
		if err := r.reconnect(ctx); err != nil {
			return err
		}
		from = next
	}
}

// leg is a stretch of the stream and the snapshot at its end.
func (r *run) leg(ctx context.Context, from *position) (next *position, err error) {
	at, p, err := r.stretch(ctx, from)
	if p != nil {
		defer p.release()
	}
	if err != nil {
		return nil, err
	}
	return r.blocking(ctx, at, p)
}

// stretch of the stream, up to the point of a blocking snapshot, which is returned with the position
// there.
func (r *run) stretch(ctx context.Context, from *position) (*position, *point, error) {
	s, err := r.newStream(ctx, from, 0)
	if err != nil {
		return nil, nil, err
	}
	defer s.closeChunks()
	if err := s.startChunks(from); err != nil {
		return nil, nil, err
	}
	if r.skipped {
		s.out = s.notes.Append(s.out, time.Now(), s.place(), debezium.SnapshotNote(debezium.SnapshotSkipped))
		r.skipped = false
	}
	if err := s.follow(ctx); err != nil {
		return nil, s.point, err
	}
	at := s.place()
	at.lsn, at.proc, at.flush = s.until, s.until, s.until // all that commits before it is done
	return at, s.point, r.conn.Stop(ctx)
}

// reconnect for another stretch, as a connection streams once.
func (r *run) reconnect(ctx context.Context) error {
	cfg, err := connection(r.values)
	if err != nil {
		return err
	}
	next, err := replication.Connect(ctx, &cfg.Config)
	if err != nil {
		return err
	}
	r.bye(r.conn.Close)
	r.conn = next
	context.AfterFunc(ctx, next.Interrupt)
	return nil
}

// mayBlock says that the stream is to stop for a snapshot, and is between transactions.
func (s *stream) mayBlock() bool {
	return s.chunks != nil && s.point == nil && !s.tx.open && !s.resume.within() && s.chunks.State().Blocking() != nil
}

// block finds where the stream stops. It waits meanwhile: what it has read is before that.
func (s *stream) block(ctx context.Context) error {
	if !s.mayBlock() {
		return nil
	}
	s.log.Info("postgres: the stream stops for a blocking snapshot", "id", s.chunks.State().Blocking().ID)
	made := make(chan error, 1)
	wait, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		made <- feed.Guard(func() (err error) {
			s.point, err = s.temporary(wait)
			return err
		})
	}()
	for {
		select {
		case err := <-made:
			if err != nil {
				return err
			}
			s.until = s.point.At
			s.reached = s.flushed >= s.until
			return s.status(time.Now(), true)
		case <-time.After(time.Until(s.nextStatus)):
			if err := s.status(time.Now(), false); err != nil {
				cancel()
				<-made
				return err
			}
		}
	}
}

// blocking reads the tables that were asked for, as of a point that the stream has come up to, and
// returns where the stream goes on. One that cannot be read is given up with a warning.
func (r *run) blocking(ctx context.Context, at *position, p *point) (*position, error) {
	request := at.chunks.Blocking()
	end := *at
	end.blocked, end.chunks = nil, at.chunks.Unblocked()
	n := &snapshotRun{
		run: r, at: p.At, commit: at.ended(), name: p.Snapshot, progress: &progress{}, blocking: request, state: at.chunks,
	}
	if at.blocked != nil {
		n.progress = at.blocked
	}
	err := n.plan(ctx)
	if err == nil {
		err = n.read(ctx)
	}
	kind := debezium.SnapshotCompleted
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && (passing(err) || errors.Is(err, feed.ErrPanic)):
		return nil, err
	case err != nil:
		r.log.Warn("postgres: a blocking snapshot is given up", "id", request.ID, "error", err)
		r.tables.Store(r.tablesDone.Load())
		kind = debezium.SnapshotAborted
	default:
		r.log.Info("postgres: the blocking snapshot is complete", "id", request.ID, "tables", len(n.tables), "at", p.At.String())
	}
	out := r.notes.Append(nil, time.Now(), &end, debezium.SnapshotNote(kind))
	if (err != nil || n.held == nil) && r.positions { // no other record says that it is done with
		out = append(out, plugin.SourceRecord{At: &end, End: true, Bytes: 100})
	}
	return &end, r.queue.Put(ctx, out)
}

// again is a position to start from after a connection was lost: that of a snapshot has the row that
// it was at in its progress, as one that was stored has.
func (p *position) again() *position {
	if p == nil || p.offset != nil || p.row == nil || p.snapshot == nil && p.blocked == nil {
		return p
	}
	own := *p
	own.row, own.blocking = nil, false
	for _, progress := range []**progress{&own.snapshot, &own.blocked} {
		if *progress == nil {
			continue
		}
		if read, err := decodeProgress((*progress).encode(p.row)); err == nil { // what was written can be read
			*progress = read
		}
	}
	return &own
}
