package projection_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A topic is projected once, is paused by anybody without losing its partitions,
// and shows what a projection of a journal shows.
func TestTopic(t *testing.T) {
	cluster := kafkatest.Start(t)
	db := openSQLite(t)
	client, err := kafka.NewClient(cluster.Config, kgo.UnknownTopicRetries(100), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := kafka.EnsureTopics(t.Context(), client, cluster.Config, kafka.Topic{Name: "orders", Partitions: 2}); err != nil {
		t.Fatal(err)
	}
	sent := 0
	send := func(n int) {
		t.Helper()
		for range n {
			sent++
			e := event.New("ordered", "p1", sent)
			e.Source = "/test"
			if err := client.ProduceSync(t.Context(), kafka.ToRecord(cluster.Config.Topic("orders"), e)).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	topic, err := projection.NewTopic(db, cluster.Config, projection.TopicConfig[storage.Tx]{
		Consumer: inbox.Config[storage.Tx]{
			Name: "orders-view", CheckInterval: 50 * time.Millisecond, Logger: testLogger(),
			Topics: map[string]inbox.Handler[storage.Tx]{"orders": func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
				return addText(ctx, tx, "letters", m.Key, string(m.Payload))
			}},
		},
		BeatInterval: 20 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := func() string {
		var all []string
		for n := range sent {
			all = append(all, fmt.Sprint(n+1))
		}
		return strings.Join(all, "|")
	}
	if err := db.SetPaused(t.Context(), "orders-view", true); err != nil { // before it starts
		t.Fatal(err)
	}
	if err := topic.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := topic.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	send(3)
	wait(t, "the lag of the paused topic", func() bool {
		s := topic.Stats()
		return s.Paused && s.LagEvents >= 3 && s.LagSeconds > 0 && len(s.Ranges) == 2
	})
	if got := readText(t, db, "p1"); got != "" {
		t.Fatalf("handled %s while paused", got)
	}
	if err := topic.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait(t, "all of it", func() bool { return readText(t, db, "p1") == want() })
	if err := topic.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	send(2)
	wait(t, "the lag", func() bool { return topic.Stats().LagEvents >= 2 })
	if err := db.SetPaused(t.Context(), "orders-view", false); err != nil { // by the command line
		t.Fatal(err)
	}
	wait(t, "the rest", func() bool { return readText(t, db, "p1") == want() && topic.Stats().LagEvents == 0 })
	if s := topic.Stats(); s.Name != "orders-view" || s.Source != "topic orders" || s.Handled != 5 || s.Paused || s.Ranges[0].Slices != "orders/0" {
		t.Errorf("%+v", s)
	}
	stored, err := db.Projections(t.Context(), "orders-view")
	if err != nil || len(stored) != 1 || len(stored[0].Workers) != 1 {
		t.Errorf("stored %+v, %v", stored, err)
	}
	if err := topic.Health(); err != nil {
		t.Error(err)
	}
	if err := topic.Start(t.Context()); err == nil {
		t.Error("started twice")
	}
}

func TestTopicConfig(t *testing.T) {
	good := inbox.Config[storage.Tx]{Name: "v", Topics: map[string]inbox.Handler[storage.Tx]{"t": func(context.Context, storage.Tx, inbox.Message) error { return nil }}}
	db := openSQLite(t)
	if _, err := projection.NewTopic(db, kafka.Config{Brokers: []string{"x:1"}}, projection.TopicConfig[storage.Tx]{Consumer: good, BeatInterval: -1}); !errors.Is(err, projection.ErrConfig) {
		t.Errorf("%v", err)
	}
	if _, err := projection.NewTopic(db, kafka.Config{Brokers: []string{"x:1"}}, projection.TopicConfig[storage.Tx]{}); !errors.Is(err, inbox.ErrConfig) {
		t.Errorf("%v", err)
	}
	if _, err := projection.NewTopic(onlyInbox{db}, kafka.Config{Brokers: []string{"x:1"}}, projection.TopicConfig[storage.Tx]{Consumer: good}); !errors.Is(err, projection.ErrConfig) {
		t.Errorf("a store without projections: %v", err)
	}
}

// onlyInbox hides what else a store can.
type onlyInbox struct{ inbox.Store[storage.Tx] }
