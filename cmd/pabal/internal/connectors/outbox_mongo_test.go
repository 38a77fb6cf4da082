package connectors_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/connectors"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/mongodb"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// TestMongoDBOutboxIsSwept: documents go once the connector has published them, those included that were
// there before it, and stay where it does not run.
func TestMongoDBOutboxIsSwept(t *testing.T) {
	u, err := url.Parse(testenv.MongoDB(t))
	if err != nil {
		t.Fatal(err)
	}
	name := "outbox_" + rand.Text()[:10]
	u.Path = "/" + name
	db, err := mongodb.Open(t.Context(), u.String(), mongodb.Config{Source: "/shop"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := db.Database().Drop(ctx); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	c := &captured{t: t, cluster: kafkatest.Start(t), config: outbox.MongoConnector{URL: u.String(), Database: name, Prefix: name}.Config()}
	c.serve()
	t.Cleanup(func() { c.stop() })
	enqueue := func(events ...event.Event) {
		t.Helper()
		if err := db.Update(t.Context(), func(tx *mongodb.Tx) error { return outbox.EnqueueTo(t.Context(), tx, "orders", events...) }); err != nil {
			t.Fatal(err)
		}
	}
	started := func() int64 {
		t.Helper()
		b, err := db.Backlog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return b.Started
	}
	stays := func(want int64) { // while the sweeper sends marks, and none comes back
		t.Helper()
		marks, err := db.Database().Collection("pabal_outbox").Watch(t.Context(), mongo.Pipeline{{{Key: "$match", Value: bson.M{"operationType": "insert", "fullDocument.topic": "pabal.outbox-marks"}}}})
		if err != nil {
			t.Fatal(err)
		}
		defer marks.Close(context.WithoutCancel(t.Context()))
		for range 3 {
			if !marks.Next(t.Context()) {
				t.Fatalf("watch for marks: %v", marks.Err())
			}
			if n := started(); n != want {
				t.Fatalf("%d of %d rows are left, and no connector runs", n, want)
			}
		}
	}
	swept := func() {
		t.Helper()
		testenv.Wait(t, "the outbox to be swept", time.Minute, func() bool { return started() == 0 })
	}

	events := variousEvents()
	enqueue(events[:2]...)
	s, err := outbox.NewMarkSweeper(db, outbox.SweeperConfig{Kafka: c.cluster.Config, KeepHistory: time.Hour, Interval: 20 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = s.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(context.Background()) })
	stays(2)
	if s.Health() == nil {
		t.Error("it is well, and there is no connector")
	}
	c.run()
	swept() // what comes while the snapshot reads may come from the log, too
	enqueue(events[2])
	swept()
	c.stop()
	enqueue(events[3])
	stays(1)
	c.serve()
	swept()
	c.wantAsOfRelay(events...)
	testenv.Wait(t, "the sweeper to be well", time.Minute, func() bool { return s.Health() == nil })
	if b, err := db.Backlog(t.Context()); err != nil || b.Completed != 4 || s.Stats().Removed != 4 {
		t.Errorf("%+v, %+v, %v", b, s.Stats(), err)
	}
}

// serve connectors, those that ran before among them.
func (c *captured) serve() {
	c.t.Helper()
	var err error
	c.server, err = connectors.Start(c.t.Context(), connectors.Config{Kafka: c.cluster.Config, Listen: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *captured) stop() {
	if err := c.server.Stop(context.Background()); err != nil {
		c.t.Error(err)
	}
}
