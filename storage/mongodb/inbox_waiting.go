package mongodb

import (
	"context"
	"errors"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// waitingDocument is in pabal_inbox_waiting. Keys and headers are bytes: they are as
// foreign producers sent them. Consumer and topic are there for Release's index.
type waitingDocument struct {
	ID        waitingID      `bson:"_id"`
	Consumer  string         `bson:"consumer"`
	Topic     string         `bson:"topic"`
	Key       []byte         `bson:"key"`
	Attempts  int            `bson:"attempts"`
	Next      *int64         `bson:"next"` // microseconds
	Parked    bool           `bson:"parked"`
	Timestamp *int64         `bson:"timestamp"` // microseconds
	Size      int64          `bson:"size"`
	Reason    string         `bson:"reason"`
	Headers   []recordHeader `bson:"headers,omitempty"`
	HeaderSum int            `bson:"headerBytes"`
	Value     *[]byte        `bson:"value"` // null for none
}

type waitingID struct {
	Consumer  string `bson:"consumer"`
	Cluster   string `bson:"cluster"`
	TopicID   string `bson:"topicId"`
	Partition int32  `bson:"partition"`
	Offset    int64  `bson:"offset"`
}

type recordHeader struct {
	Key   []byte  `bson:"key"`
	Value *[]byte `bson:"value"` // null for none
}

func idOfWaiting(consumer string, p inbox.Partition, offset int64) waitingID {
	return waitingID{consumer, p.Cluster, p.TopicID, p.Partition, offset}
}

// PutWaiting implements inbox.Tx; one round trip for all rows.
func (tx *Tx) PutWaiting(ctx context.Context, claim inbox.Claim, rows []inbox.Waiting) error {
	if len(rows) == 0 {
		return nil
	}
	writes := make([]mongo.WriteModel, len(rows))
	for i := range rows {
		d := waitingOf(claim, &rows[i])
		writes[i] = mongo.NewReplaceOneModel().SetFilter(byID(d.ID)).SetReplacement(d).SetUpsert(true)
	}
	_, err := tx.db.waiting.BulkWrite(tx.Context(ctx), writes)
	return failed("store waiting messages", err)
}

func waitingOf(claim inbox.Claim, w *inbox.Waiting) *waitingDocument {
	d := &waitingDocument{
		ID: idOfWaiting(claim.Consumer, claim.Partition, w.Offset), Consumer: claim.Consumer, Topic: claim.Topic,
		Key: []byte(w.Key), Attempts: w.Attempts, Next: micros(w.Next), Parked: w.Parked, Timestamp: micros(w.Timestamp),
		Size: w.Size, Reason: w.Reason, Value: bytesOrNull(w.Value),
	}
	for _, h := range w.Headers {
		d.Headers = append(d.Headers, recordHeader{[]byte(h.Key), bytesOrNull(h.Value)})
		d.HeaderSum += len(h.Key) + len(h.Value)
	}
	return d
}

func bytesOrNull(b []byte) *[]byte {
	if b == nil {
		return nil
	}
	return &b
}

func orNil(b *[]byte) []byte {
	switch {
	case b == nil:
		return nil
	case *b == nil:
		return []byte{}
	}
	return *b
}

func (d *waitingDocument) waiting() inbox.Waiting {
	return inbox.Waiting{
		Offset: d.ID.Offset, Key: string(d.Key), Attempts: d.Attempts, Next: fromMicros(d.Next), Parked: d.Parked,
		Timestamp: fromMicros(d.Timestamp), Size: d.Size, Reason: d.Reason, Headers: d.headers(), Value: orNil(d.Value),
	}
}

func (d *waitingDocument) headers() (out []event.Header) {
	for _, h := range d.Headers {
		out = append(out, event.Header{Key: string(h.Key), Value: orNil(h.Value)})
	}
	return out
}

// DeleteWaiting implements inbox.Tx.
func (tx *Tx) DeleteWaiting(ctx context.Context, claim inbox.Claim, offset int64) (bool, error) {
	done, err := tx.db.waiting.DeleteOne(tx.Context(ctx), byID(idOfWaiting(claim.Consumer, claim.Partition, offset)))
	if err != nil {
		return false, failed("delete a waiting message", err)
	}
	return done.DeletedCount > 0, nil
}

// waitingIn matches what waits in a partition at offsets above or at the given one.
func waitingIn(consumer string, p inbox.Partition, offsets bson.D) bson.D {
	from := append(partitionOf(consumer, p), bson.E{Key: "offset", Value: offsets[0].Value})
	to := append(partitionOf(consumer, p), bson.E{Key: "offset", Value: bson.MaxKey{}})
	return byID(bson.D{{Key: "$gte", Value: from}, {Key: "$lte", Value: to}})
}

// WaitingKeys implements inbox.Admin.
func (db *DB) WaitingKeys(ctx context.Context, claim inbox.Claim) (out []inbox.Waiting, err error) {
	err = db.ask(ctx, "read what waits", func(ctx context.Context) error {
		cursor, err := db.waiting.Find(ctx, waitingIn(claim.Consumer, claim.Partition, bson.D{{Key: "$gte", Value: bson.MinKey{}}}),
			options.Find().SetSort(byID(1)).SetProjection(bson.D{{Key: "headers", Value: 0}, {Key: "value", Value: 0}}))
		if err != nil {
			return err
		}
		var found []waitingDocument
		err = cursor.All(ctx, &found)
		for i := range found {
			out = append(out, found[i].waiting())
		}
		return err
	})
	return out, err
}

// LoadWaiting implements inbox.Admin.
func (db *DB) LoadWaiting(ctx context.Context, claim inbox.Claim, offset int64) (w inbox.Waiting, ok bool, err error) {
	err = db.ask(ctx, "load a waiting message", func(ctx context.Context) error {
		var d waitingDocument
		err := db.waiting.FindOne(ctx, byID(idOfWaiting(claim.Consumer, claim.Partition, offset))).Decode(&d)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return nil
		}
		w, ok = d.waiting(), err == nil
		return err
	})
	return w, ok && err == nil, err
}

// Release implements inbox.Admin. The dead letter's place goes, what waited behind it
// becomes an ordinary waiting row.
func (db *DB) Release(ctx context.Context, consumer, topic, key string) (touched int64, err error) {
	parked := bson.D{{Key: "consumer", Value: consumer}, {Key: "topic", Value: topic}, {Key: "key", Value: bson.Binary{Data: []byte(key)}},
		{Key: "parked", Value: true}}
	owners, err := db.owners(ctx, parked)
	if err != nil {
		return 0, err
	}
	for _, owner := range owners {
		if err := db.fence(ctx, lanesIn(consumer, owner)); err != nil {
			return 0, err
		}
	}
	if len(owners) == 0 {
		return 0, nil
	}
	err = db.transact(ctx, func(ctx context.Context) error {
		place := append(parked[:len(parked):len(parked)], bson.E{Key: "attempts", Value: bson.D{{Key: "$gt", Value: 0}}}, bson.E{Key: "value", Value: nil})
		gone, err := db.waiting.DeleteMany(ctx, place)
		if err != nil {
			return failed("release a parked key", err)
		}
		released, err := db.waiting.UpdateMany(ctx, parked, bson.D{{Key: "$set", Value: bson.D{{Key: "parked", Value: false}, {Key: "next", Value: nil}}}})
		if err != nil {
			return failed("release a parked key", err)
		}
		touched = gone.DeletedCount + released.ModifiedCount
		return nil
	})
	return touched, err
}

// owners are the partitions in which rows match.
func (db *DB) owners(ctx context.Context, filter bson.D) (all []inbox.Partition, err error) {
	err = db.ask(ctx, "look for parked rows", func(ctx context.Context) error {
		cursor, err := db.waiting.Find(ctx, filter, options.Find().SetProjection(byID(1)))
		if err != nil {
			return err
		}
		var found []waitingDocument
		err = cursor.All(ctx, &found)
		met := map[inbox.Partition]bool{}
		for _, d := range found {
			p := inbox.Partition{Cluster: d.ID.Cluster, TopicID: d.ID.TopicID, Partition: d.ID.Partition}
			if !met[p] {
				met[p], all = true, append(all, p)
			}
		}
		return err
	})
	return all, err
}
