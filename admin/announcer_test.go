package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var announcement = admin.Announcement{Name: "payment", Instance: "i-1", URL: "http://127.0.0.1:8101/admin", Version: "v1"}

func startAnnouncer(t *testing.T, cluster kafka.Config, interval time.Duration) *admin.Announcer {
	t.Helper()
	a, err := admin.NewAnnouncer(admin.AnnouncerConfig{Kafka: cluster, Announcement: announcement, Interval: interval,
		Now: func() time.Time { return someTime }, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopAnnouncer(t, a) })
	return a
}

func stopAnnouncer(t *testing.T, a *admin.Announcer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := a.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// hear reads announcements until the test ends.
func hear(t *testing.T, cluster kafka.Config) <-chan admin.Announcement {
	t.Helper()
	client, err := kafka.NewClient(cluster, kgo.ConsumeTopics(cluster.Topic(admin.Topic)), kgo.MetadataMinAge(20*time.Millisecond), kgo.FetchMaxWait(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	heard, done := make(chan admin.Announcement, 1000), make(chan struct{})
	go func() {
		defer close(done)
		defer close(heard)
		for ctx.Err() == nil {
			client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				var a admin.Announcement
				if err := json.Unmarshal(r.Value, &a); err != nil || string(r.Key) != "payment/i-1" {
					t.Errorf("record %s: %s", r.Key, r.Value)
				}
				heard <- a
			})
		}
	}()
	t.Cleanup(func() { cancel(); <-done; client.Close() })
	return heard
}

func TestAnnouncer(t *testing.T) {
	for name, config := range map[string]func(*testing.T) kafka.Config{
		"in process":   func(t *testing.T) kafka.Config { return kafkatest.Start(t).Config },
		"Apache Kafka": func(t *testing.T) kafka.Config { return kafka.Config{Brokers: testenv.Kafka(t), Logger: quiet} },
	} {
		t.Run(name, func(t *testing.T) {
			cluster := config(t)
			cluster.Prefix = testenv.Prefix(t)
			a := startAnnouncer(t, cluster, 50*time.Millisecond)
			want := announcement
			want.At = someTime
			heard := hear(t, cluster)
			for range 3 {
				if got := <-heard; got != want {
					t.Fatalf("announced %+v, want %+v", got, want)
				}
			}
			stopAnnouncer(t, a)
			stopAnnouncer(t, a) // does nothing
			for got := range heard {
				if got.URL == "" {
					return
				}
			}
			t.Error("no goodbye")
		})
	}
}

func TestAnnouncementTopicIsCompacted(t *testing.T) {
	cluster := kafka.Config{Brokers: testenv.Kafka(t), Logger: quiet, Prefix: testenv.Prefix(t)}
	startAnnouncer(t, cluster, time.Hour)
	<-hear(t, cluster)
	client, err := kafka.NewClient(cluster)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	configs, err := kadm.NewClient(client).DescribeTopicConfigs(t.Context(), cluster.Topic(admin.Topic))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range configs[0].Configs {
		if c.Key == "cleanup.policy" && !strings.Contains(c.MaybeValue(), "compact") {
			t.Errorf("cleanup.policy is %s", c.MaybeValue())
		}
	}
}

// TestAnnouncerWithoutKafka: the service starts, and is announced once Kafka is
// there; it stops soon where Kafka is away.
func TestAnnouncerWithoutKafka(t *testing.T) {
	address, err := testservers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	cluster := kafka.Config{Brokers: []string{address}, Logger: quiet, RequestTimeout: time.Second}

	never := startAnnouncer(t, cluster, 50*time.Millisecond)
	began := time.Now()
	stopAnnouncer(t, never)
	if took := time.Since(began); took > time.Minute {
		t.Errorf("stopping took %s", took)
	}

	startAnnouncer(t, cluster, 50*time.Millisecond)
	b, err := broker.Start(t.Context(), broker.Config{Addr: address, NoAutoCreate: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Stop(context.Background()) })
	if got, ok := <-hear(t, cluster); !ok || got.URL != announcement.URL {
		t.Errorf("announced %+v", got)
	}
}

func TestAnnouncerNeedsAnAddress(t *testing.T) {
	ok := kafka.Config{Brokers: []string{"127.0.0.1:9092"}}
	for _, c := range []admin.AnnouncerConfig{
		{Kafka: ok}, {Kafka: ok, Announcement: admin.Announcement{Name: "a", Instance: "b"}},
		{Kafka: ok, Announcement: admin.Announcement{Name: "a", URL: announcement.URL}},
		{Kafka: ok, Announcement: admin.Announcement{Name: "a", Instance: "b", URL: "file:///x"}},
		{Kafka: ok, Announcement: announcement, Interval: -1},
	} {
		if _, err := admin.NewAnnouncer(c); !errors.Is(err, admin.ErrInvalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := admin.NewAnnouncer(admin.AnnouncerConfig{Announcement: announcement}); !errors.Is(err, kafka.ErrConfig) {
		t.Errorf("without brokers: %v", err)
	}
}
