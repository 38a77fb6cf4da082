package mongodb

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/inbox"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// laneDocument is in pabal_inbox_lane: where a consumer stands in a lane of a
// partition. All lanes of a partition have the same epoch and replay.
type laneDocument struct {
	ID     laneKey `bson:"_id"`
	Topic  string  `bson:"topic"`
	Next   int64   `bson:"next"`
	Epoch  int64   `bson:"epoch"`
	Replay struct {
		Generation int64 `bson:"generation"`
		From       int64 `bson:"from"`
		To         int64 `bson:"to"`
	} `bson:"replay"`
}

type laneKey struct {
	Consumer  string `bson:"consumer"`
	Cluster   string `bson:"cluster"`
	TopicID   string `bson:"topicId"`
	Partition int32  `bson:"partition"`
	Lane      int32  `bson:"lane"`
}

// Claim implements inbox.Admin.
func (db *DB) Claim(ctx context.Context, consumer string, p inbox.Partition, lanes int) (inbox.Claim, error) {
	if lanes < 1 {
		return inbox.Claim{}, fmt.Errorf("mongodb: claim of %s by %s: %d lanes, at least 1 is needed", p.Topic, consumer, lanes)
	}
	claim, err := db.onPartition(ctx, consumer, p, func(_ context.Context, c inbox.Claim) (inbox.Claim, error) {
		c.Next = inbox.Relane(c.Next, lanes)
		return c, nil
	})
	if err != nil {
		return inbox.Claim{}, fmt.Errorf("claim of %s/%d by %s: %w", p.Topic, p.Partition, consumer, err)
	}
	return claim, nil
}

// StartReplay implements inbox.Admin. Lanes that stand before from stay there.
func (db *DB) StartReplay(ctx context.Context, consumer string, p inbox.Partition, from int64) (inbox.Replay, error) {
	stored, err := db.lanesOf(ctx, consumer, p)
	if err == nil {
		_, err = stored.NextReplay(from) // before anybody is fenced
	}
	var claim inbox.Claim
	if err == nil {
		claim, err = db.onPartition(ctx, consumer, p, func(ctx context.Context, c inbox.Claim) (inbox.Claim, error) {
			var err error
			if c.Replay, err = c.NextReplay(from); err != nil {
				return c, err
			}
			for i := range c.Next {
				c.Next[i] = min(c.Next[i], from)
			}
			_, err = db.waiting.DeleteMany(ctx, waitingIn(consumer, p, bson.D{{Key: "$gte", Value: from}}))
			return c, failed("drop what waits", err)
		})
	}
	if err != nil {
		return inbox.Replay{}, fmt.Errorf("replay of %s/%d for %s from offset %d: %w", p.Topic, p.Partition, consumer, from, err)
	}
	return claim.Replay, nil
}

// onPartition changes a partition's lanes, under the next epoch. First it fences the
// owner lane by lane: a write outside of a transaction waits for the one that holds the
// document, however busy, where a transaction would fail and try again.
func (db *DB) onPartition(ctx context.Context, consumer string, p inbox.Partition,
	change func(context.Context, inbox.Claim) (inbox.Claim, error)) (claim inbox.Claim, err error) {
	if err := db.fence(ctx, lanesIn(consumer, p)); err != nil {
		return claim, err
	}
	err = db.transact(ctx, func(ctx context.Context) error {
		stored, err := db.lanesOf(ctx, consumer, p)
		if err != nil {
			return err
		}
		before := len(stored.Next)
		stored.Epoch++
		if claim, err = change(ctx, stored); err != nil {
			return err
		}
		return db.putLanes(ctx, claim, before)
	})
	return claim, err
}

func (db *DB) fence(ctx context.Context, lanes bson.D) error {
	return db.ask(ctx, "fence the partition's owner", func(ctx context.Context) error {
		_, err := db.lanes.UpdateMany(ctx, lanes, bson.D{{Key: "$inc", Value: bson.D{{Key: "epoch", Value: int64(1)}}}})
		return err
	})
}

// lanesIn matches the lanes of a partition, in the order of the index.
func lanesIn(consumer string, p inbox.Partition) bson.D {
	return byID(bson.D{{Key: "$gte", Value: laneID(consumer, p, bson.MinKey{})}, {Key: "$lte", Value: laneID(consumer, p, bson.MaxKey{})}})
}

// lanesOf has no Next where the partition was never claimed.
func (db *DB) lanesOf(ctx context.Context, consumer string, p inbox.Partition) (inbox.Claim, error) {
	c := inbox.Claim{Consumer: consumer, Partition: p}
	cursor, err := db.lanes.Find(ctx, lanesIn(consumer, p), options.Find().SetSort(byID(1)))
	var lanes []laneDocument
	if err == nil {
		err = cursor.All(ctx, &lanes)
	}
	for _, l := range lanes {
		c.Next = append(c.Next, l.Next)
		c.Epoch = max(c.Epoch, l.Epoch)
		c.Replay = inbox.Replay(l.Replay)
	}
	return c, failed("read the lanes", err)
}

func (db *DB) putLanes(ctx context.Context, c inbox.Claim, before int) error {
	var writes []mongo.WriteModel
	for lane := range max(before, len(c.Next)) {
		id := laneKey{c.Consumer, c.Cluster, c.TopicID, c.Partition.Partition, int32(lane)}
		if lane >= len(c.Next) {
			writes = append(writes, mongo.NewDeleteOneModel().SetFilter(byID(id)))
			continue
		}
		d := laneDocument{ID: id, Topic: c.Topic, Next: c.Next[lane], Epoch: c.Epoch}
		d.Replay.Generation, d.Replay.From, d.Replay.To = c.Replay.Generation, c.Replay.From, c.Replay.To
		writes = append(writes, mongo.NewReplaceOneModel().SetFilter(byID(id)).SetReplacement(d).SetUpsert(true))
	}
	_, err := db.lanes.BulkWrite(ctx, writes)
	if mongo.IsDuplicateKeyError(err) {
		return lost("another claim was made at the same time", err)
	}
	return failed("store the lanes", err)
}
