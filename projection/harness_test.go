package projection_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/projection"
)

const soon = 30 * time.Second

// backend is a store with a view of a text per entity, to which handlers add.
type backend[T projection.Tx] struct {
	store   projection.Store[T]
	concat  func(ctx context.Context, tx T, id, text string) error
	text    func(id string) string
	letters func() []outbox.Message
}

// epoch is the time of the events' beginning.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// ev is an event of an entity, so many milliseconds after epoch.
func ev(id string, seqNr int64, ms int, text string) journal.Event {
	return journal.Event{
		PersistenceID: id, SeqNr: seqNr, Time: epoch.Add(time.Duration(ms) * time.Millisecond),
		Payload: journal.Payload{Serializer: 20, Data: []byte(text)},
	}
}

// evs are events 1 to n of an entity: e1, e2, …
func evs(id string, n int) (all []journal.Event) {
	for i := 1; i <= n; i++ {
		all = append(all, ev(id, int64(i), i, fmt.Sprintf("e%d", i)))
	}
	return all
}

func testLogger() *slog.Logger {
	if os.Getenv("PABAL_TEST_LOG") != "" {
		return slog.Default()
	}
	return slog.New(slog.DiscardHandler)
}

// config is a projection's with short pauses, and one range.
func config[T projection.Tx]() projection.Config[T] {
	return projection.Config[T]{
		Name: "view-" + event.NewID(), Workers: 1,
		Backoff: outbox.Backoff{Min: time.Millisecond, Max: 10 * time.Millisecond},
		Restart: 50 * time.Millisecond, PollInterval: 20 * time.Millisecond, BeatInterval: 20 * time.Millisecond,
		Logger: testLogger(),
	}
}

// start runs a projection until the test ends, or until it is stopped before.
func start[T projection.Tx](t testing.TB, store projection.Store[T], source journal.Reader, c projection.Config[T]) *projection.Projection[T] {
	t.Helper()
	p, err := projection.New(store, source, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, p) })
	return p
}

func stop[T projection.Tx](t testing.TB, p *projection.Projection[T]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	if err := p.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func wait(t testing.TB, what string, condition func() bool) {
	t.Helper()
	testenv.Wait(t, what, soon, condition)
}
