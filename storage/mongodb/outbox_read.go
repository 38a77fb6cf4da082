package mongodb

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/pabal-dev/pabal/outbox"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Pending implements outbox.Store. Between the ids that are on their way it reads one
// gap after the other, so that those rows cost nothing.
func (db *DB) Pending(ctx context.Context, above int64, except outbox.Exclusion, limit int, maxBytes int64) (out []outbox.Row, err error) {
	if err := db.number(ctx, limit); err != nil {
		return nil, err
	}
	room := maxBytes
	err = db.ask(ctx, "read pending rows", func(ctx context.Context) error {
		for _, gap := range gaps(above, except.IDs) {
			var full bool
			out, full, err = db.collect(ctx, out, pendingFilter(gap, except), limit, &room)
			if err != nil || full || len(out) >= limit {
				return err
			}
		}
		return nil
	})
	return out, err
}

func pendingFilter(ids outbox.Range, except outbox.Exclusion) bson.D {
	filter := append(bson.D{within(ids)}, fresh...)
	if len(except.Topics) > 0 {
		filter = append(filter, bson.E{Key: "topic", Value: bson.D{{Key: "$nin", Value: except.Topics}}})
	}
	byTopic := map[string]bson.A{}
	for _, k := range except.Keys {
		if k.Key != "" {
			byTopic[k.Topic] = append(byTopic[k.Topic], k.Key)
		}
	}
	var held bson.A
	for topic, keys := range byTopic {
		held = append(held, bson.D{{Key: "topic", Value: topic}, {Key: "key", Value: bson.D{{Key: "$in", Value: keys}}}})
	}
	if len(held) > 0 {
		filter = append(filter, bson.E{Key: "$nor", Value: held})
	}
	return filter
}

// fresh rows were never refused and never replayed.
var fresh = bson.D{{Key: "status", Value: outbox.Started}, {Key: "aside", Value: bson.D{{Key: "$exists", Value: false}}}}

var byIDs = bson.D{{Key: "id", Value: 1}}

// collect reads rows up to limit, and not more than room bytes of payload unless the
// first alone exceeds it.
func (db *DB) collect(ctx context.Context, into []outbox.Row, filter bson.D, limit int, room *int64, more ...options.Lister[options.FindOptions]) (out []outbox.Row, full bool, err error) {
	few := int32(min(limit, 1000))
	find := options.Find().SetSort(byIDs).SetLimit(int64(limit - len(into))).SetBatchSize(few)
	cursor, err := db.outbox.Find(ctx, filter, append([]options.Lister[options.FindOptions]{find}, more...)...)
	if err != nil {
		return nil, false, err
	}
	defer cursor.Close(ctx)
	for cursor.Next(ctx) {
		var r outboxRow
		if err := cursor.Decode(&r); err != nil {
			return nil, false, err
		}
		if r.Size > *room && len(into) > 0 {
			return into, true, nil
		}
		*room -= r.Size
		into = append(into, r.row())
	}
	return into, false, cursor.Err()
}

// OldestPending implements outbox.Store.
func (db *DB) OldestPending(ctx context.Context, above int64) (id int64, ok bool, err error) {
	if err := db.number(ctx, 1); err != nil {
		return 0, false, err
	}
	var row struct {
		ID int64 `bson:"id"`
	}
	err = db.ask(ctx, "look for the oldest pending row", func(ctx context.Context) error {
		filter := append(bson.D{within(gaps(above, nil)[0])}, fresh...)
		found := db.outbox.FindOne(ctx, filter, options.FindOne().SetSort(byIDs).SetProjection(byIDs)).Decode(&row)
		ok = found == nil
		return absent(found)
	})
	return row.ID, ok, err
}

// absent takes a missing document for no error.
func absent(err error) error {
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil
	}
	return err
}

// SetAside implements outbox.Store.
func (db *DB) SetAside(ctx context.Context, limit int) (out []outbox.Row, err error) {
	room := int64(math.MaxInt64)
	err = db.ask(ctx, "read rows set aside", func(ctx context.Context) error {
		out, _, err = db.collect(ctx, nil, bson.D{{Key: "aside", Value: true}}, limit, &room,
			options.Find().SetProjection(bson.D{{Key: "payload", Value: 0}, {Key: "headers", Value: 0}, {Key: "size", Value: 0}}))
		return err
	})
	return out, err
}

// Load implements outbox.Store.
func (db *DB) Load(ctx context.Context, ids []int64, maxBytes int64) (out []outbox.Row, err error) {
	room := maxBytes
	err = db.ask(ctx, "load rows", func(ctx context.Context) error {
		for _, batch := range batchesOf(ids) {
			var full bool
			filter := bson.D{{Key: "status", Value: outbox.Started}, batch}
			if out, full, err = db.collect(ctx, out, filter, len(ids)+1, &room); err != nil || full {
				return err
			}
		}
		return nil
	})
	return out, err
}

// Horizon implements outbox.Store. Ids appear with their rows, in one transaction
// after the other: nobody can still commit one below the last.
func (db *DB) Horizon(ctx context.Context) (outbox.Horizon, error) {
	var counter struct {
		Last int64 `bson:"last"`
	}
	err := db.ask(ctx, "look at the last id", func(ctx context.Context) error {
		return db.state.FindOne(ctx, byID(idState)).Decode(&counter)
	})
	return outbox.Horizon{LastID: counter.Last}, err
}

// Backlog implements outbox.Store. Completed rows are counted up to a million.
func (db *DB) Backlog(ctx context.Context) (b outbox.Backlog, err error) {
	err = db.ask(ctx, "count the outbox", func(ctx context.Context) error {
		for status, n := range map[outbox.Status]*int64{outbox.Started: &b.Started, outbox.Failed: &b.Failed} {
			if *n, err = db.outbox.CountDocuments(ctx, bson.D{{Key: "status", Value: status}}); err != nil {
				return err
			}
		}
		if b.Completed, err = db.history.CountDocuments(ctx, bson.D{}, options.Count().SetLimit(1_000_000)); err != nil {
			return err
		}
		b.Oldest, err = db.oldest(ctx)
		return err
	})
	return b, err
}

// oldest is when the first STARTED row was enqueued: ids and stamps are in that order
// but for what was open at the same time.
func (db *DB) oldest(ctx context.Context) (first time.Time, err error) {
	for _, ids := range []any{bson.D{{Key: "$gt", Value: 0}}, 0} {
		var row struct {
			EnqueuedAt time.Time `bson:"enqueuedAt"`
		}
		err := db.outbox.FindOne(ctx, bson.D{{Key: "id", Value: ids}, {Key: "status", Value: outbox.Started}},
			options.FindOne().SetSort(bson.D{{Key: "id", Value: 1}, {Key: "stamp", Value: 1}}).SetProjection(bson.D{{Key: "enqueuedAt", Value: 1}})).Decode(&row)
		if absent(err) != nil {
			return first, err
		}
		if err == nil && (first.IsZero() || row.EnqueuedAt.Before(first)) {
			first = row.EnqueuedAt.UTC()
		}
	}
	return first, nil
}
