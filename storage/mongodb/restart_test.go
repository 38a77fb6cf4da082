package mongodb_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/mongodb"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

type running interface {
	Start(context.Context) error
	Stop(context.Context) error
}

func run(t *testing.T, r running, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

// counter documents have a number, and the numbers of messages that came out of turn.
type counter struct {
	N   int
	Odd []int
}

func counterOf(t testing.TB, db *mongodb.DB, collection string, key any) (c counter) {
	t.Helper()
	err := db.Database().Collection(collection).FindOne(t.Context(), bson.M{"_id": key}).Decode(&c)
	if err != nil {
		t.Fatalf("%s of %v: %v", collection, key, err)
	}
	return c
}

// countUp and enqueue the number, as one transaction.
func countUp(ctx context.Context, db *mongodb.DB, key string) error {
	return db.Update(ctx, func(tx *mongodb.Tx) error {
		var c counter
		err := tx.Database().Collection("counters").FindOneAndUpdate(tx.Context(ctx), bson.M{"_id": key}, bson.M{"$inc": bson.M{"n": 1}},
			options.FindOneAndUpdate().SetReturnDocument(options.After).SetUpsert(true)).Decode(&c)
		if err != nil {
			return err
		}
		return outbox.EnqueueTo(ctx, tx, "counted", event.New("counted", key, c.N))
	})
}

// check is the consumer's handler: the numbers of a key must come one after the other.
func check(ctx context.Context, tx *mongodb.Tx, m inbox.Message) error {
	n, err := event.Decode[int](m.Event)
	if err != nil {
		return err
	}
	sums := tx.Database().Collection("sums")
	var c counter
	err = sums.FindOneAndUpdate(tx.Context(ctx), bson.M{"_id": m.Key}, bson.M{"$inc": bson.M{"n": 1}},
		options.FindOneAndUpdate().SetReturnDocument(options.After).SetUpsert(true)).Decode(&c)
	if err != nil || c.N == n {
		return err
	}
	_, err = sums.UpdateByID(tx.Context(ctx), m.Key, bson.M{"$push": bson.M{"odd": n}})
	return err
}

// TestKilledInTheMiddle: writers, relay and consumer go on over kills of the server, and
// every message takes effect once and in its key's order.
func TestKilledInTheMiddle(t *testing.T) {
	server := testenv.StartMongoDB(t)
	cluster := kafkatest.Start(t)
	cluster.Topics(t, "counted")
	config := mongodb.Config{Database: "shop", Logger: slog.New(slog.DiscardHandler)}
	writing, reading := open(t, server.URL, config), open(t, server.URL, config)
	relay, err := outbox.NewRelay(writing, cluster.Config, outbox.RelayConfig{
		LeaseTTL: 5 * time.Second, PollInterval: 50 * time.Millisecond, KeepHistory: time.Hour, Logger: config.Logger,
	})
	run(t, relay, err)
	consumer, err := inbox.NewConsumer(reading, cluster.Config, inbox.Config[*mongodb.Tx]{
		Name: "checker", Topics: map[string]inbox.Handler[*mongodb.Tx]{"counted": check}, Attempts: 1, Logger: config.Logger,
	})
	run(t, consumer, err)

	const keys, writers, kills = 5, 3, 3
	ctx, stop := context.WithCancel(t.Context())
	var working sync.WaitGroup
	var mu sync.Mutex
	done, failures := 0, map[string]int{}
	for w := range writers {
		working.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				// Once begun it is seen to its end, so that what is counted is known.
				err := countUp(t.Context(), writing, fmt.Sprint("k", (i+w)%keys))
				mu.Lock()
				if err == nil {
					done++
				} else if failures[err.Error()]++; !writing.Transient(err) {
					t.Errorf("a transaction failed for good: %v", err)
				}
				mu.Unlock()
			}
		})
	}
	committed := func() int {
		mu.Lock()
		defer mu.Unlock()
		return done
	}
	for range kills {
		before := committed()
		testenv.Wait(t, "transactions are committed", time.Minute, func() bool { return committed() > before+30 })
		if err := errors.Join(server.Kill(), server.Restart(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	before := committed()
	testenv.Wait(t, "transactions are committed after the last kill", time.Minute, func() bool { return committed() > before+30 })
	stop()
	working.Wait()

	total := 0
	for k := range keys {
		key := fmt.Sprint("k", k)
		want := counterOf(t, writing, "counters", key).N
		total += want
		testenv.Wait(t, fmt.Sprintf("%d messages of %s have taken effect", want, key), time.Minute, func() bool {
			return counterOf(t, reading, "sums", key).N >= want
		})
		if got := counterOf(t, reading, "sums", key); got.N != want || len(got.Odd) > 0 {
			t.Errorf("key %s: %d messages took effect, %v out of turn; %d were committed", key, got.N, got.Odd, want)
		}
	}
	if total < committed() {
		t.Errorf("%d transactions were acknowledged, %d are there", committed(), total)
	}
	if s := consumer.Stats(); s.Dead+s.Retried > 0 {
		t.Errorf("the consumer's messages paid for the kills: %+v", s)
	}
	t.Logf("%d transactions, %d acknowledged, failures: %v", total, committed(), failures)
}
