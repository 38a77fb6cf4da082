package connectors_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// moving is an outbox that goes from a relay to a connector and back, again and again, while writers
// write.
type moving struct {
	*captured
	random  *rand.Rand
	ctx     context.Context // of the writers
	stop    func()
	written atomic.Int64
	writers sync.WaitGroup
}

const movedKeys = 3

func newMoving(t *testing.T) *moving {
	m := &moving{captured: newCaptured(t), random: testenv.Rand(t)}
	m.cluster.Topics(t, "orders")
	m.ctx, m.stop = context.WithCancel(t.Context())
	t.Cleanup(func() { m.stop(); m.writers.Wait() })
	return m
}

// write has one writer for each key; what a key's writer enqueues ascends.
func (m *moving) write() {
	for key := range movedKeys {
		m.writers.Go(func() {
			pace := time.NewTicker(10 * time.Millisecond)
			defer pace.Stop()
			for n := 0; m.ctx.Err() == nil; n++ {
				e := event.New("placed", strconv.Itoa(key), n)
				err := m.db.Update(context.WithoutCancel(m.ctx), func(tx storage.Tx) error { return outbox.EnqueueTo(m.ctx, tx, "orders", e) })
				switch {
				case err == nil:
					m.written.Add(1)
				case m.ctx.Err() == nil:
					m.t.Errorf("writer %d: %v", key, err)
					return
				}
				<-pace.C
			}
		})
	}
}

// more waits until the writers have written more.
func (m *moving) more() {
	m.t.Helper()
	want := m.written.Load() + 15
	testenv.Wait(m.t, "writers to write", 2*time.Minute, func() bool { return m.written.Load() >= want || m.t.Failed() })
}

// to moves the outbox; what moves it is killed at some moments first.
func (m *moving) to(way outbox.Way) {
	m.t.Helper()
	config := outbox.MoveConfig{Hold: 500 * time.Millisecond, Look: 5 * time.Millisecond}
	for range 6 {
		ctx, kill := context.WithTimeout(m.t.Context(), time.Duration(m.random.IntN(20_000))*time.Microsecond)
		_ = outbox.Move(ctx, m.db.(outbox.WayStore), way, config)
		kill()
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), 10*time.Minute)
	defer cancel()
	if err := outbox.Move(ctx, m.db.(outbox.WayStore), way, config); err != nil {
		m.t.Fatal(err)
	}
}

// relay of the service, and what ends it at once, with a batch under way.
func (m *moving) relay() (kill func()) {
	m.t.Helper()
	r, err := outbox.NewRelay(m.db, m.cluster.Config, outbox.RelayConfig{
		LeaseTTL: time.Second, PollInterval: 20 * time.Millisecond, BatchRows: 3, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		m.t.Fatal(err)
	}
	testenv.Wait(m.t, "the relay to start", 2*time.Minute, func() bool { err = r.Start(m.t.Context()); return err == nil })
	return once(m.t, func() {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		_ = r.Stop(now)
	})
}

func (m *moving) sweeper() (stop func()) {
	m.t.Helper()
	return m.sweeperOf(outbox.ByCapture)
}

func (m *moving) sweeperOf(way outbox.Way) (stop func()) {
	m.t.Helper()
	s, err := outbox.NewSweeper(m.db.(outbox.CaptureStore), outbox.SweeperConfig{
		Slot: m.config["slot.name"], Way: way, Interval: 20 * time.Millisecond, LeaseTTL: time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	if err == nil {
		testenv.Wait(m.t, "the sweeper to start", 2*time.Minute, func() bool { err = s.Start(m.t.Context()); return !errors.Is(err, outbox.ErrBusy) })
	}
	if err != nil {
		m.t.Fatal(err)
	}
	return once(m.t, func() { s.Stop(context.Background()) })
}

func once(t *testing.T, do func()) func() {
	do = sync.OnceFunc(do)
	t.Cleanup(do)
	return do
}

// cut ends the connector's connection, which its task takes for a failure of the server.
func (m *moving) cut() {
	m.t.Helper()
	err := m.db.Update(m.t.Context(), func(tx storage.Tx) error {
		_, err := tx.Exec(m.t.Context(), "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active", m.config["slot.name"])
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
}

// check that each message is in the topic once, those of each key in their order; ends are written last.
func (m *moving) check() {
	m.t.Helper()
	const end = "end"
	for p := range int32(4) {
		client := m.cluster.Client(m.t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
		if err := client.ProduceSync(m.t.Context(), &kgo.Record{Topic: "orders", Partition: p, Value: []byte(end)}).FirstErr(); err != nil {
			m.t.Fatal(err)
		}
	}
	client := m.cluster.Client(m.t, kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	ctx, cancel := context.WithTimeout(m.t.Context(), 10*time.Minute)
	defer cancel()
	next, ends, total := map[string]int{}, 0, int64(0)
	for ends < 4 {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			m.t.Fatalf("%d of 4 partitions are read", ends)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if string(r.Value) == end {
				ends++
				return
			}
			key := string(r.Key)
			got, err := strconv.Atoi(string(r.Value))
			if err != nil || got != next[key] {
				m.t.Errorf("key %s: %s came where %d was next (partition %d, offset %d)", key, r.Value, next[key], r.Partition, r.Offset)
			}
			next[key] = got + 1
			total++
		})
	}
	if total != m.written.Load() {
		m.t.Errorf("%d messages came, %d were written", total, m.written.Load())
	}
}

// TestOutboxMoves: an outbox goes from relays to a connector and back while writers write; movers, relays,
// sweepers and the connector's connection are killed meanwhile. Every message is published once, and
// those of each key are in order.
func TestOutboxMoves(t *testing.T) {
	m := newMoving(t)
	killRelay := m.relay()
	m.write()
	for round := range 3 {
		m.more()
		killRelay() // a batch may be in Kafka and still in the outbox
		killRelay = m.relay()
		if round == 2 { // the connector was there before
			m.cut()
		}
		m.to(outbox.ByCapture)
		m.more() // the relay still runs, and has nothing to publish
		if round == 0 {
			m.run()
		}
		killRelay()
		stopSweeper := m.sweeper()
		m.more()
		stopSweeper()
		m.cut()
		stopSweeper = m.sweeper()
		m.more()
		m.to(outbox.ByRelay)
		m.more() // the sweeper still runs, and has nothing to remove
		stopSweeper()
		killRelay = m.relay()
	}
	m.more()
	m.stop()
	m.writers.Wait()
	testenv.Wait(t, "the outbox to be empty", 2*time.Minute, func() bool { return m.backlog().Started == 0 })
	m.check()
}

// TestWhoMayPublish: neither a sweeper nor a relay begins on an outbox that goes the other way.
func TestWhoMayPublish(t *testing.T) {
	m := newMoving(t)
	killRelay := m.relay()
	m.enqueue(event.New("placed", "0", 0))
	m.records(1)
	killRelay()
	sweeper, err := outbox.NewSweeper(m.db.(outbox.CaptureStore), outbox.SweeperConfig{Slot: "any"})
	if err != nil {
		t.Fatal(err)
	}
	wantMoved(t, "a sweeper", sweeper.Start(t.Context()))
	killRelay = m.relay() // which settles what it had published
	m.to(outbox.ByCapture)
	killRelay()
	m.enqueue(event.New("placed", "0", 1))
	relay, err := outbox.NewRelay(m.db, m.cluster.Config, outbox.RelayConfig{Logger: slog.New(slog.DiscardHandler), LeaseTTL: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	start := func() (err error) {
		testenv.Wait(t, "the lease", time.Minute, func() bool {
			if err = relay.Start(t.Context()); err == nil { // it stands by
				relay.Stop(t.Context())
			}
			return err != nil
		})
		return err
	}
	wantMoved(t, "a relay", start())
	if err := m.db.(outbox.WayStore).Switch(t.Context(), outbox.ByRelay, time.Minute); err != nil {
		t.Fatal(err)
	}
	wantMoved(t, "a relay before a connector has published the rest", start())
}

const jsonConverter = "org.apache.kafka.connect.json.JsonConverter"

func wantMoved(t *testing.T, who string, err error) {
	t.Helper()
	if !errors.Is(err, outbox.ErrMoved) {
		t.Fatalf("%s: %v", who, err)
	}
}

// TestOtherConnectorsSlot: a sweeper with the slot of a connector whose publication has not this outbox
// removes nothing, and says why.
func TestOtherConnectorsSlot(t *testing.T) {
	c := newCaptured(t)
	if err := c.db.Update(t.Context(), func(tx storage.Tx) error {
		_, err := tx.Exec(t.Context(), "CREATE TABLE shop.orders (id bigint PRIMARY KEY)")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	right := maps.Clone(c.config)
	for _, key := range []string{"slot.name", "publication.name", "topic.prefix"} {
		c.config[key] += "_other"
	}
	c.config["table.include.list"] = `shop\.orders`
	maps.DeleteFunc(c.config, func(key, _ string) bool { return strings.HasPrefix(key, "transforms") })
	c.config["key.converter"], c.config["value.converter"] = jsonConverter, jsonConverter
	c.run()
	s, err := outbox.NewSweeper(c.db.(outbox.CaptureStore), outbox.SweeperConfig{Slot: c.config["slot.name"], Interval: 10 * time.Millisecond, LeaseTTL: time.Second})
	if err == nil {
		err = s.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(context.Background()) })
	c.enqueue(event.New("placed", "k", 1))
	testenv.Wait(t, "the sweeper to say what is wrong", time.Minute, func() bool {
		return s.Health() != nil && strings.Contains(s.Health().Error(), "does not publish this outbox")
	})
	confirmed := func() (n int64) {
		look, err := c.db.(outbox.CaptureStore).Capture(t.Context(), c.config["slot.name"], 9)
		if err != nil {
			t.Fatal(err)
		}
		return int64(look.Confirmed)
	}
	// The other connector passes the row, several times.
	for range 3 {
		before := confirmed()
		if err := c.db.Update(t.Context(), func(tx storage.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO shop.orders SELECT count(*) FROM shop.orders")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		testenv.Wait(t, "the other connector to go on", time.Minute, func() bool { return confirmed() > before })
	}
	if b := c.backlog(); b.Started != 1 {
		t.Fatalf("the outbox has %+v", b)
	}
	s.Stop(t.Context())
	if err := c.server.Run(t.Context(), "right", right); err != nil {
		t.Fatal(err)
	}
	c.config = right
	c.sweep(0)
	c.records(1)
	testenv.Wait(t, "the outbox to be swept", time.Minute, func() bool { return c.backlog().Started == 0 })
}
