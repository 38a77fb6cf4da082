package saga_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/postgres"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// soon is never waited for where all works; a slow machine may need some of it.
const soon = 2 * time.Minute

// trip is the state of the sagas of these tests.
type trip struct {
	Price int      `json:"price"`
	Got   []string `json:"got,omitempty"`
}

// said is the payload of an answer.
type said struct {
	Step   string      `json:"step"`
	Result saga.Result `json:"result"`
	Reason string      `json:"reason,omitempty"`
}

var tripSteps = []string{"flight", "hotel", "car"}

// journey books a flight, a hotel and a car, each with 10 s, twice.
func journey(version int) saga.Definition[trip] {
	d := saga.Definition[trip]{
		Name: "trip", Version: version, Deadline: time.Hour,
		Replies: []saga.Reply[trip]{{Topic: "answers", Read: readAnswer}},
	}
	for _, name := range tripSteps {
		d.Steps = append(d.Steps, saga.Step[trip]{
			Name:         name,
			Action:       func(c saga.Context, s *trip) []outbox.Message { return command(c, name+"-request") },
			Compensation: func(c saga.Context, s *trip) []outbox.Message { return command(c, name+"-undo") },
			Timeout:      10 * time.Second, Retry: saga.Retry{Attempts: 2, Min: 5 * time.Second},
			CompensationRetry: saga.Retry{Attempts: 2, Min: 5 * time.Second},
		})
	}
	return d
}

func command(c saga.Context, topic string) []outbox.Message {
	return []outbox.Message{{Topic: topic, Event: event.New(topic, c.ID, c.Attempt)}}
}

func readAnswer(e event.Event) (saga.Answer[trip], error) {
	s, err := event.Decode[said](e)
	if err != nil {
		return saga.Answer[trip]{}, err
	}
	if s.Step == "panic" {
		panic("no such step")
	}
	return saga.Answer[trip]{ID: e.Key, Step: s.Step, Result: s.Result, Reason: s.Reason, Apply: func(t *trip) {
		t.Got = append(t.Got, s.Step)
	}}, nil
}

// answer of a participant to a saga.
func answer(id, step string, result saga.Result) event.Event {
	e := event.New("answers", id, said{step, result, ""})
	e.Source = "/test"
	return e
}

type world struct {
	testing.TB
	db    storage.DB
	clock *clock
	dead  atomic.Int64 // letters seen, see whole
}

// everywhere runs a test on SQLite and, where there is one, on PostgreSQL.
func everywhere(t *testing.T, test func(t *testing.T, w *world)) {
	t.Run("sqlite", func(t *testing.T) { test(t, onSQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, onPostgres(t)) })
}

func onSQLite(t testing.TB) *world {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return newWorld(t, storage.Any(db))
}

func onPostgres(t testing.TB) *world {
	t.Helper()
	db, err := postgres.Open(t.Context(), testenv.Postgres(t), postgres.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return newWorld(t, storage.Any(db))
}

func newWorld(t testing.TB, db storage.DB) *world {
	t.Cleanup(func() { db.Close() })
	return &world{TB: t, db: db, clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
}

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type (
	manager = saga.Manager[storage.Tx, trip]
	config  = saga.Config[storage.Tx, trip]
)

// config of a manager with short pauses.
func (w *world) config(definitions ...saga.Definition[trip]) config {
	return config{
		Definitions: definitions, Clock: w.clock.Now, PollInterval: 2 * time.Millisecond,
		Backoff: outbox.Backoff{Min: 4 * time.Millisecond, Max: 20 * time.Millisecond}, CleanInterval: 5 * time.Millisecond,
		Logger: testLogger(),
	}
}

func (w *world) manager(c config) *manager {
	w.Helper()
	m, err := saga.New[storage.Tx](w.db, c)
	if err != nil {
		w.Fatal(err)
	}
	return m
}

// run fires timers until the test ends, or until it is stopped before.
func (w *world) run(m *manager) (stop func()) {
	w.Helper()
	if err := m.Service().Start(w.Context()); err != nil {
		w.Fatal(err)
	}
	stop = func() {
		ctx, cancel := context.WithTimeout(context.Background(), soon)
		defer cancel()
		if err := m.Service().Stop(ctx); err != nil {
			w.Errorf("stop: %v", err)
		}
	}
	w.Cleanup(stop)
	return stop
}

func (w *world) update(fn func(tx storage.Tx) error) {
	w.Helper()
	if err := w.db.Update(w.Context(), fn); err != nil {
		w.Fatal(err)
	}
}

func (w *world) start(m *manager, ids ...string) {
	w.Helper()
	all := make([]saga.Fresh[trip], len(ids))
	for i, id := range ids {
		all[i] = saga.Fresh[trip]{ID: id, State: trip{Price: 100}}
	}
	w.update(func(tx storage.Tx) error {
		_, started, err := m.StartAll(w.Context(), tx, all)
		for i := range started {
			if !started[i] {
				w.Errorf("%s was there", ids[i])
			}
		}
		return err
	})
}

// deliver hands messages to the manager as an inbox does, in one transaction.
func (w *world) deliver(m *manager, events ...event.Event) error {
	w.Helper()
	ms := make([]inbox.Message, len(events))
	for i, e := range events {
		ms[i] = inbox.Message{Event: e, Topic: e.Type, Offset: int64(i), Attempt: 1}
	}
	return w.db.Update(w.Context(), func(tx storage.Tx) error {
		return m.Handlers()[events[0].Type](w.Context(), tx, ms)
	})
}

func (w *world) mustDeliver(m *manager, events ...event.Event) {
	w.Helper()
	if err := w.deliver(m, events...); err != nil {
		w.Fatal(err)
	}
}

// sent are the outbox's messages, oldest first.
func (w *world) sent() []outbox.Row {
	w.Helper()
	rows, err := w.db.Pending(context.Background(), 0, outbox.Exclusion{}, 100000, 1<<30)
	if err != nil {
		w.Fatal(err)
	}
	return rows
}

// wantSent compares the topics of what was sent to a key.
func (w *world) wantSent(key string, topics ...string) {
	w.Helper()
	var got []string
	for _, row := range w.sent() {
		if row.Key == key {
			got = append(got, row.Topic)
		}
	}
	if g, want := strings.Join(got, " "), strings.Join(topics, " "); g != want {
		w.Errorf("sent for %s:\n%s\nwant\n%s", key, g, want)
	}
}

func (w *world) saga(id string) (saga.Record, []saga.Entry) {
	w.Helper()
	r, entries, err := w.db.Saga(context.Background(), "trip", id)
	if err != nil {
		w.Fatal(err)
	}
	return r, entries
}

func (w *world) wantStatus(id string, want saga.Status) saga.Record {
	w.Helper()
	r, entries := w.saga(id)
	if r.Status != want {
		w.Errorf("saga %s is %s (%s), want %s; progress %s, timeline %+v", id, r.Status, r.Reason, want, r.Progress, entries)
	}
	return r
}

// await polls until the condition holds.
func (w *world) await(what string, condition func() bool) {
	w.Helper()
	testenv.Wait(w.TB, what, soon, condition)
}

func (w *world) awaitStatus(id string, want saga.Status) {
	w.Helper()
	w.await(fmt.Sprintf("saga %s to be %s", id, want), func() bool {
		r, _, err := w.db.Saga(context.Background(), "trip", id)
		return err == nil && r.Status == want
	})
}

func (w *world) awaitSent(n int) {
	w.Helper()
	w.await(fmt.Sprintf("%d messages", n), func() bool { return len(w.sent()) >= n })
}

var errBoom = errors.New("boom")

// testLogger shows everything where PABAL_TEST_LOG is set.
func testLogger() *slog.Logger {
	if os.Getenv("PABAL_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
