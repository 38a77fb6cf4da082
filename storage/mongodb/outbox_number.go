package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// numberBatch is how many rows get their ids in one transaction.
const numberBatch = 2000

// number gives ids to the rows that have none, in the order of their stamps.
//
// Let row a be committed by a transaction whose effects that of row b saw; this is so
// where both wrote one document, or one was begun after the other had ended. The
// server gave b its stamp after b's snapshot was taken, which was after a's commit,
// which was after a's stamp. So a comes first where both are read at a time; and a
// read that finds b finds a too, because it sees one state of the database. Ids are
// taken from a counter in the same transaction: they become visible in their order,
// and no row ever appears below the counter.
//
// It ends when none is left, or so many have got theirs that enough is reached.
func (db *DB) number(ctx context.Context, enough int) error {
	for given := 0; given < enough; given += numberBatch {
		some, err := db.anyUnnumbered(ctx)
		if err != nil || !some {
			return err
		}
		rows := 0
		err = db.transact(ctx, func(ctx context.Context) error {
			rows, err = db.give(ctx)
			return err
		})
		if err != nil || rows < numberBatch {
			return err
		}
	}
	return nil
}

// anyUnnumbered keeps readers of an outbox without new rows from writing.
func (db *DB) anyUnnumbered(ctx context.Context) (some bool, err error) {
	err = db.ask(ctx, "look for new rows", func(ctx context.Context) error {
		err := db.outbox.FindOne(ctx, unnumbered, options.FindOne().SetProjection(byID(1))).Err()
		some = err == nil
		return absent(err)
	})
	return some, err
}

var unnumbered = bson.D{{Key: "id", Value: 0}}

// give writes the counter, and so only one of two at the same time succeeds: the rows it
// finds have not got their ids from another one.
func (db *DB) give(ctx context.Context) (rows int, err error) {
	cursor, err := db.outbox.Find(ctx, unnumbered, options.Find().SetSort(bson.D{{Key: "stamp", Value: 1}}).
		SetLimit(numberBatch).SetBatchSize(numberBatch).SetProjection(byID(1)))
	var found []struct {
		Key bson.ObjectID `bson:"_id"`
	}
	if err == nil {
		err = cursor.All(ctx, &found)
	}
	if err != nil || len(found) == 0 {
		return 0, failed("look for new rows", err)
	}
	last, err := db.takeIDs(ctx, len(found))
	if err != nil {
		return 0, err
	}
	writes := make([]mongo.WriteModel, len(found))
	for i, row := range found {
		id := last - int64(len(found)) + 1 + int64(i)
		writes[i] = mongo.NewUpdateOneModel().SetFilter(byID(row.Key)).SetUpdate(bson.D{{Key: "$set", Value: bson.D{{Key: "id", Value: id}}}})
	}
	_, err = db.outbox.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
	return len(found), failed("give ids to new rows", err)
}

// takeIDs returns the last of n new ids.
func (db *DB) takeIDs(ctx context.Context, n int) (int64, error) {
	var counter struct {
		Last int64 `bson:"last"`
	}
	err := db.state.FindOneAndUpdate(ctx, byID(idState), bson.D{{Key: "$inc", Value: bson.D{{Key: "last", Value: int64(n)}}}},
		options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&counter)
	return counter.Last, failed("take ids for new rows", err)
}
