// Package countservice is a service for tests of what looks into stream processing
// applications: one that counts visits of pages, in all and by minute, in as many instances
// as a test starts, with their admin sides on loopback.
package countservice

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
)

// Names of the service, its application, its stores and its topics.
const (
	Name        = "visits-service"
	Application = "visits"
	Totals      = "visits-by-page"
	Minutes     = "visits-by-minute"
	Pages       = "pages"

	visits, pages, totals = "page-visits", "page-titles", "page-totals"
)

// Partitions of the topics.
const Partitions = 3

// Timeout of what happens by itself, on a machine that has other work.
const Timeout = 60 * time.Second

// Topology counts visits whose key is somebody's name and whose value is a page.
func Topology() (*streams.Topology, error) {
	str := serde.String()
	b := streams.NewBuilder()
	byPage := streams.GroupBy(streams.From(b, visits, str, str, streams.Earliest()), func(_, page string) string { return page }, str, streams.Named("by-page"))
	streams.Count(byPage, streams.Materialized(Totals)).ToStream().To(totals)
	streams.CountWindows(byPage, streams.Tumbling(time.Minute).Grace(24*time.Hour), streams.Materialized(Minutes))
	streams.GlobalTableFrom(b, pages, str, str, streams.Materialized(Pages))
	return b.Build()
}

// Instance is one process of the service, as far as a test needs it to be one.
type Instance struct {
	App *streams.App
	// URL of its admin side.
	URL string

	t     testing.TB
	parts lifecycle.Group
}

// MakeTopics makes what the application reads and writes.
func MakeTopics(t testing.TB, cluster kafka.Config) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	client, err := kafka.NewClient(cluster)
	must(t, err)
	defer client.Close()
	must(t, kafka.EnsureTopics(ctx, client, cluster, kafka.Topic{Name: visits, Partitions: Partitions},
		kafka.Topic{Name: totals, Partitions: Partitions}, kafka.Topic{Name: pages, Partitions: 1}))
}

// Start starts an instance, which announces itself in the cluster and runs until Stop or
// the end of the test. Instances find one another where they are given an endpoint.
func Start(t testing.TB, cluster kafka.Config, name, dir string, found bool) *Instance {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	topology, err := Topology()
	must(t, err)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i := &Instance{t: t, URL: server.URL + "/admin"}
	cfg := streams.Config{ApplicationID: Application, Kafka: cluster, StateDir: dir, Workers: 1, MemoryBytes: 64 << 20, CommitInterval: 20 * time.Millisecond,
		SessionTimeout: 10 * time.Second, HeartbeatInterval: 500 * time.Millisecond, Logger: quiet}
	if found {
		cfg.Endpoint = server.URL + "/streams"
	}
	i.App, err = streams.New(topology, cfg)
	must(t, err)
	mux.Handle("/streams/", http.StripPrefix("/streams", i.App.Handler()))
	local, err := admin.NewLocal(admin.LocalConfig{Name: Name, Instance: name, Kafka: cluster, Streams: []admin.StreamsApp{i.App}})
	must(t, err)
	mux.Handle("/admin/", http.StripPrefix("/admin", admin.Handler(local, admin.HandlerConfig{Logger: quiet})))
	announcer, err := admin.NewAnnouncer(admin.AnnouncerConfig{Kafka: cluster, Logger: quiet,
		Announcement: admin.Announcement{Name: Name, Instance: name, URL: i.URL}})
	must(t, err)
	i.parts.Add("application", i.App)
	i.parts.Add("announcer", announcer)
	must(t, i.parts.Start(ctx))
	t.Cleanup(i.Stop)
	return i
}

// Stop stops the instance, which leaves its group and says goodbye.
func (i *Instance) Stop() {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	if err := i.parts.Stop(ctx); err != nil {
		i.t.Error(err)
	}
}

// Visit has people look at a page, so many times, at a time.
func Visit(t testing.TB, cluster kafka.Config, page string, times int, at time.Time) {
	t.Helper()
	var all []*kgo.Record
	for n := range times {
		all = append(all, &kgo.Record{Topic: cluster.Topic(visits), Key: fmt.Appendf(nil, "visitor-%d", n), Value: []byte(page), Timestamp: at})
	}
	produce(t, cluster, all...)
}

// Title gives a page a title.
func Title(t testing.TB, cluster kafka.Config, page, title string) {
	t.Helper()
	produce(t, cluster, &kgo.Record{Topic: cluster.Topic(pages), Key: []byte(page), Value: []byte(title)})
}

func produce(t testing.TB, cluster kafka.Config, all ...*kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	client, err := kafka.NewClient(cluster)
	must(t, err)
	defer client.Close()
	must(t, client.ProduceSync(ctx, all...).FirstErr())
}

// Await waits until an instance says that a page was visited so often.
func (i *Instance) Await(page string, want int64) {
	i.t.Helper()
	client, err := admin.NewClient(admin.ClientConfig{URL: i.URL})
	must(i.t, err)
	testenv.Wait(i.t, fmt.Sprintf("%s to be visited %d times", page, want), Timeout, func() bool {
		answer, err := client.QueryStore(i.t.Context(), admin.StoreQuery{Application: Application, Store: Totals, Key: &page})
		return err == nil && string(answer.Entries[0].Value) == fmt.Sprint(want)
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
