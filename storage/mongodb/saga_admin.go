package mongodb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// NextDue is described at saga.Admin.
func (db *DB) NextDue(ctx context.Context, name string) (next time.Time, err error) {
	if saga.CheckID("name", name) != nil {
		return next, nil
	}
	err = db.ask(ctx, "look for the next timer of sagas", func(ctx context.Context) error {
		var first sagaDocument
		err := db.sagas.FindOne(ctx, bson.D{{Key: "name", Value: name}, {Key: "due", Value: bson.D{{Key: "$exists", Value: true}}}},
			options.FindOne().SetSort(ascending("due")).SetProjection(bson.D{{Key: "due", Value: 1}})).Decode(&first)
		next = fromMicros(first.Due)
		return absent(err)
	})
	return next, err
}

// TrimSagas is described at saga.Admin.
func (db *DB) TrimSagas(ctx context.Context, name string, before time.Time, limit int) (n int64, err error) {
	if limit <= 0 || saga.CheckID("name", name) != nil {
		return 0, nil
	}
	passed := &taken{db: db}
	err = db.transact(ctx, func(inside context.Context) error {
		n = 0
		old := bson.D{{Key: "name", Value: name}, {Key: "ended", Value: bson.D{{Key: "$lt", Value: before.UnixMicro()}}}}
		keys, err := findKeys(inside, db.sagas, append(old, passed.others()...), options.Find().SetSort(ascending("ended")).SetLimit(int64(limit)))
		if err != nil || len(keys) == 0 {
			return failed("look for old sagas", err)
		}
		done, err := db.sagas.DeleteMany(inside, byID(anyOf(keys)))
		if err != nil {
			passed.note(ctx, keys, err)
			return failed("delete old sagas", err)
		}
		n = done.DeletedCount
		return failed("delete the timelines of old sagas", db.deleteEntries(inside, keys))
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func (db *DB) deleteEntries(ctx context.Context, keys []sagaKey) error {
	deletes := make([]mongo.WriteModel, len(keys))
	for i, key := range keys {
		deletes[i] = mongo.NewDeleteManyModel().SetFilter(entriesIn(key, bson.MaxKey{}))
	}
	_, err := db.entries.BulkWrite(ctx, deletes)
	return err
}

// entriesIn matches the entries of a saga up to a revision.
func entriesIn(key sagaKey, upTo any) bson.D {
	at := func(revision any) bson.D {
		return bson.D{{Key: "name", Value: key.Name}, {Key: "id", Value: key.ID}, {Key: "revision", Value: revision}}
	}
	return byID(bson.D{{Key: "$gte", Value: at(bson.MinKey{})}, {Key: "$lte", Value: at(upTo)}})
}

// Sagas is described at saga.Admin.
func (db *DB) Sagas(ctx context.Context, q saga.Query) ([]saga.Record, error) {
	q, err := q.WithDefaults()
	if err != nil {
		return nil, fmt.Errorf("mongodb: list sagas: %w", err)
	}
	page := []saga.Record{}
	if q.Impossible() {
		return page, nil
	}
	err = db.inspect(ctx, "list sagas", func(ctx context.Context) error {
		names := []string{q.Name}
		if q.Name == "" {
			if err := db.sagas.Distinct(ctx, "name", bson.D{}).Decode(&names); err != nil {
				return err
			}
		}
		cursor, err := db.sagas.Find(ctx, sagaFilter(q, names), options.Find().SetSort(ascending("started", "_id")).SetLimit(int64(q.Limit)).
			SetProjection(bson.D{{Key: "state", Value: 0}, {Key: "progress", Value: 0}}))
		if err != nil {
			return err
		}
		var found []sagaDocument
		err = cursor.All(ctx, &found)
		page = append(page, records(found)...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// sagaFilter names all names and statuses, whether asked for or not: for each pair the
// index has the sagas in the order of their age.
func sagaFilter(q saga.Query, names []string) bson.D {
	wanted := saga.Statuses()
	if len(q.Status) > 0 {
		wanted = slices.DeleteFunc(wanted, func(s saga.Status) bool { return !slices.Contains(q.Status, s) })
	}
	filter := bson.D{{Key: "name", Value: anyOf(names)}, {Key: "status", Value: anyOf(wanted)}}
	if q.ID != "" {
		keys := make([]sagaKey, len(names))
		for i, name := range names {
			keys[i] = sagaKey{name, q.ID}
		}
		filter = append(filter, bson.E{Key: "_id", Value: anyOf(keys)})
	}
	if q.CorrelationID != "" {
		filter = append(filter, bson.E{Key: "correlationId", Value: q.CorrelationID})
	}
	started := bson.D{}
	if !q.StartedBefore.IsZero() {
		started = append(started, bson.E{Key: "$lt", Value: q.StartedBefore.UnixMicro()})
	}
	if a := q.After; a != nil {
		at := a.Started.UnixMicro()
		started = append(started, bson.E{Key: "$gte", Value: at})
		filter = append(filter, bson.E{Key: "$or", Value: bson.A{
			bson.D{{Key: "started", Value: bson.D{{Key: "$gt", Value: at}}}},
			bson.D{{Key: "started", Value: at}, {Key: "_id", Value: bson.D{{Key: "$gt", Value: sagaKey{a.Name, a.ID}}}}},
		}})
	}
	if len(started) > 0 {
		filter = append(filter, bson.E{Key: "started", Value: started})
	}
	return filter
}

// Saga is described at saga.Admin. A transaction has saga and timeline of one moment.
func (db *DB) Saga(ctx context.Context, name, id string) (saga.Record, []saga.Entry, error) {
	notFound := fmt.Errorf("mongodb: saga %q of %q: %w", id, name, saga.ErrNotFound)
	if saga.CheckID("name", name) != nil || saga.CheckID("id", id) != nil {
		return saga.Record{}, nil, notFound
	}
	ctx, cancel := context.WithTimeout(ctx, outbox.InspectTimeout)
	defer cancel()
	var stored sagaDocument
	var timeline []saga.Entry
	err := db.transact(ctx, func(ctx context.Context) (err error) {
		stored = sagaDocument{}
		if err := db.sagas.FindOne(ctx, byID(sagaKey{name, id})).Decode(&stored); err != nil {
			return failed("read a saga", err)
		}
		timeline, err = db.timeline(ctx, stored.ID)
		return err
	})
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return saga.Record{}, nil, notFound
	case err != nil:
		return saga.Record{}, nil, err
	}
	return stored.record(), timeline, nil
}

func (db *DB) timeline(ctx context.Context, key sagaKey) (timeline []saga.Entry, err error) {
	cursor, err := db.entries.Find(ctx, entriesIn(key, bson.MaxKey{}), options.Find().SetSort(byID(1)))
	if err != nil {
		return nil, failed("read a saga's timeline", err)
	}
	var found []sagaEntries
	if err := cursor.All(ctx, &found); err != nil {
		return nil, failed("read a saga's timeline", err)
	}
	for _, f := range found {
		var some []saga.Entry
		if err := json.Unmarshal([]byte(f.Entries), &some); err != nil {
			return nil, fmt.Errorf("mongodb: the timeline of saga %s/%s at revision %d: %w", key.Name, key.ID, f.ID.Revision, err)
		}
		timeline = append(timeline, some...)
	}
	return timeline, nil
}

// SagaCounts is described at saga.Admin. The index of ages has all that it asks for.
func (db *DB) SagaCounts(ctx context.Context) (counts []saga.Count, err error) {
	var found []struct {
		ID struct {
			Name   string      `bson:"name"`
			Status saga.Status `bson:"status"`
		} `bson:"_id"`
		Count  int64 `bson:"count"`
		Oldest int64 `bson:"oldest"`
	}
	err = db.inspect(ctx, "count sagas", func(ctx context.Context) error {
		cursor, err := db.sagas.Aggregate(ctx, mongo.Pipeline{
			{{Key: "$group", Value: bson.D{
				{Key: "_id", Value: bson.D{{Key: "name", Value: "$name"}, {Key: "status", Value: "$status"}}},
				{Key: "count", Value: bson.D{{Key: "$sum", Value: int64(1)}}}, {Key: "oldest", Value: bson.D{{Key: "$min", Value: "$started"}}},
			}}},
			{{Key: "$sort", Value: byID(1)}},
		}, options.Aggregate().SetHint(sagasByAge))
		if err != nil {
			return err
		}
		return cursor.All(ctx, &found)
	})
	for _, f := range found {
		counts = append(counts, saga.Count{Name: f.ID.Name, Status: f.ID.Status, Count: f.Count, Oldest: fromMicros(&f.Oldest)})
	}
	return counts, err
}
