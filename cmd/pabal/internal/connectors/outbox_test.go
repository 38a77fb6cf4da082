package connectors_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/connectors"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

// captured is an outbox that a connector publishes.
type captured struct {
	t       *testing.T
	cluster *kafkatest.Cluster
	db      storage.DB
	config  map[string]string
	server  *connectors.Server
}

func newCaptured(t *testing.T) *captured {
	t.Helper()
	where := testenv.Postgres(t)
	u, err := url.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	db, err := open.DB(t.Context(), where, open.Config{Schema: "shop", Source: "/shop"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	port, _ := strconv.Atoi(u.Port())
	password, _ := u.User.Password()
	c := outbox.Connector{
		Host: u.Hostname(), Port: uint16(port), User: u.User.Username(), Password: password, Database: strings.Trim(u.Path, "/"),
		Schemas: []string{"shop"}, Slot: strings.Trim(u.Path, "/"),
	}.Config()
	c["status.update.interval.ms"] = "50"
	all := &captured{t: t, cluster: kafkatest.Start(t), db: db, config: c}
	all.serve()
	t.Cleanup(func() { all.stop() })
	return all
}

func (c *captured) run() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 5*time.Minute)
	defer cancel()
	if err := c.server.Run(ctx, "shop-outbox", c.config); err != nil {
		c.t.Fatal(err)
	}
}

func (c *captured) sweep(keep time.Duration) {
	c.t.Helper()
	s, err := outbox.NewSweeper(c.db.(outbox.CaptureStore), outbox.SweeperConfig{
		Slot: c.config["slot.name"], KeepHistory: keep, Interval: 20 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err == nil {
		err = s.Start(c.t.Context())
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { s.Stop(context.Background()) })
}

func (c *captured) enqueue(events ...event.Event) {
	c.t.Helper()
	err := c.db.Update(c.t.Context(), func(tx storage.Tx) error { return outbox.EnqueueTo(c.t.Context(), tx, "orders", events...) })
	if err != nil {
		c.t.Fatal(err)
	}
}

// records are those of the topic, of which there must be n.
func (c *captured) records(n int) (all []*kgo.Record) {
	c.t.Helper()
	client := c.cluster.Client(c.t, kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	ctx, cancel := context.WithTimeout(c.t.Context(), 5*time.Minute)
	defer cancel()
	for len(all) < n {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			c.t.Fatalf("%d of %d records came", len(all), n)
		}
		all = append(all, fetches.Records()...)
	}
	return all
}

func (c *captured) backlog() outbox.Backlog {
	c.t.Helper()
	b, err := c.db.Backlog(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// variousEvents are with and without all that an event may have.
func variousEvents() []event.Event {
	at := time.Date(2026, 5, 4, 3, 2, 1, 123456000, time.UTC)
	plain := event.Event{ID: "1", Type: "placed", Source: "/elsewhere", Key: "k", Time: at, Payload: []byte(`{"a":1}`)}
	full := event.Event{
		ID: "2", Type: "placed", Key: "nul \x00", Time: at.Truncate(time.Second), CorrelationID: "c", CausationID: "1", ContentType: "application/json",
		Traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", Headers: map[string]string{"z": "2", "a": "héllo \"x\" 1.0", "empty": ""},
		Payload: []byte{0, 1, 255},
	}
	bare := event.Event{ID: "3", Type: "placed", Time: time.UnixMicro(1).UTC()}
	late := event.Event{ID: "4", Type: "placed", Key: "k", Time: at, Payload: []byte("late")}
	return []event.Event{plain, full, bare, late}
}

// wantAsOfRelay compares what is in the topic with what a relay would publish.
func (c *captured) wantAsOfRelay(events ...event.Event) {
	t := c.t
	t.Helper()
	got := map[string]*kgo.Record{}
	for _, r := range c.records(len(events)) {
		e, err := kafka.FromRecord(r)
		if err != nil {
			t.Fatalf("%v: %v", err, r.Headers)
		}
		if got[e.ID] != nil {
			t.Errorf("event %s came twice", e.ID)
		}
		got[e.ID] = r
	}
	for _, e := range events {
		if e.Source == "" {
			e.Source = "/shop"
		}
		want, r := kafka.ToRecord("orders", e), got[e.ID]
		if r == nil {
			t.Errorf("event %s did not come", e.ID)
			continue
		}
		if string(r.Key) != string(want.Key) || (r.Key == nil) != (want.Key == nil) || string(r.Value) != string(want.Value) ||
			r.Timestamp.UnixMilli() != want.Timestamp.UnixMilli() || fmt.Sprint(r.Headers) != fmt.Sprint(want.Headers) {
			t.Errorf("event %s came as %q %q %s %v\nwant %q %q %s %v", e.ID, r.Key, r.Value, r.Timestamp, r.Headers, want.Key, want.Value, want.Timestamp, want.Headers)
		}
	}
}

// TestOutboxThroughCDC: what a connector publishes of an outbox, those rows included that were there
// before it, is what a relay would; and the rows go to the history.
func TestOutboxThroughCDC(t *testing.T) {
	c, events := newCaptured(t), variousEvents()
	c.enqueue(events[:2]...)
	c.run()
	c.sweep(time.Hour)
	c.enqueue(events[2])
	c.enqueue(events[3])
	c.wantAsOfRelay(events...)
	testenv.Wait(t, "the outbox to be swept", time.Minute, func() bool { b := c.backlog(); return b.Started == 0 && b.Completed == 4 })
}

// TestSweeperWaits: without a connector nothing is removed, and nothing that came while it was away.
func TestSweeperWaits(t *testing.T) {
	c := newCaptured(t)
	c.run()
	c.sweep(0)
	for i := range 100 {
		c.enqueue(event.New("placed", "k", i))
	}
	testenv.Wait(t, "the outbox to be swept", time.Minute, func() bool { return c.backlog().Started == 0 })
	if err := c.server.Remove(t.Context(), "shop-outbox"); err != nil {
		t.Fatal(err)
	}
	slot := fmt.Sprintf("SELECT active FROM pg_replication_slots WHERE slot_name = '%s'", c.config["slot.name"])
	testenv.Wait(t, "the slot to be free", time.Minute, func() (free bool) {
		err := c.db.View(t.Context(), func(q storage.Querier) error { return q.QueryRow(t.Context(), slot).Scan(&free) })
		return err == nil && !free
	})
	c.enqueue(event.New("placed", "k", 100))
	c.enqueue(event.New("placed", "k", 101))
	before := c.records(100)
	if b := c.backlog(); b.Started != 2 || len(before) != 100 {
		t.Fatalf("%+v, %d records", b, len(before))
	}
	c.run()
	testenv.Wait(t, "the rest to be swept", time.Minute, func() bool { return c.backlog().Started == 0 })
	for i, r := range c.records(102) {
		if string(r.Value) != strconv.Itoa(i) {
			t.Fatalf("record %d is %s", i, r.Value)
		}
	}
}
