package mongodb

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/outbox"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Complete implements outbox.Store.
func (db *DB) Complete(ctx context.Context, lease outbox.Lease, ids []int64, position []byte, keepHistory bool) error {
	return db.transact(ctx, func(ctx context.Context) error {
		now, err := db.setPosition(ctx, lease, position)
		if err != nil {
			return err
		}
		for _, batch := range batchesOf(ids) {
			if keepHistory {
				if err := db.keep(ctx, batch, now); err != nil {
					return err
				}
			}
			if _, err := db.outbox.DeleteMany(ctx, bson.D{batch}); err != nil {
				return failed("remove published rows", err)
			}
		}
		return nil
	})
}

// keep copies rows to the history.
func (db *DB) keep(ctx context.Context, which bson.E, now time.Time) error {
	cursor, err := db.outbox.Find(ctx, bson.D{which}, options.Find().SetSort(byIDs))
	var rows []outboxRow
	if err == nil {
		err = cursor.All(ctx, &rows)
	}
	if err != nil || len(rows) == 0 {
		return failed("read published rows", err)
	}
	all := make([]any, len(rows))
	for i := range rows {
		r := &rows[i]
		r.Status, r.PublishedAt, r.Aside, r.NextAttempt, r.Reason = outbox.Completed, &now, false, nil, ""
		all[i] = r
	}
	_, err = db.history.InsertMany(ctx, all)
	return failed("keep published rows", err)
}

// setPosition also returns the database's time.
func (db *DB) setPosition(ctx context.Context, lease outbox.Lease, position []byte) (time.Time, error) {
	var stored any
	if position != nil {
		stored = bson.Binary{Data: position}
	}
	return db.underLease(ctx, lease, bson.D{{Key: "position", Value: literal(stored)}})
}

// Refuse implements outbox.Store.
func (db *DB) Refuse(ctx context.Context, lease outbox.Lease, refusals []outbox.Refusal) error {
	return db.transact(ctx, func(ctx context.Context) error {
		if _, err := db.underLease(ctx, lease, nil); err != nil || len(refusals) == 0 {
			return err
		}
		writes := make([]mongo.WriteModel, len(refusals))
		for i, r := range refusals {
			writes[i] = mongo.NewUpdateOneModel().SetFilter(bson.D{{Key: "id", Value: r.ID}, {Key: "status", Value: outbox.Started}}).
				SetUpdate(bson.D{{Key: "$set", Value: bson.D{
					{Key: "aside", Value: true}, {Key: "attempts", Value: r.Attempts}, {Key: "nextAttempt", Value: micros(r.Next)}, {Key: "reason", Value: r.Reason},
				}}})
		}
		_, err := db.outbox.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
		return failed("record refusals", err)
	})
}

// Fail implements outbox.Store.
func (db *DB) Fail(ctx context.Context, lease outbox.Lease, ids []int64, upToReplay int64, position []byte) error {
	return db.transact(ctx, func(ctx context.Context) error {
		if _, err := db.setPosition(ctx, lease, position); err != nil {
			return err
		}
		for _, batch := range batchesOf(ids) {
			filter := bson.D{batch, {Key: "status", Value: outbox.Started}, {Key: "replay", Value: bson.D{{Key: "$lte", Value: upToReplay}}}}
			_, err := db.outbox.UpdateMany(ctx, filter, bson.D{
				{Key: "$set", Value: bson.D{{Key: "status", Value: outbox.Failed}}},
				{Key: "$unset", Value: bson.D{{Key: "aside", Value: ""}, {Key: "nextAttempt", Value: ""}}},
			})
			if err != nil {
				return failed("mark rows as failed", err)
			}
		}
		return nil
	})
}

// Replay implements outbox.Store.
func (db *DB) Replay(ctx context.Context, ids ...int64) (n int64, err error) {
	err = db.transact(ctx, func(ctx context.Context) error {
		n = 0
		request, now, err := db.nextReplay(ctx)
		if err != nil {
			return err
		}
		batches := batchesOf(ids)
		if len(ids) == 0 {
			batches = []bson.E{{Key: "id", Value: bson.D{{Key: "$gt", Value: 0}}}}
		}
		for _, batch := range batches {
			done, err := db.outbox.UpdateMany(ctx, bson.D{batch, {Key: "status", Value: outbox.Failed}}, bson.D{
				{Key: "$set", Value: bson.D{
					{Key: "status", Value: outbox.Started}, {Key: "aside", Value: true}, {Key: "attempts", Value: 0},
					{Key: "nextAttempt", Value: now.UnixMicro()}, {Key: "replay", Value: request},
				}},
				{Key: "$unset", Value: bson.D{{Key: "reason", Value: ""}}},
			})
			if err != nil {
				return failed("replay failed rows", err)
			}
			n += done.ModifiedCount
		}
		return nil
	})
	return n, err
}

func (db *DB) nextReplay(ctx context.Context) (request int64, now time.Time, err error) {
	state, err := db.changeState(ctx, nil, bson.D{{Key: "lastReplay", Value: bson.D{{Key: "$add", Value: bson.A{"$lastReplay", int64(1)}}}}})
	return state.LastReplay, state.ChangedAt, failed("number the replay", err)
}

// LastReplay implements outbox.Store.
func (db *DB) LastReplay(ctx context.Context) (int64, error) {
	state, err := db.relayState(ctx)
	return state.LastReplay, err
}

// republishBatch bounds a transaction of Republish.
const republishBatch = 1000

// Republish implements outbox.Store. It goes in steps, from the oldest id; where it
// fails between two of them the rest is still in the history, and a repetition
// continues.
func (db *DB) Republish(ctx context.Context, since time.Time) (n int64, err error) {
	for {
		moved := 0
		err := db.transact(ctx, func(ctx context.Context) (err error) {
			moved, err = db.republish(ctx, since)
			return err
		})
		if err != nil {
			return n, err
		}
		if n += int64(moved); moved > 0 {
			db.Wake()
		}
		if moved < republishBatch {
			return n, nil
		}
	}
}

func (db *DB) republish(ctx context.Context, since time.Time) (int, error) {
	cursor, err := db.history.Find(ctx, bson.D{{Key: "publishedAt", Value: bson.D{{Key: "$gte", Value: since}}}},
		options.Find().SetSort(byIDs).SetLimit(republishBatch))
	var rows []outboxRow
	if err == nil {
		err = cursor.All(ctx, &rows)
	}
	if err != nil || len(rows) == 0 {
		return 0, failed("read the history", err)
	}
	last, err := db.takeIDs(ctx, len(rows))
	if err != nil {
		return 0, err
	}
	keys, again := make([]bson.ObjectID, len(rows)), make([]any, len(rows))
	for i := range rows {
		r := &rows[i]
		keys[i] = r.Key
		r.Key, r.ID = bson.NewObjectID(), last-int64(len(rows))+1+int64(i)
		r.Status, r.PublishedAt, r.EnqueuedAt, r.Attempts, r.Replay = outbox.Started, nil, time.Now(), 0, 0
		again[i] = r
	}
	if _, err := db.history.DeleteMany(ctx, byID(bson.D{{Key: "$in", Value: keys}})); err != nil {
		return 0, failed("take rows out of the history", err)
	}
	_, err = db.outbox.InsertMany(ctx, again)
	return len(rows), failed("put rows back into the outbox", err)
}

// TrimHistory implements outbox.Store.
func (db *DB) TrimHistory(ctx context.Context, before time.Time, limit int) (int64, error) {
	return db.trim(ctx, "trim the history", db.history, "publishedAt", before, limit)
}

// trim deletes the oldest documents, at most limit.
func (db *DB) trim(ctx context.Context, what string, from *mongo.Collection, field string, before time.Time, limit int) (n int64, err error) {
	old := bson.D{{Key: field, Value: bson.D{{Key: "$lt", Value: before}}}}
	err = db.ask(ctx, what, func(ctx context.Context) error {
		cursor, err := from.Find(ctx, old, options.Find().SetSort(bson.D{{Key: field, Value: 1}}).SetLimit(int64(limit)).SetProjection(byID(1)))
		if err != nil {
			return err
		}
		var found []struct {
			ID any `bson:"_id"`
		}
		if err := cursor.All(ctx, &found); err != nil || len(found) == 0 {
			return err
		}
		ids := make(bson.A, len(found))
		for i, f := range found {
			ids[i] = f.ID
		}
		done, err := from.DeleteMany(ctx, append(byID(bson.D{{Key: "$in", Value: ids}}), old...))
		if err == nil {
			n = done.DeletedCount
		}
		return err
	})
	return n, err
}
