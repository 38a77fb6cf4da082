package mongo

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// answered marks the requests that caused the messages as COMPLETED, in the transaction that handles
// them: that a request was answered is what shows that the connector has published it. What an answer
// says does not tell which: a request that its cancel has overtaken is answered CANCELLED, too.
func answered(ctx context.Context, tx *Tx, messages []inbox.Message) error {
	var ids []bson.ObjectID
	for _, m := range messages {
		if id, err := bson.ObjectIDFromHex(m.CausationID); err == nil {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	set := bson.D{{Key: "$set", Value: bson.D{{Key: "outboxStatus", Value: outbox.Completed}, {Key: "processedAt", Value: time.Now()}}}}
	if _, err := tx.Database().Collection(Requests).UpdateMany(tx.Context(ctx), byIDs(ids), set); err != nil {
		return fmt.Errorf("complete the requests for payment: %w", err)
	}
	return nil
}

// requestCleaner deletes requests that were completed a while ago. Of the changes that a connector
// tells of these, the payment service takes none for a request.
type requestCleaner struct {
	db   *mongo.Database
	keep time.Duration
	log  *slog.Logger

	life   sync.Mutex
	cancel context.CancelFunc
	gone   chan struct{}
}

// Bounds of cleaning.
const (
	cleanEvery = time.Minute
	cleanBatch = 1000
)

// Name is shown to people.
func (c *requestCleaner) Name() string { return "cleaner of payment requests" }

// Start implements lifecycle.Service.
func (c *requestCleaner) Start(ctx context.Context) error {
	c.life.Lock()
	defer c.life.Unlock()
	ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	c.gone = make(chan struct{})
	go func() {
		defer close(c.gone)
		tick := time.NewTicker(min(cleanEvery, max(c.keep, time.Second)))
		defer tick.Stop()
		for {
			if err := c.clean(ctx); err != nil && ctx.Err() == nil {
				c.log.Warn("delete requests for payment that were answered; it is tried again", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return nil
}

// Stop implements lifecycle.Service.
func (c *requestCleaner) Stop(context.Context) error {
	c.life.Lock()
	defer c.life.Unlock()
	if c.gone != nil {
		c.cancel()
		<-c.gone
		c.gone = nil
	}
	return nil
}

// clean deletes in small steps what was completed long enough ago.
func (c *requestCleaner) clean(ctx context.Context) error {
	old := bson.D{{Key: "outboxStatus", Value: outbox.Completed}, {Key: "processedAt", Value: bson.D{{Key: "$lt", Value: time.Now().Add(-c.keep)}}}}
	for {
		cursor, err := c.db.Collection(Requests).Find(ctx, old, options.Find().SetLimit(cleanBatch).SetProjection(bson.D{{Key: "_id", Value: 1}}))
		var found []struct {
			ID bson.ObjectID `bson:"_id"`
		}
		if err == nil {
			err = cursor.All(ctx, &found)
		}
		if err != nil || len(found) == 0 {
			return err
		}
		ids := make([]bson.ObjectID, len(found))
		for i, f := range found {
			ids[i] = f.ID
		}
		if _, err := c.db.Collection(Requests).DeleteMany(ctx, byIDs(ids)); err != nil {
			return err
		}
		if len(found) < cleanBatch {
			return nil
		}
	}
}

func byIDs(ids []bson.ObjectID) bson.D {
	return bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}
}
