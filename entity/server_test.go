package entity_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/entity"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
	"github.com/pabal-dev/pabal/storage/sqlite"
	"github.com/twmb/franz-go/pkg/kgo"
)

const soon = time.Minute

var quiet = slog.New(slog.DiscardHandler)

// The entity is a counter that may not pass its limit.
type (
	add struct {
		By int64 `json:"by"`
	}
	added struct {
		By int64 `json:"by"`
	}
	counter struct {
		Value int64 `json:"value"`
	}
)

// limit is refused, poison is a bug.
const (
	limit  = 1_000_000
	poison = -13
)

func registry(t testing.TB) *journal.Registry {
	t.Helper()
	r, err := journal.NewRegistry(journal.JSON(journal.TypeOf[added]("added"), journal.TypeOf[counter]("counter")))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func decide(state counter, c add) (counter, error) {
	switch {
	case c.By == poison:
		return state, errors.New("poison")
	case c.By >= limit:
		return state, entity.Refuse("too-much", "%d is too much", c.By)
	}
	return counter{state.Value + c.By}, nil
}

func sourcedCounters(t testing.TB) entity.EventSourced[add, added, counter, int64] {
	return entity.EventSourced[add, added, counter, int64]{
		Type: "counter", Initial: func(string) counter { return counter{} }, Registry: registry(t),
		Decide: func(c entity.Context, state counter, command add) (entity.Decision[added, int64], error) {
			next, err := decide(state, command)
			if err != nil || command.By == 0 {
				return entity.Decision[added, int64]{Reply: state.Value}, err
			}
			return entity.Decision[added, int64]{
				Events: []added{{command.By}}, Reply: next.Value, Messages: []event.Event{event.New("counted", c.ID, next.Value)},
			}, nil
		},
		Apply:    func(state counter, e added) (counter, error) { return counter{state.Value + e.By}, nil },
		Snapshot: journal.SnapshotPolicy{Every: 7},
	}
}

func durableCounters(t testing.TB) entity.DurableState[add, counter, int64] {
	return entity.DurableState[add, counter, int64]{
		Type: "counter", Initial: func(string) counter { return counter{} }, Registry: registry(t),
		Decide: func(c entity.Context, state counter, command add) (entity.Change[counter, int64], error) {
			next, err := decide(state, command)
			if err != nil || command.By == 0 {
				return entity.Change[counter, int64]{Reply: state.Value}, err
			}
			return entity.Change[counter, int64]{
				Set: &next, Reply: next.Value, Messages: []event.Event{event.New("counted", c.ID, next.Value)},
			}, nil
		},
	}
}

type host = entity.Host[add, counter, int64]

// database is what a server, its host and its relay need.
type database[T entity.Tx] interface {
	inbox.Store[T]
	journal.Store
	outbox.Store
}

// world is a cluster and a database.
type world[T entity.Tx] struct {
	testing.TB
	cluster kafka.Config
	db      database[T]
	durable bool
}

// everywhere runs a test on both databases and with both kinds of entities.
func everywhere(t *testing.T, onSQLite func(*testing.T, *world[*sqlite.Tx]), onPostgres func(*testing.T, *world[*postgres.Tx])) {
	for _, durable := range []bool{false, true} {
		kind := map[bool]string{false: "events", true: "states"}[durable]
		t.Run("sqlite/"+kind, func(t *testing.T) {
			t.Parallel()
			onSQLite(t, begin(t, kafkatest.Start(t).Config, openSQLite(t), durable))
		})
		t.Run("postgres/"+kind, func(t *testing.T) {
			t.Parallel()
			onPostgres(t, begin(t, kafkatest.Start(t).Config, openPostgres(t), durable))
		})
	}
}

func openSQLite(t *testing.T) database[*sqlite.Tx] {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Config{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func openPostgres(t *testing.T) database[*postgres.Tx] {
	// Fewer connections than there are transactions at a time.
	db, err := postgres.Open(t.Context(), testenv.Postgres(t), postgres.Config{MaxConns: 3, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// begin makes the topics and runs a relay.
func begin[T entity.Tx](t *testing.T, cluster kafka.Config, db database[T], durable bool) *world[T] {
	cluster.Logger = quiet
	w := &world[T]{TB: t, cluster: cluster, db: db, durable: durable}
	client, err := kafka.NewClient(cluster)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, topic := range []string{"counters", "counters.replies", "counters.dead-letters", "counted"} {
		if err := kafka.EnsureTopics(t.Context(), client, cluster, kafka.Topic{Name: topic}); err != nil {
			t.Fatal(err)
		}
	}
	relay, err := outbox.NewRelay(db, cluster, outbox.RelayConfig{LeaseTTL: 2 * time.Second, PollInterval: 20 * time.Millisecond, Logger: quiet})
	w.run(relay, err)
	return w
}

// run starts a service until the test ends.
func (w *world[T]) run(s lifecycle.Service, err error) {
	w.Helper()
	if err == nil {
		err = s.Start(w.Context())
	}
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { w.stop(s) })
}

func (w *world[T]) stop(s lifecycle.Service) {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		w.Errorf("stop: %v", err)
	}
}

func (w *world[T]) host(c entity.Config) *host {
	w.Helper()
	c.Logger = quiet
	h, err := entity.NewEventSourced(sourcedCounters(w), w.db, c)
	if w.durable {
		h, err = entity.NewDurable(durableCounters(w), w.db, c)
	}
	w.run(h, err)
	return h
}

func (w *world[T]) server(h *host) *entity.Server[T, add, counter, int64] {
	w.Helper()
	s, err := entity.NewServer(h, w.db, w.cluster, serverConfig())
	w.run(s, err)
	return s
}

func serverConfig() entity.ServerConfig[add, int64] {
	return entity.ServerConfig[add, int64]{
		Topic: "counters", Attempts: 2, Backoff: inbox.Backoff{Min: time.Millisecond, Max: 10 * time.Millisecond},
		SessionTimeout: 6 * time.Second, CheckInterval: 50 * time.Millisecond, Logger: quiet,
	}
}

func (w *world[T]) client() *entity.Client[add, int64] {
	w.Helper()
	c, err := entity.NewClient(w.cluster, entity.ClientConfig[add, int64]{Topic: "counters", Logger: quiet})
	w.run(c, err)
	return c
}

func TestServer(t *testing.T) {
	everywhere(t, testServer[*sqlite.Tx], testServer[*postgres.Tx])
}

// testServer has two servers share the topic, and asks over Kafka and directly, the
// same entities at the same time: each command counts once and is answered once.
func testServer[T entity.Tx](t *testing.T, w *world[T]) {
	const entities, askers, each = 5, 4, 15
	first, second := w.host(entity.Config{ConflictRetries: 1000}), w.host(entity.Config{ConflictRetries: 1000})
	w.server(first)
	w.server(second)
	clients := []*entity.Client[add, int64]{w.client(), w.client()}
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	var all sync.WaitGroup
	var mu sync.Mutex
	replies := map[string]map[int64]bool{}
	for n := range askers {
		all.Go(func() {
			for i := range each {
				id := fmt.Sprint("c", (n+i)%entities)
				ask := clients[n%2].Ask
				if n == 0 {
					ask = first.Ask
				}
				reply, err := ask(ctx, id, add{1})
				if err != nil {
					t.Errorf("%s: %v", id, err)
					return
				}
				mu.Lock()
				if replies[id] == nil {
					replies[id] = map[int64]bool{}
				}
				if replies[id][reply] {
					t.Errorf("%s replied %d twice", id, reply)
				}
				replies[id][reply] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	total := int64(0)
	for n := range entities {
		view, err := first.StateAt(ctx, fmt.Sprint("c", n), 0)
		if err != nil {
			t.Fatal(err)
		}
		total += view.State.Value
	}
	if total != askers*each {
		t.Errorf("%d commands count %d", askers*each, total)
	}
	if got := w.records("counted", askers*each); len(got) != askers*each {
		t.Errorf("%d messages of decisions, want %d", len(got), askers*each)
	}
	w.records("counters.replies", (askers-1)*each)
}

// records reads a topic until there are that many, and fails where there are more.
func (w *world[T]) records(topic string, want int) (all []event.Event) {
	w.Helper()
	client, err := kafka.NewClient(w.cluster, kgo.ConsumeTopics(w.cluster.Topic(topic)), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		w.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(w.Context(), soon)
	defer cancel()
	for len(all) < want && ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			e, err := kafka.FromRecord(r)
			if err != nil {
				w.Error(err)
			}
			all = append(all, e)
		})
	}
	if len(all) != want {
		w.Errorf("%s has %d records, want %d", topic, len(all), want)
	}
	return all
}

func TestServerAnswers(t *testing.T) {
	everywhere(t, testServerAnswers[*sqlite.Tx], testServerAnswers[*postgres.Tx])
}

// testServerAnswers refuses what is to be refused, each once.
func testServerAnswers[T entity.Tx](t *testing.T, w *world[T]) {
	h := w.host(entity.Config{})
	w.server(h)
	client := w.client()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if got, err := client.Ask(ctx, "kim", add{5}); got != 5 || err != nil {
		t.Errorf("the reply is %d, %v", got, err)
	}
	if got, err := client.Ask(ctx, "kim", add{0}); got != 5 || err != nil {
		t.Errorf("a reply without a change is %d, %v", got, err)
	}
	var refusal *entity.Refusal
	if _, err := client.Ask(ctx, "kim", add{limit}); !errors.As(err, &refusal) || *refusal != (entity.Refusal{Code: "too-much", Reason: "1000000 is too much"}) {
		t.Errorf("a refusal arrives as %v", err)
	}
	if _, err := client.Ask(ctx, "kim", add{poison}); !errors.Is(err, entity.ErrFailed) {
		t.Errorf("a failure arrives as %v", err)
	}
	if got, err := client.Ask(ctx, "kim", add{1}); got != 6 || err != nil {
		t.Errorf("afterwards the reply is %d, %v", got, err)
	}
	malformed := event.New("counters", "kim", "not a command").WithHeader(entity.HeaderReplyKey, "nobody")
	w.send(malformed, event.New("counters", "kim", "nobody wants to know"))
	if got := w.records("counters.dead-letters", 2); got[0].Payload == nil {
		t.Errorf("the dead letters are %+v", got)
	}
	for _, e := range w.records("counters.replies", 6) {
		if e.CausationID == malformed.ID && e.Headers[entity.HeaderOutcome] != entity.Refused {
			t.Errorf("a malformed command is answered with %+v", e)
		}
	}
}

func (w *world[T]) send(events ...event.Event) {
	w.Helper()
	client, err := kafka.NewClient(w.cluster)
	if err != nil {
		w.Fatal(err)
	}
	defer client.Close()
	for _, e := range events {
		e.Source = "/test"
		if err := client.ProduceSync(w.Context(), kafka.ToRecord(w.cluster.Topic("counters"), e)).FirstErr(); err != nil {
			w.Fatal(err)
		}
	}
}
