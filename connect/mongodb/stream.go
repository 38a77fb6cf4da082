package mongodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// errLost says that the server no longer has what comes after a position.
var errLost = errors.New("it is no longer available on the server")

// watch opens the change stream after a position; nil is now.
func (t *task) watch(ctx context.Context, from *position) (*mongo.ChangeStream, error) {
	o := t.settings.streamOptions()
	switch {
	case from == nil:
	case from.token != nil:
		o.SetStartAfter(from.token)
	case from.sec > 0:
		start := from.clusterTime()
		o.SetStartAtOperationTime(&start)
	}
	stream, err := t.open(ctx, o)
	if err != nil && from != nil && lost(err) {
		return nil, fmt.Errorf("mongodb: the connector is trying to read change stream starting at %v, but %w. Reconfigure the connector to use snapshot.mode=when_needed, or reset its offset: %w", from.Offset(), errLost, err)
	}
	return stream, t.explained(ctx, "open the change stream", err)
}

func (t *task) open(ctx context.Context, o *options.ChangeStreamOptionsBuilder) (*mongo.ChangeStream, error) {
	stages := t.settings.pipeline()
	switch target := t.settings.target; {
	case target.db == "":
		return t.client.Watch(ctx, stages, o)
	case target.coll == "":
		return t.client.Database(target.db).Watch(ctx, stages, o)
	default:
		return t.client.Database(target.db).Collection(target.coll).Watch(ctx, stages, o)
	}
}

// lost are the answers to tokens that are too old, of another deployment, or no tokens.
func lost(err error) bool {
	const failedToParse, badKeyString, wrongToken, wrongVersion = 9, 50811, 40647, 40649
	return hasCode(err, historyLost, invalidToken, changeStreamFatal, failedToParse, badKeyString, wrongToken, wrongVersion)
}

func (t *task) explained(ctx context.Context, what string, err error) error {
	switch {
	case err == nil:
		return nil
	case hasCode(err, bsonTooLarge):
		return fmt.Errorf("mongodb: %s: an event is larger than 16 MB; set cursor.oversize.handling.mode=split (MongoDB 6.0.9 and later) or skip: %w", what, err)
	case hasCode(err, unrecognizedStage):
		return fmt.Errorf("mongodb: %s: the server does not know a stage; splitting events needs MongoDB 6.0.9: %w", what, err)
	case hasCode(err, notAReplicaSet):
		return fmt.Errorf("mongodb: %s: the server is no member of a replica set, and only those have change streams; start it with --replSet and run rs.initiate(): %w", what, err)
	}
	return failed(ctx, what, err)
}

// stream makes records of changes until ctx ends or there is an error.
func (t *task) stream(ctx context.Context, r *recorder, from *position) error {
	cs, err := t.watch(ctx, from)
	if err != nil {
		return err
	}
	defer func() { t.closeStream(ctx, cs) }()
	if from == nil { // from now on nothing is to be missed
		t.moved(ctx, r, cs, true)
	}
	signals, err := newSignaller(t, r)
	if err != nil {
		return err
	}
	defer signals.close()
	if t.skipped && (r.at.token != nil || r.at.sec > 0) {
		t.skipped = false
		at := *r.at
		at.stored, at.incremental, at.transaction = nil, r.incremental.State(), r.transactions.State()
		if err := t.queue.Put(ctx, signals.notifications.Append(nil, time.Now(), &at, debezium.SnapshotNote(debezium.SnapshotSkipped))); err != nil {
			return err
		}
	}
	reader := eventReader{recorder: r, signals: signals}
	for {
		records, err := reader.batch(ctx, cs)
		if putErr := t.queue.Put(ctx, records); putErr != nil {
			return putErr
		}
		if len(records) > 0 {
			t.at.Store(r.at)
		}
		switch {
		case err != nil:
			return err
		case len(reader.fragments) == 0 && r.at.token != nil && r.incremental.State().Blocking() != nil:
			return errBlocking
		case cs.Err() != nil && lost(cs.Err()):
			return fmt.Errorf("mongodb: the change stream after %v: %w: %w", r.at.Offset(), errLost, cs.Err())
		case cs.Err() != nil:
			return t.explained(ctx, "read the change stream", cs.Err())
		case reader.invalidated || cs.ID() == 0:
			t.log.Warn("The change stream was invalidated, as its collection or database was dropped or renamed; it goes on after that.")
			t.closeStream(ctx, cs)
			reader.invalidated = false
			if cs, err = t.watch(ctx, r.at); err != nil {
				return err
			}
		case cs.RemainingBatchLength() == 0 && len(reader.fragments) == 0:
			t.moved(ctx, r, cs, false)
		}
	}
}

func (t *task) closeStream(ctx context.Context, cs *mongo.ChangeStream) {
	if cs == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	_ = cs.Close(ctx)
}

// moveInterval is how often a position without a record is stored while nothing happens.
const moveInterval = 10 * time.Second

// moved has the stream's own position stored, with a heartbeat or without a record at all, so that
// the token of a quiet collection does not grow too old.
func (t *task) moved(ctx context.Context, r *recorder, cs *mongo.ChangeStream, first bool) {
	token := cs.ResumeToken()
	if token == nil {
		return
	}
	at := r.at.next()
	at.token, at.transaction, at.incremental = append(bson.Raw(nil), token...), r.transactions.State(), r.incremental.State()
	at.lsid, at.txn = r.at.lsid, r.at.txn
	now := time.Now()
	var record plugin.SourceRecord
	switch due, _ := t.heartbeats.Due(now); {
	case due:
		record = t.heartbeats.Record(now, at)
	case t.positions && (first || now.Sub(t.movedAt) >= moveInterval):
		record = plugin.SourceRecord{At: at}
	default:
		if first {
			r.at = at
			t.at.Store(at)
		}
		return
	}
	t.movedAt, record.End = now, true
	if t.queue.Put(ctx, []plugin.SourceRecord{record}) == nil {
		r.at = at
		t.at.Store(at)
	}
}

// eventReader puts split events together.
type eventReader struct {
	recorder    *recorder
	signals     *signaller
	fragments   []event
	invalidated bool
}

// maxBatchBytes is when a batch is handed on though there are more events.
const maxBatchBytes = 4 << 20

// batch waits for events for as long as the server does, and takes those that came with the first.
func (b *eventReader) batch(ctx context.Context, cs *mongo.ChangeStream) (records []plugin.SourceRecord, err error) {
	r := b.recorder
	r.setTime(time.Now())
	if records, err = b.signals.topics(ctx, nil); err != nil {
		return records, err
	}
	if records, err = b.signals.chunk(ctx, records, false); err != nil || !cs.TryNext(ctx) {
		return records, err
	}
	r.setTime(time.Now())
	bytes := 0
	for {
		e, err := readEvent(cs.Current)
		if err != nil {
			return records, fmt.Errorf("mongodb: %w", err)
		}
		whole, err := b.join(&e)
		if err != nil {
			return records, err
		}
		if whole {
			from, before := len(records), r.at
			if records, err = r.append(records, &e); err == nil {
				records, err = b.signals.event(ctx, records, &e)
			}
			if err != nil {
				r.at = before
				return records[:from], err
			}
			for i := from; i < len(records); i++ {
				bytes += recordBytes(&records[i])
			}
			b.invalidated = b.invalidated || e.operation == "invalidate"
		}
		if b.invalidated || bytes >= maxBatchBytes || len(records) >= r.MaxBatch || cs.RemainingBatchLength() == 0 || !cs.TryNext(ctx) {
			return records, nil
		}
	}
}

// join keeps the fragments of a split event until the last one; e is then the whole.
func (b *eventReader) join(e *event) (whole bool, err error) {
	if e.fragment == 0 {
		if len(b.fragments) > 0 {
			return false, errors.New("mongodb: a fragment of a split event is missing")
		}
		return true, nil
	}
	e.detach()
	b.fragments = append(b.fragments, *e)
	if e.fragment != e.last {
		return false, nil
	}
	*e = b.fragments[0]
	for _, next := range b.fragments[1:] {
		e.merge(next)
	}
	b.fragments = nil
	return true, nil
}
