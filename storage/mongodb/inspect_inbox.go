package mongodb

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/inbox"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Positions implements inbox.Inspector.
func (db *DB) Positions(ctx context.Context, consumer string) ([]inbox.Position, error) {
	all := []inbox.Position{}
	err := db.inspect(ctx, "read positions", func(ctx context.Context) error {
		cursor, err := db.lanes.Find(ctx, byID(bson.D{
			{Key: "$gte", Value: bson.D{{Key: "consumer", Value: consumer}}},
			{Key: "$lt", Value: bson.D{{Key: "consumer", Value: consumer}, {Key: "cluster", Value: bson.MaxKey{}}}},
		}), options.Find().SetSort(byID(1)))
		var lanes []laneDocument
		if err == nil {
			err = cursor.All(ctx, &lanes)
		}
		for _, l := range lanes {
			all = addLane(all, l)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b inbox.Position) int {
		return cmp.Or(strings.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition.Partition, b.Partition.Partition))
	})
	return all, nil
}

// addLane takes them in the order of partitions and lanes.
func addLane(all []inbox.Position, l laneDocument) []inbox.Position {
	p := inbox.Partition{Cluster: l.ID.Cluster, TopicID: l.ID.TopicID, Topic: l.Topic, Partition: l.ID.Partition}
	if n := len(all); n == 0 || all[n-1].Partition != p {
		all = append(all, inbox.Position{Partition: p, Epoch: l.Epoch, Replay: inbox.Replay(l.Replay)})
	}
	last := &all[len(all)-1]
	last.Next = append(last.Next, l.Next)
	return all
}

// Marks implements inbox.Inspector.
func (db *DB) Marks(ctx context.Context, consumer string, ids []string) ([]inbox.StoredMark, error) {
	if err := inbox.CheckMarkIDs(ids); err != nil {
		return nil, failed("read marks", err)
	}
	all := []inbox.StoredMark{}
	err := db.inspect(ctx, "read marks", func(ctx context.Context) error {
		known, err := db.knownMarks(ctx, consumer, ids)
		for _, d := range known {
			all = append(all, inbox.StoredMark{ID: d.ID.ID, Outcome: d.Outcome, Generation: d.Generation, MarkedAt: d.MarkedAt.UTC()})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b inbox.StoredMark) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// place are the fields by which waiting messages are listed, in their order.
var place = []string{"topic", "_id.partition", "_id.offset"}

// WaitingRows implements inbox.Inspector.
func (db *DB) WaitingRows(ctx context.Context, q inbox.WaitingQuery) ([]inbox.StoredWaiting, error) {
	q, err := q.WithDefaults()
	if err != nil {
		return nil, failed("read waiting messages", err)
	}
	all := []inbox.StoredWaiting{}
	err = db.inspect(ctx, "read waiting messages", func(ctx context.Context) error {
		order := bson.D{}
		for _, field := range place {
			order = append(order, bson.E{Key: field, Value: 1})
		}
		// Headers are left out where they are too many to be shown.
		few := bson.D{{Key: "$cond", Value: bson.A{
			bson.D{{Key: "$lte", Value: bson.A{"$headerBytes", inbox.MaxInspectHeaders}}}, "$headers", nil}}}
		cursor, err := db.waiting.Aggregate(ctx, mongo.Pipeline{
			{{Key: "$match", Value: waitingFilter(q)}}, {{Key: "$sort", Value: order}}, {{Key: "$limit", Value: q.Limit}},
			{{Key: "$project", Value: bson.D{{Key: "value", Value: 0}}}}, {{Key: "$set", Value: bson.D{{Key: "headers", Value: few}}}},
		}, options.Aggregate().SetAllowDiskUse(false))
		var found []waitingDocument
		if err == nil {
			err = cursor.All(ctx, &found)
		}
		for i := range found {
			all = append(all, found[i].stored())
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func waitingFilter(q inbox.WaitingQuery) bson.D {
	filter := bson.D{{Key: "consumer", Value: q.Consumer}}
	if q.Topic != "" {
		filter = append(filter, bson.E{Key: "topic", Value: q.Topic})
	}
	if q.Key != "" {
		filter = append(filter, bson.E{Key: "key", Value: bson.Binary{Data: []byte(q.Key)}})
	}
	if q.Partition != nil {
		filter = append(filter, bson.E{Key: "_id.partition", Value: *q.Partition})
	}
	if q.Offset != nil {
		filter = append(filter, bson.E{Key: "_id.offset", Value: *q.Offset})
	}
	if q.After != nil {
		filter = append(filter, bson.E{Key: "$or", Value: after([]any{q.After.Topic, q.After.Partition, q.After.Offset})})
	}
	return filter
}

// after matches what comes behind a place: one alternative for each of its fields.
func after(at []any) (any bson.A) {
	for n, field := range place {
		var same bson.D
		for i := range n {
			same = append(same, bson.E{Key: place[i], Value: at[i]})
		}
		any = append(any, append(same, bson.E{Key: field, Value: bson.D{{Key: "$gt", Value: at[n]}}}))
	}
	return any
}

func (d *waitingDocument) stored() inbox.StoredWaiting {
	w := inbox.StoredWaiting{
		Place: inbox.Place{Topic: d.Topic, Partition: d.ID.Partition, Offset: d.ID.Offset}, Key: string(d.Key),
		Attempts: d.Attempts, Next: fromMicros(d.Next), Parked: d.Parked, Size: d.Size, Reason: d.Reason,
	}
	w.Describe(d.headers())
	return w
}
