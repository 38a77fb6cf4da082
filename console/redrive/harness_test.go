package redrive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/audit"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/sqlite"
	"github.com/twmb/franz-go/pkg/kgo"
)

const soon = 30 * time.Second

var errBoom = errors.New("no such account")

// env is a cluster, a service "shop" with an outbox and a consumer "payment" of
// topic orders, and a centre for its dead letters.
type env struct {
	testing.TB
	cluster  kafka.Config
	db       *sqlite.DB
	client   *kgo.Client
	services *fakeServices
	audit    *audit.Log
	path     string
	center   *Center
	// broken makes the handler fail: with errBoom and the event's key.
	broken atomic.Bool
	// failing, where not nil, decides for a single message.
	failing func(inbox.Message) error
}

func newEnv(t testing.TB) *env {
	cluster := kafkatest.Start(t)
	return envOn(t, cluster.Config)
}

func envOn(t testing.TB, cluster kafka.Config) *env {
	folder := t.TempDir()
	cluster.Logger = testLogger()
	db, err := sqlite.Open(t.Context(), filepath.Join(folder, "shop.db"), sqlite.Config{Logger: testLogger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	err = db.Migrate(t.Context(), "test", fstest.MapFS{"0001_effect.sql": {Data: []byte("CREATE TABLE effect (id TEXT NOT NULL, payload TEXT NOT NULL)")}})
	if err != nil {
		t.Fatal(err)
	}
	client, err := kafka.NewClient(cluster, kgo.UnknownTopicRetries(50), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	log, err := audit.Open("")
	if err != nil {
		t.Fatal(err)
	}
	e := &env{TB: t, cluster: cluster, db: db, client: client, services: &fakeServices{}, audit: log, path: filepath.Join(folder, "redrive.db")}
	e.topic("orders", nil)
	return e
}

func (e *env) topic(name string, config map[string]string) {
	e.Helper()
	if err := kafka.EnsureTopics(e.Context(), e.client, e.cluster, kafka.Topic{Name: name, Config: config}); err != nil {
		e.Fatal(err)
	}
}

// service runs the relay and the consumer until the test ends.
func (e *env) service() {
	e.Helper()
	relay, err := outbox.NewRelay(e.db, e.cluster, outbox.RelayConfig{PollInterval: 20 * time.Millisecond, MaxAttempts: 2, Logger: testLogger(),
		KeepHistory: time.Hour, Backoff: outbox.Backoff{Min: time.Millisecond, Max: 5 * time.Millisecond}})
	if err != nil {
		e.Fatal(err)
	}
	consumer, err := inbox.NewConsumer(e.db, e.cluster, inbox.Config[*sqlite.Tx]{
		Name: "payment", Topics: map[string]inbox.Handler[*sqlite.Tx]{"orders": e.handle}, Attempts: 2,
		Backoff: inbox.Backoff{Min: time.Millisecond, Max: 5 * time.Millisecond}, CheckInterval: 50 * time.Millisecond, Logger: testLogger(),
	})
	if err != nil {
		e.Fatal(err)
	}
	for _, s := range []interface {
		Start(context.Context) error
		Stop(context.Context) error
	}{relay, consumer} {
		if err := s.Start(e.Context()); err != nil {
			e.Fatal(err)
		}
		e.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), soon)
			defer cancel()
			if err := s.Stop(ctx); err != nil {
				e.Errorf("stop: %v", err)
			}
		})
	}
	local, err := admin.NewLocal(admin.LocalConfig{Name: "shop", Instance: "1", Kafka: e.cluster,
		Outbox:    &admin.LocalOutbox{Name: "outbox", DeadLetterTopic: "outbox.dead-letters", Store: e.db, Relay: relay},
		Consumers: []admin.LocalConsumer{{Name: "payment", DeadLetterTopic: "payment.dead-letters", Topics: []string{"orders"}, Store: e.db, Runner: consumer}},
	})
	if err != nil {
		e.Fatal(err)
	}
	e.services.set("shop", local)
}

func (e *env) handle(ctx context.Context, tx *sqlite.Tx, m inbox.Message) error {
	if e.broken.Load() {
		return fmt.Errorf("%w: %q", errBoom, m.Key)
	}
	if e.failing != nil {
		if err := e.failing(m); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, "INSERT INTO effect (id, payload) VALUES ($1, $2)", m.ID, string(m.Payload))
	return err
}

// start runs a centre on the test's file until the test ends, or it is stopped.
func (e *env) start(change ...func(*Center)) *Center {
	e.Helper()
	c, err := New(e.cluster, Config{Path: e.path, Services: e.services, Audit: e.audit, Logger: testLogger(), OutcomeWait: 20 * time.Second})
	if err != nil {
		e.Fatal(err)
	}
	c.pace = pace{topics: 50 * time.Millisecond, outcomes: 10 * time.Millisecond, retry: 5 * time.Millisecond}
	for _, f := range change {
		f(c)
	}
	if err := c.Start(e.Context()); err != nil {
		e.Fatal(err)
	}
	e.Cleanup(func() { e.stop(c) })
	e.center = c
	return c
}

func (e *env) stop(c *Center) {
	e.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	if err := c.Stop(ctx); err != nil {
		e.Errorf("stop: %v", err)
	}
}

// admin is a context of a user who may do everything.
func (e *env) admin() context.Context {
	return api.WithUser(e.Context(), api.User{Name: "kim", Role: api.Admin, From: "127.0.0.1"})
}

func (e *env) send(n int, key string) []event.Event {
	e.Helper()
	events := make([]event.Event, n)
	records := make([]*kgo.Record, n)
	for i := range events {
		events[i] = event.New("order-placed", fmt.Sprint(key, i), map[string]int{"n": i})
		events[i].Source = "/test"
		records[i] = kafka.ToRecord(e.cluster.Topic("orders"), events[i])
	}
	if err := e.client.ProduceSync(e.Context(), records...).FirstErr(); err != nil {
		e.Fatal(err)
	}
	return events
}

// effects counts what was handled, by event id.
func (e *env) effects() map[string]int {
	e.Helper()
	counts := map[string]int{}
	err := e.db.View(context.Background(), func(q storage.Querier) error {
		rows, err := q.Query(context.Background(), "SELECT id, count(*) FROM effect GROUP BY id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			var n int
			if err := rows.Scan(&id, &n); err != nil {
				return err
			}
			counts[id] = n
		}
		return rows.Err()
	})
	if err != nil {
		e.Fatal(err)
	}
	return counts
}

func (e *env) once(events []event.Event) {
	e.Helper()
	got := e.effects()
	for _, ev := range events {
		if got[ev.ID] != 1 {
			e.Errorf("event %s of key %s had %d effects, want 1", ev.ID, ev.Key, got[ev.ID])
		}
	}
}

func (e *env) wait(what string, condition func() bool) {
	e.Helper()
	testenv.Wait(e.TB, what, soon, condition)
}

// letters of a state, all pages.
func (e *env) letters(state string) []api.DeadLetter {
	e.Helper()
	var all []api.DeadLetter
	for q := (api.LetterQuery{State: state, PageQuery: api.PageQuery{Limit: 200}}); ; {
		page, err := e.center.Letters(e.admin(), q)
		if err != nil {
			e.Fatal(err)
		}
		all = append(all, page.Items...)
		if q.Cursor = page.Next; q.Cursor == "" {
			return all
		}
	}
}

func (e *env) waitLetters(state string, n int) []api.DeadLetter {
	e.Helper()
	var all []api.DeadLetter
	defer func() {
		if e.Failed() {
			for _, l := range e.letters("") {
				e.Logf("%s %s %s failures %d %s", l.ID, l.Event.Key, l.State, l.Failures, l.Obstacle)
			}
		}
	}()
	e.wait(fmt.Sprintf("%d letters %s", n, state), func() bool { all = e.letters(state); return len(all) == n })
	return all
}

func (e *env) fingerprints() []api.Fingerprint {
	e.Helper()
	page, err := e.center.Fingerprints(e.admin(), api.FingerprintQuery{Closed: true})
	if err != nil {
		e.Fatal(err)
	}
	return page.Items
}

func (e *env) redrive(q api.RedriveRequest) api.Redrive {
	e.Helper()
	r, err := e.center.Redrive(e.admin(), q)
	if err != nil {
		e.Fatal(err)
	}
	return r
}

// waitEnded waits for a redrive's end.
func (e *env) waitEnded(id string) api.Redrive {
	e.Helper()
	var r api.Redrive
	defer func() {
		if e.Failed() {
			e.Logf("last: %+v", r)
		}
	}()
	e.wait("the redrive's end", func() bool {
		var err error
		if r, err = e.center.RedriveByID(e.admin(), id); err != nil {
			e.Fatal(err)
		}
		return r.State != jobRunning
	})
	return r
}

// fakeServices are the services of this process.
type fakeServices struct {
	mu   sync.Mutex
	apis map[string]admin.API
	away bool
}

func (s *fakeServices) set(name string, a admin.API) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.apis == nil {
		s.apis = map[string]admin.API{}
	}
	s.apis[name] = a
}

func (s *fakeServices) setAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

func (s *fakeServices) Services(ctx context.Context) ([]api.Service, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []api.Service
	for name, a := range s.apis {
		one := api.Service{Name: name, Instance: "1"}
		if status, err := a.Status(ctx); err == nil && !s.away {
			one.Status = &status
		} else {
			one.Problem = "it does not answer"
		}
		all = append(all, one)
	}
	return all, nil
}

func (s *fakeServices) At(_ context.Context, name string) (admin.API, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.apis[name]; a != nil && !s.away {
		return a, nil
	}
	return nil, fmt.Errorf("%w: service %s", api.ErrNotFound, name)
}

// testLogger shows everything where PABAL_TEST_LOG is set.
func testLogger() *slog.Logger {
	if os.Getenv("PABAL_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
