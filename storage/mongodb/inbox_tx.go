package mongodb

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// partitionOf are the fields that name a consumer's partition.
func partitionOf(consumer string, p inbox.Partition) bson.D {
	return bson.D{{Key: "consumer", Value: consumer}, {Key: "cluster", Value: p.Cluster}, {Key: "topicId", Value: p.TopicID}, {Key: "partition", Value: p.Partition}}
}

// laneID is a document's in pabal_inbox_lane.
func laneID(consumer string, p inbox.Partition, lane any) bson.D {
	return append(partitionOf(consumer, p), bson.E{Key: "lane", Value: lane})
}

// AdvanceInbox implements inbox.Tx. It writes the lane's document also where it only
// checks: a later claim writes it too, and so one of both waits or fails.
func (tx *Tx) AdvanceInbox(ctx context.Context, claim inbox.Claim, lane int, next int64) error {
	update := bson.D{{Key: "$inc", Value: bson.D{{Key: "touched", Value: int64(1)}}}}
	if next >= 0 {
		update = append(update, bson.E{Key: "$set", Value: bson.D{{Key: "next", Value: next}}})
	}
	filter := append(byID(laneID(claim.Consumer, claim.Partition, int32(lane))), bson.E{Key: "epoch", Value: claim.Epoch})
	done, err := tx.db.lanes.UpdateOne(tx.Context(ctx), filter, update)
	if err != nil {
		return failed("advance the inbox", err)
	}
	if done.MatchedCount == 0 {
		return inbox.ErrFenced
	}
	return nil
}

// markDocument is in pabal_inbox.
type markDocument struct {
	ID         markID        `bson:"_id"`
	MarkedAt   time.Time     `bson:"markedAt"`
	Generation int64         `bson:"generation"`
	Outcome    inbox.Outcome `bson:"outcome"`
}

type markID struct {
	Consumer string `bson:"consumer"`
	ID       string `bson:"id"`
}

// accepts says whether a message that was marked so is unseen for m.
func (d markDocument) accepts(m inbox.Mark) bool {
	return m.Generation > d.Generation || m.Redriven && d.Outcome == inbox.Dead
}

// MarkInbox implements inbox.Tx: one look at what is there, and one write.
func (tx *Tx) MarkInbox(ctx context.Context, consumer string, marks []inbox.Mark) ([]bool, error) {
	if len(marks) == 0 {
		return nil, nil
	}
	ctx = tx.Context(ctx)
	ids := make([]string, len(marks))
	for i, m := range marks {
		ids[i] = m.ID
	}
	known, err := tx.db.knownMarks(ctx, consumer, ids)
	if err != nil {
		return nil, failed("look into the inbox", err)
	}
	now := time.Now()
	unseen := make([]bool, len(marks))
	met := make(map[string]bool, len(marks))
	var writes []mongo.WriteModel
	for i, m := range marks {
		old, there := known[m.ID]
		if met[m.ID] || there && !old.accepts(m) {
			met[m.ID] = true
			continue
		}
		met[m.ID], unseen[i] = true, true
		d := markDocument{ID: markID{consumer, m.ID}, MarkedAt: now, Generation: max(old.Generation, m.Generation), Outcome: m.Outcome}
		if there {
			writes = append(writes, mongo.NewReplaceOneModel().SetFilter(byID(d.ID)).SetReplacement(d))
		} else {
			writes = append(writes, mongo.NewInsertOneModel().SetDocument(d))
		}
	}
	if len(writes) == 0 {
		return unseen, nil
	}
	if _, err := tx.db.marks.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false)); err != nil {
		if mongo.IsDuplicateKeyError(err) {
			return nil, lost("another transaction marked the same message", err)
		}
		return nil, failed("mark the inbox", err)
	}
	return unseen, nil
}

func (db *DB) knownMarks(ctx context.Context, consumer string, ids []string) (map[string]markDocument, error) {
	wanted := make([]markID, len(ids))
	for i, id := range ids {
		wanted[i] = markID{consumer, id}
	}
	cursor, err := db.marks.Find(ctx, byID(bson.D{{Key: "$in", Value: wanted}}))
	if err != nil {
		return nil, err
	}
	var found []markDocument
	if err := cursor.All(ctx, &found); err != nil {
		return nil, err
	}
	known := make(map[string]markDocument, len(found))
	for _, d := range found {
		known[d.ID.ID] = d
	}
	return known, nil
}

// TrimInbox implements inbox.Admin.
func (db *DB) TrimInbox(ctx context.Context, before time.Time, limit int) (int64, error) {
	return db.trim(ctx, "trim the inbox", db.marks, "markedAt", before, limit)
}
