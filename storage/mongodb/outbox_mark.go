package mongodb

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/outbox"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

var _ outbox.MarkStore = (*DB)(nil)

// Waiting implements outbox.MarkStore.
func (db *DB) Waiting(ctx context.Context, limit int) (ids []int64, err error) {
	if err := db.number(ctx, limit); err != nil {
		return nil, err
	}
	var rows []struct {
		ID int64 `bson:"id"`
	}
	err = db.ask(ctx, "look for rows that wait", func(ctx context.Context) error {
		filter := append(bson.D{{Key: "id", Value: bson.D{{Key: "$gt", Value: 0}}}}, fresh...)
		cursor, err := db.outbox.Find(ctx, filter, options.Find().SetSort(byIDs).SetLimit(int64(limit)).
			SetProjection(bson.D{{Key: "_id", Value: 0}, {Key: "id", Value: 1}}))
		if err != nil {
			return err
		}
		return cursor.All(ctx, &rows)
	})
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	return ids, err
}

// Mark implements outbox.MarkStore: a transaction's changes are in the log one by one, and nobody sees the
// document between them.
func (db *DB) Mark(ctx context.Context, m outbox.Message) error {
	return db.transact(ctx, func(ctx context.Context) error {
		row := newRow(&m, db.config.Source, time.Now())
		if _, err := db.outbox.InsertOne(ctx, row); err != nil {
			return failed("mark the log", err)
		}
		_, err := db.outbox.DeleteOne(ctx, byID(row.Key))
		return failed("mark the log", err)
	})
}
