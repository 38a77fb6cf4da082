package redis_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage/redis"
	"github.com/pabal-dev/pabal/storage/sqlite"
	"github.com/pabal-dev/pabal/storage/storagetest"
)

// named is an event whose text is the document's name; of an empty one it is deleted.
func named(e projection.Envelope) (string, any, error) {
	if name := string(e.Payload.Data); name != "" {
		return e.PersistenceID, storagetest.Document{Name: name}, nil
	}
	return e.PersistenceID, nil, nil
}

// TestRedisRestartsUnderAProjection: killed three times while events are written, it has
// all of them in the end, and no event failed or was skipped, though OnFailure is Skip.
func TestRedisRestartsUnderAProjection(t *testing.T) {
	random := testenv.Rand(t)
	server := testenv.StartRedis(t)
	quiet := slog.New(slog.DiscardHandler)
	ctx := t.Context()
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "events.db"), sqlite.Config{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	view := newView(t, open(t, server.URL), redis.ViewConfig{})
	p, err := projection.New(db, db, projection.Config[*sqlite.Tx]{
		Name: "names", Query: journal.Query{EntityType: "thing"}, Outside: view.Handler(named), GroupSize: 20,
		OnFailure: projection.Skip, PollInterval: 50 * time.Millisecond, Logger: quiet,
		Backoff: outbox.Backoff{Min: 5 * time.Millisecond, Max: 100 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stopping, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := p.Stop(stopping); err != nil {
			t.Error(err)
		}
	})

	const ids, rounds, each = 7, 4, 60
	last, seqNr := map[string]string{}, map[string]int64{}
	for round := range rounds {
		for n := range each {
			id, name := fmt.Sprint("thing|", random.IntN(ids)), fmt.Sprint(round, "-", n)
			if random.IntN(5) == 0 {
				name = ""
			}
			_, err := db.AppendGroup(ctx, []journal.Write{{
				PersistenceID: id, After: seqNr[id], Writer: event.NewID(),
				Events: []journal.NewEvent{{Payload: journal.Payload{Serializer: 20, Data: []byte(name)}}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			seqNr[id]++
			last[id] = name
			if n == each/2 && round > 0 {
				if err := server.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := server.Restart(ctx); err != nil { // while the projection wants to write
			t.Fatal(err)
		}
	}
	testenv.Wait(t, "all events are handled", time.Minute, func() bool { return p.Stats().Handled >= rounds*each })
	for id, name := range last {
		is(t, view, id, name)
	}
	if s := p.Stats(); s.Skipped+s.Failed > 0 {
		t.Errorf("stats %+v", s)
	}

	// What a flush lost comes back with a reset.
	if err := errors.Join(view.Clear(ctx), db.Reset(ctx, "names", nil)); err != nil {
		t.Fatal(err)
	}
	testenv.Wait(t, "the view is there again", time.Minute, func() bool {
		for id, name := range last {
			var d storagetest.Document
			if _, _, err := view.Get(ctx, id, &d); err != nil || d.Name != name {
				return false
			}
		}
		return true
	})
}

// TestAway: what fails meanwhile says that Redis is to blame.
func TestAway(t *testing.T) {
	server := testenv.StartRedis(t)
	view := newView(t, open(t, server.URL), redis.ViewConfig{})
	put(t, view, "a", 1, "one")
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := view.Put(t.Context(), "a", 2, "d"); !errors.Is(err, projection.ErrUnavailable) {
		t.Errorf("a killed server: %v", err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	is(t, view, "a", "one")
	put(t, view, "a", 2, "two")
	is(t, view, "a", "two")

	// Full: the document is not to blame.
	if err := open(t, server.URL).Client().ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if err := view.Put(t.Context(), "b", 1, "d"); !errors.Is(err, projection.ErrUnavailable) {
		t.Errorf("a full server: %v", err)
	}
}
