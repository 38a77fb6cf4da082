package mongodb

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/internal/mongouri"
	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"
)

var _ plugin.LogInspector = Source{}

// InspectLog finds how far the oplog of a replica set reaches, and where the connector is in it. A
// sharded cluster has one per shard, which its routers do not show, and the right to read the oplog
// may be missing: then nothing is known.
func (Source) InspectLog(ctx context.Context, v config.Values, offset map[string]any) (plugin.Inspection, error) {
	out := plugin.Inspection{Slots: []plugin.Slot{}}
	if parsed, err := connstring.Parse(mongouri.Complete(v.String("mongodb.connection.string"))); err == nil {
		out.Server = strings.Join(parsed.Hosts, ",")
	}
	var at bson.Timestamp
	if offset != nil {
		p, err := readPosition(v.String("topic.prefix"), offset)
		if err != nil {
			return out, err
		}
		at = p.clusterTime()
	}
	client, err := connect(v)
	if err != nil {
		return out, err
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }()
	first, err := oplogTime(ctx, client, 1)
	if err != nil && (hasCode(err, unauthorized) || errors.Is(err, mongo.ErrNoDocuments)) {
		return out, nil
	}
	if err != nil {
		return out, errors.New(hidden(err, v))
	}
	last, err := oplogTime(ctx, client, -1)
	if err != nil {
		return out, errors.New(hidden(err, v))
	}
	out.Log = oplogOf(first, last, at, oplogFull(ctx, client))
	return out, nil
}

// oplogFull says whether entries go to make room for others; that is assumed where nobody says.
func oplogFull(ctx context.Context, client *mongo.Client) bool {
	var stats struct {
		Size    float64 `bson:"size"`
		MaxSize float64 `bson:"maxSize"`
	}
	err := client.Database("local").RunCommand(ctx, bson.D{{Key: "collStats", Value: "oplog.rs"}}).Decode(&stats)
	const nearly = 0.8
	return err != nil || stats.MaxSize == 0 || stats.Size > nearly*stats.MaxSize
}

// oplogTime is that of the oplog's first (1) or last (-1) entry.
func oplogTime(ctx context.Context, client *mongo.Client, direction int) (bson.Timestamp, error) {
	var entry struct {
		TS bson.Timestamp `bson:"ts"`
	}
	o := options.FindOne().SetSort(bson.D{{Key: "$natural", Value: direction}}).SetProjection(bson.D{{Key: "ts", Value: 1}})
	err := client.Database("local").Collection("oplog.rs").FindOne(ctx, bson.D{}, o).Decode(&entry)
	return entry.TS, err
}

// oplogOf what there is where a connector is at a time; the zero value is that nobody knows. What it
// needs next is about to go when it is in the oldest fifth of one that is full.
func oplogOf(first, last, at bson.Timestamp, full bool) *plugin.Log {
	text := func(ts bson.Timestamp) string { return time.Unix(int64(ts.T), 0).UTC().Format(time.RFC3339) }
	log := &plugin.Log{
		Kind: "oplog", First: text(first), Last: text(last), KeptSeconds: max(int64(last.T)-int64(first.T), 0),
		BehindSeconds: -1, BehindFiles: -1, BehindBytes: -1,
	}
	if at.IsZero() {
		return log
	}
	const oldest = 5
	log.Next, log.BehindSeconds, log.State = text(at), max(int64(last.T)-int64(at.T), 0), plugin.LogKept
	switch left := int64(at.T) - int64(first.T); {
	case at.Before(first):
		log.State = plugin.LogLost
	case full && log.BehindSeconds > 0 && left < log.KeptSeconds/oldest:
		log.State = plugin.LogExpiring
	}
	return log
}
