package journal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/batch"
	"github.com/pabal-dev/pabal/journal"
)

var quiet = slog.New(slog.DiscardHandler)

func writer(t *testing.T, s journal.Store, c journal.WriterConfig) *journal.Writer {
	t.Helper()
	c.Logger = quiet
	w := journal.NewWriter(s, c)
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func stop(t *testing.T, w *journal.Writer) {
	t.Helper()
	if err := w.Stop(context.Background()); err != nil {
		t.Errorf("Stop: %v", err)
	}
}

// oneEvent is a write of one event by that writer.
func oneEvent(id string, after int64, by, data string) journal.Write {
	return journal.Write{PersistenceID: id, After: after, Writer: by, Events: []journal.NewEvent{{Payload: payload(data)}}}
}

func payload(data string) journal.Payload { return journal.Payload{Serializer: 20, Data: []byte(data)} }

func TestWritesOfDifferentEntitiesShareAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemStore()
		s.hold = make(chan struct{})
		w := writer(t, s, journal.WriterConfig{Groups: 1})
		defer stop(t, w)
		results := make(chan error, 100)
		send := func(id string, after int64) {
			go func() {
				_, err := w.Append(t.Context(), oneEvent(id, after, "w", "x"))
				results <- err
			}()
			synctest.Wait()
		}
		send("a|1", 0)
		for n := range 5 {
			send(fmt.Sprint("b|", n), 0)
		}
		send("b|0", 1) // never in one group with its predecessor
		send("b|0", 7) // a conflict, which fails nobody else
		send("c|1", 0)
		for range 4 {
			s.hold <- struct{}{}
			synctest.Wait()
		}
		conflicts := 0
		for range 9 {
			if err := <-results; errors.Is(err, journal.ErrConflict) {
				conflicts++
			} else if err != nil {
				t.Error(err)
			}
		}
		want := [][]string{{"a|1"}, {"b|0", "b|1", "b|2", "b|3", "b|4", "c|1"}, {"b|0"}, {"b|0"}}
		if conflicts != 1 || !slices.EqualFunc(s.groups, want, slices.Equal) {
			t.Errorf("%d conflicts, groups %v; want 1, %v", conflicts, s.groups, want)
		}
	})
}

func TestGroupsAtATime(t *testing.T) {
	for _, test := range []struct {
		single bool
		config int
		want   int
	}{{false, 0, 4}, {true, 0, 1}, {true, 3, 3}} {
		synctest.Test(t, func(t *testing.T) {
			s := newMemStore()
			s.single, s.hold = test.single, make(chan struct{})
			w := writer(t, s, journal.WriterConfig{Groups: test.config})
			for n := range 10 {
				go w.Append(t.Context(), oneEvent(fmt.Sprint("a|", n), 0, "w", "x"))
			}
			synctest.Wait()
			s.mu.Lock()
			got := len(s.groups)
			s.mu.Unlock()
			if got != test.want {
				t.Errorf("%+v: %d groups at a time", test, got)
			}
			close(s.hold)
			stop(t, w)
		})
	}
}

func TestBadWrites(t *testing.T) {
	w := writer(t, newMemStore(), journal.WriterConfig{})
	defer stop(t, w)
	for _, write := range []journal.Write{oneEvent("", 0, "w", "x"), oneEvent("a|\xff", 0, "w", "x"), oneEvent("a|1", -1, "w", "x"), {PersistenceID: "a|1"}} {
		if _, err := w.Append(t.Context(), write); err == nil || errors.Is(err, journal.ErrUnknown) {
			t.Errorf("%+v: got %v", write, err)
		}
	}
	for _, write := range []journal.StateWrite{{PersistenceID: "", Revision: 1}, {PersistenceID: "a|1", Revision: 0}} {
		if _, err := w.WriteState(t.Context(), write); err == nil || errors.Is(err, journal.ErrUnknown) {
			t.Errorf("%+v: got %v", write, err)
		}
	}
	large := oneEvent("a|1", 0, "w", strings.Repeat("x", 65<<20))
	if _, err := w.Append(t.Context(), large); !errors.Is(err, batch.ErrTooLarge) || !strings.Contains(err.Error(), "a|1") {
		t.Errorf("65 MiB: %v, want ErrTooLarge with the id", err)
	}
}

func TestWriterConfigurationIsChecked(t *testing.T) {
	for _, c := range []journal.WriterConfig{
		{MaxWrites: -1}, {MaxBytes: -1}, {Linger: -1}, {Groups: -1}, {MaxPendingBytes: -1}, {Timeout: -1}, {Backoff: batch.Backoff{Max: -1}},
	} {
		if err := journal.NewWriter(newMemStore(), c).Start(t.Context()); !errors.Is(err, batch.ErrConfig) {
			t.Errorf("%+v: got %v, want ErrConfig", c, err)
		}
	}
}

func TestAnotherDatabaseErrorIsTheWrites(t *testing.T) {
	w := writer(t, newMemStore(broken), journal.WriterConfig{})
	defer stop(t, w)
	_, err := w.Append(t.Context(), oneEvent("a|1", 0, "w", "x"))
	if !errors.Is(err, errBroken) || errors.Is(err, journal.ErrUnknown) || !strings.Contains(err.Error(), "a|1") {
		t.Errorf("got %v, want the database's error with the id", err)
	}
}

func TestStopAndCallersWhoLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemStore(hang)
		w := writer(t, s, journal.WriterConfig{Groups: 1, MaxPendingBytes: 600})
		results := map[string]chan error{}
		send := func(name, id string, patience time.Duration) {
			result := make(chan error, 1)
			results[name] = result
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			go func() {
				defer cancel()
				_, err := w.Append(ctx, oneEvent(id, 0, "w", "x"))
				result <- err
			}()
			synctest.Wait()
		}
		send("in flight", "a|1", time.Hour)
		send("left", "a|2", time.Second)
		send("no room", "a|3", time.Second)
		time.Sleep(2 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop: %v", err)
		}
		send("late", "a|4", time.Hour)
		for name, want := range map[string]struct {
			is    error
			knows bool
		}{
			"in flight": {batch.ErrStopped, false}, "left": {context.DeadlineExceeded, false},
			"no room": {context.DeadlineExceeded, true}, "late": {batch.ErrStopped, true},
		} {
			err := <-results[name]
			if !errors.Is(err, want.is) || errors.Is(err, journal.ErrUnknown) == want.knows {
				t.Errorf("%s: got %v, want %v, known: %v", name, err, want.is, want.knows)
			}
		}
	})
}

func TestWriterMetrics(t *testing.T) {
	set := metrics.NewSet()
	w := writer(t, newMemStore(lose, none, none), journal.WriterConfig{Metrics: set})
	defer stop(t, w)
	if _, err := w.Append(t.Context(), oneEvent("a|1", 0, "w", "x")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Append(t.Context(), oneEvent("a|1", 0, "w", "x")); !errors.Is(err, journal.ErrConflict) {
		t.Fatal(err)
	}
	var text strings.Builder
	set.WritePrometheus(&text)
	for name, want := range map[string]int{"groups": 3, "writes": 3, "conflicts": 1, "retries": 1, "lost_answers_found": 1, "unknown": 0} {
		if line := fmt.Sprintf("pabal_journal_%s_total{kind=\"events\"} %d\n", name, want); !strings.Contains(text.String(), line) {
			t.Errorf("no %q in\n%s", line, text.String())
		}
	}
}
