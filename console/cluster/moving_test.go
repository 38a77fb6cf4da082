package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/cluster"
	"github.com/pabal-dev/pabal/internal/faults/wire"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
)

// before runs act once, before the first request of that kind goes on to the broker.
func before(t *testing.T, e *env, op string, act func()) *cluster.Cluster {
	var once sync.Once
	p, err := wire.Listen(e.kafka.Brokers[0], wire.Kafka, func(at wire.Point) bool {
		if at.Op == op && !at.Answered {
			once.Do(act)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	c, err := cluster.New(kafka.Config{Brokers: []string{p.Addr()}}, cluster.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Stop(context.Background()) })
	return c
}

func TestALogIsCutWhileItIsRead(t *testing.T) {
	e := newEnv(t, kafkatest.Start(t).Config, noServices)
	topic := e.topic("cut", 1)
	spread(e, topic, 1, 10)
	for _, tt := range []struct{ from, want string }{{"earliest", numbers(6, 10)}, {"latest", numbers(6, 10)}} {
		c := before(t, e, "Fetch", func() {
			o := kadm.Offsets{}
			o.AddOffset(topic, 0, 6, -1)
			if _, err := e.admin.DeleteRecords(t.Context(), o); err != nil {
				t.Error(err)
			}
		})
		m, err := c.Messages(admin(t), api.MessageQuery{Topic: topic, From: tt.from})
		if err != nil || values(m) != tt.want || m.Next != "" {
			t.Errorf("%s: got %q, next %q, note %q, %v", tt.from, values(m), m.Next, m.Note, err)
		}
		if tt.from == "earliest" && !strings.Contains(m.Note, "was cut: it begins at offset 6 now") {
			t.Errorf("note %q", m.Note)
		}
	}
}

func TestATopicIsMadeAnewWhileItIsRead(t *testing.T) {
	e := newEnv(t, kafkatest.Start(t).Config, noServices)
	topic := e.topic("anew", 1)
	spread(e, topic, 1, 10)
	c := before(t, e, "Fetch", func() {
		if _, err := e.admin.DeleteTopic(t.Context(), topic); err != nil {
			t.Error(err)
		}
		if _, err := e.admin.CreateTopic(t.Context(), 1, 1, nil, topic); err != nil {
			t.Error(err)
		}
	})
	if m, err := c.Messages(admin(t), api.MessageQuery{Topic: topic}); !errors.Is(err, api.ErrConflict) {
		t.Errorf("got %q, %v", values(m), err)
	}
	topic = e.topic("gone", 1)
	spread(e, topic, 1, 10)
	gone := before(t, e, "Fetch", func() {
		if _, err := e.admin.DeleteTopic(t.Context(), topic); err != nil {
			t.Error(err)
		}
	})
	if m, err := gone.Messages(admin(t), api.MessageQuery{Topic: topic}); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("got %q, %v", values(m), err)
	}
}
