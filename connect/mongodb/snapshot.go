package mongodb

import (
	"context"
	"errors"
	"sort"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// snapshot makes records of all documents there are, from where the last one was interrupted.
// Streaming goes on at the position it returns, which was taken before the first was read.
func (t *task) snapshot(ctx context.Context, from *position) (*position, error) {
	if from != nil && from.snapshot != nil && t.gone(ctx, from) {
		t.log.Warn("The change stream since the interrupted snapshot's beginning is no longer on the server; the snapshot begins anew.")
		from = nil
	}
	if from == nil || from.snapshot == nil {
		start, err := t.now(ctx)
		if err != nil {
			return nil, err
		}
		start.snapshot = &progress{}
		from = start
	}
	s := &snapshotter{task: t, from: from, since: from.snapshot, queries: t.settings.queries}
	return s.run(ctx, func(ns namespace) bool { return t.settings.selected == nil || t.settings.selected.Match(ns.String()) })
}

// run reads the collections that are wanted, and left, in the order of their names as Debezium does.
func (s *snapshotter) run(ctx context.Context, wants func(namespace) bool) (*position, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wanted, err := s.left(ctx, wants)
	if err != nil {
		return nil, err
	}
	s.task.read.Store(0)
	s.task.wanted.Store(int64(len(wanted)))
	s.task.log.Info("The snapshot begins, or goes on.", "collections", len(wanted), "after", s.since.ns.String())
	if s.recorder, err = newRecorder(s.task.settings, s.task.context, s.from); err != nil {
		return nil, err
	}
	chunks := newChunks(s.task, s.from.readTime(), s.queries)
	go chunks.run(ctx, wanted, s.since)
	defer func() {
		cancel()
		<-chunks.done
	}()
	s.passed = s.begun()
	if err = s.tell(ctx, debezium.SnapshotNote(debezium.SnapshotStarted)); err == nil {
		err = s.collections(ctx, chunks)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(err, s.tell(ctx, debezium.SnapshotNote(debezium.SnapshotAborted)))
	}
	return s.finish(ctx)
}

// collections, chunk by chunk.
func (s *snapshotter) collections(ctx context.Context, chunks *chunks) error {
	var current namespace
	for chunk := range chunks.order {
		if chunk.ns != current {
			if err := s.next(ctx, current, chunk.ns); err != nil {
				return err
			}
			current = chunk.ns
		}
		if err := s.chunk(ctx, chunk); err != nil {
			return err
		}
	}
	if chunks.err != nil || ctx.Err() != nil {
		return errors.Join(chunks.err, ctx.Err())
	}
	return s.next(ctx, current, namespace{})
}

// next collection after one; the zero value is none.
func (s *snapshotter) next(ctx context.Context, done, begins namespace) error {
	var notes []debezium.Notification
	if done != (namespace{}) {
		s.task.read.Add(1)
		notes = append(notes, debezium.TableDoneNote(done.String(), 0))
	}
	if begins != (namespace{}) {
		notes = append(notes, debezium.TableNote(begins.String()))
	}
	return s.tell(ctx, notes...)
}

// begun is the position before the first record.
func (s *snapshotter) begun() *position {
	at := *s.from
	if s.blocking {
		at.blocked = s.since
	} else {
		at.snapshot = s.since
	}
	return &at
}

// tell what the snapshot does, at the place of the last record but the one that is kept back.
func (s *snapshotter) tell(ctx context.Context, all ...debezium.Notification) error {
	return s.put(ctx, debezium.NewNotifications(s.task.settings.Settings, s.task.log).Append(nil, time.Now(), s.passed, all...))
}

// gone says that streaming could not go on at the position.
func (t *task) gone(ctx context.Context, from *position) bool {
	cs, err := t.watch(ctx, from)
	t.closeStream(ctx, cs)
	return errors.Is(err, errLost)
}

// now is where the change stream is: a token, or where the server gives none its clock.
func (t *task) now(ctx context.Context) (*position, error) {
	p := newPosition(t.settings.Naming.Prefix)
	cs, err := t.watch(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer t.closeStream(ctx, cs)
	if token := cs.ResumeToken(); token != nil {
		p.token = append(p.token, token...)
		return p, nil
	}
	var hello struct {
		Time bson.Timestamp `bson:"operationTime"`
	}
	err = t.client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello)
	p.sec, p.ord = int64(hello.Time.T), int64(hello.Time.I)
	return p, failed(ctx, "read the cluster's time", err)
}

// left are the collections that are still to be read.
func (s *snapshotter) left(ctx context.Context, wants func(namespace) bool) ([]namespace, error) {
	all, err := s.task.namespaces(ctx)
	if err != nil {
		return nil, err
	}
	var left []namespace
	for _, ns := range all {
		if wants(ns) && (!before(ns, s.since.ns) || s.since.ns == (namespace{})) {
			left = append(left, ns)
		}
	}
	sort.Slice(left, func(i, j int) bool { return before(left[i], left[j]) })
	return left, nil
}

func before(a, b namespace) bool {
	if a.coll != b.coll {
		return a.coll < b.coll
	}
	return a.db < b.db
}

func (t *task) namespaces(ctx context.Context) (all []namespace, err error) {
	s := t.settings
	databases, err := t.client.ListDatabaseNames(ctx, bson.D{})
	if err != nil {
		return nil, failed(ctx, "list databases", err)
	}
	for _, db := range databases {
		if !s.databases(db) || (namespace{db: db}).builtIn() || s.target.db != "" && s.target.db != db {
			continue
		}
		names, err := t.client.Database(db).ListCollectionNames(ctx, bson.D{{Key: "type", Value: "collection"}})
		if err != nil {
			return nil, failed(ctx, "list the collections of "+db, err)
		}
		for _, name := range names {
			ns := namespace{db, name}
			if s.captured(ns) && s.inScope(ns) && !systemCollection(name) {
				all = append(all, ns)
			}
		}
	}
	return all, nil
}

func systemCollection(name string) bool { return len(name) >= 7 && name[:7] == "system." }

// snapshotter turns rows into records. It keeps back one record, as the last one of all says so
// and has another position.
type snapshotter struct {
	task     *task
	recorder *recorder
	from     *position
	since    *progress // where it goes on
	// blocking says that the stream waits for it.
	blocking bool
	queries  map[namespace]bson.Raw
	held     []plugin.SourceRecord // one at most
	passed   *position             // of the last record in the queue
}

func (s *snapshotter) chunk(ctx context.Context, c *chunk) error {
	collection := s.recorder.collection(c.ns)
	for {
		rows, ended, err := c.rows.Take(ctx, s.task.settings.MaxBatch, time.Hour)
		if err != nil || ended {
			return err
		}
		s.recorder.setTime(time.Now())
		records := make([]plugin.SourceRecord, 0, len(rows)+1)
		records = append(records, s.held...)
		for i := range rows {
			records = append(records, s.record(collection, &rows[i]))
		}
		if len(records) == 0 {
			continue
		}
		last := len(records) - 1
		s.held = []plugin.SourceRecord{records[last]}
		if err := s.put(ctx, records[:last]); err != nil {
			return err
		}
	}
}

func (s *snapshotter) put(ctx context.Context, records []plugin.SourceRecord) error {
	if err := s.task.queue.Put(ctx, records); err != nil || len(records) == 0 {
		return err
	}
	s.passed = records[len(records)-1].At.(*position)
	s.task.at.Store(s.passed)
	return nil
}

func (s *snapshotter) record(c *collection, row *row) plugin.SourceRecord {
	at, ord := *s.from, s.from.ord
	if s.blocking {
		at.blocked, ord = &progress{c.ns, row.id}, -1 // as of an initial one
	} else {
		at.snapshot = &progress{c.ns, row.id}
	}
	return s.recorder.read(c, row, &at, debezium.InSnapshot, time.Now(), ord)
}

// ended is the position that the snapshot is over.
func (s *snapshotter) ended() *position {
	at := *s.from
	at.snapshot, at.blocked = nil, nil
	at.incremental = at.incremental.Unblocked()
	return &at
}

// finish sends the record that was kept back, with the position that the snapshot is over.
func (s *snapshotter) finish(ctx context.Context) (*position, error) {
	at := s.ended()
	if len(s.held) > 0 {
		last := &s.held[0]
		last.At = at
		source := last.Value.(*data.Struct).Values[envelopeSource].(*data.Struct)
		source.Values[debezium.SourceSnapshot] = string(debezium.LastInSnapshot)
	} else if s.task.positions {
		s.held = []plugin.SourceRecord{{At: at, End: true, Bytes: recordOverhead}}
	}
	if err := s.put(ctx, s.held); err != nil {
		return nil, err
	}
	s.task.at.Store(at)
	s.task.log.Info("The snapshot is complete.")
	s.passed = at
	return at, s.tell(ctx, debezium.SnapshotNote(debezium.SnapshotCompleted))
}

// causal is a session that sees all that was written before a time, also on a secondary.
func causal(client *mongo.Client, after bson.Timestamp) (*mongo.Session, error) {
	session, err := client.StartSession()
	if err != nil {
		return nil, err
	}
	if !after.IsZero() {
		err = session.AdvanceOperationTime(&after)
	}
	return session, err
}
