package batch_test

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

	"github.com/pabal-dev/pabal/batch"
	"github.com/pabal-dev/pabal/lifecycle"
)

var _ lifecycle.Service = (*batch.Batcher[int, int])(nil)

var quiet = slog.New(slog.DiscardHandler)

// gate is a flush function that waits for the test to say what became of it.
type gate struct {
	began chan []string
	ends  chan error
}

func newGate() *gate { return &gate{make(chan []string), make(chan error)} }

func (g *gate) flush(ctx context.Context, items []string) ([]batch.Result[string], error) {
	select {
	case g.began <- slices.Clone(items):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case err := <-g.ends:
		if err != nil {
			return nil, err
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	results := make([]batch.Result[string], len(items))
	for i, item := range items {
		results[i].Value = strings.ToUpper(item)
		if item == "bad" {
			results[i] = batch.Result[string]{Err: errBad}
		}
	}
	return results, nil
}

// expect waits for a flush of these items and ends it.
func (g *gate) expect(t *testing.T, err error, items ...string) {
	t.Helper()
	g.begins(t, items...)
	g.ends <- err
}

func (g *gate) begins(t *testing.T, items ...string) {
	t.Helper()
	if got := <-g.began; !slices.Equal(got, items) {
		t.Fatalf("flush of %v, want %v", got, items)
	}
}

var errBad, errAway = errors.New("bad"), errors.New("database away")

func start(t *testing.T, c batch.Config[string], flush func(context.Context, []string) ([]batch.Result[string], error)) *batch.Batcher[string, string] {
	t.Helper()
	c.Logger = quiet
	b := batch.New(c, flush)
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

func stop(t *testing.T, b lifecycle.Service) {
	t.Helper()
	if err := b.Stop(context.Background()); err != nil {
		t.Errorf("Stop: %v", err)
	}
}

func submit(t *testing.T, b *batch.Batcher[string, string], items ...string) (results []<-chan batch.Result[string]) {
	t.Helper()
	for _, item := range items {
		r, err := b.Submit(t.Context(), item)
		if err != nil {
			t.Fatalf("Submit(%q): %v", item, err)
		}
		results = append(results, r)
	}
	return results
}

func TestEachItemHasItsOwnResult(t *testing.T) {
	g := newGate()
	b := start(t, batch.Config[string]{MaxItems: 3, Linger: time.Hour}, g.flush)
	defer stop(t, b)
	results := submit(t, b, "a", "bad", "c")
	g.expect(t, nil, "a", "bad", "c")
	if r := <-results[0]; r.Value != "A" || r.Err != nil {
		t.Errorf("a: %+v", r)
	}
	if r := <-results[1]; !errors.Is(r.Err, errBad) {
		t.Errorf("bad: %+v", r)
	}
	if r := <-results[2]; r.Value != "C" || r.Err != nil {
		t.Errorf("c: %+v", r)
	}
}

func TestTheFirstItemLingersAndNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		b := start(t, batch.Config[string]{MaxItems: 100, Linger: 3 * time.Second}, g.flush)
		defer stop(t, b)
		began := time.Now()
		submit(t, b, "a")
		time.Sleep(2 * time.Second)
		submit(t, b, "b")
		g.begins(t, "a", "b")
		if waited := time.Since(began); waited != 3*time.Second {
			t.Errorf("flushed after %s, want 3s", waited)
		}
		submit(t, b, "c")
		began = time.Now()
		g.ends <- nil
		g.expect(t, nil, "c")
		if waited := time.Since(began); waited != 3*time.Second {
			t.Errorf("the next one after %s, want 3s", waited)
		}
	})
}

func TestWithoutLingerWhatGathersGoesTogether(t *testing.T) {
	g := newGate()
	b := start(t, batch.Config[string]{}, g.flush)
	defer stop(t, b)
	submit(t, b, "a")
	g.begins(t, "a")
	submit(t, b, "b", "c", "d")
	g.ends <- nil
	g.expect(t, nil, "b", "c", "d")
}

func TestFailedFlushKeepsItsBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		b := start(t, batch.Config[string]{MaxItems: 2, Backoff: batch.Backoff{Min: time.Second, Max: 4 * time.Second}}, g.flush)
		defer stop(t, b)
		results := submit(t, b, "a", "b")
		g.expect(t, errAway, "a")
		for _, most := range []time.Duration{1, 2, 4, 4} {
			failed := time.Now()
			g.expect(t, errAway, "a")
			if waited := time.Since(failed); waited < most*time.Second/2 || waited > most*time.Second {
				t.Errorf("tried again after %s, want %ds or half of it", waited, most)
			}
		}
		g.expect(t, nil, "a")
		g.expect(t, nil, "b")
		for i, r := range results {
			if r := <-r; r.Err != nil {
				t.Errorf("item %d: %v", i, r.Err)
			}
		}
	})
}

func TestAttemptsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		b := start(t, batch.Config[string]{Attempts: 2}, g.flush)
		defer stop(t, b)
		results := submit(t, b, "a")
		g.expect(t, errors.New("first"), "a")
		g.expect(t, errAway, "a")
		if r := <-results[0]; !errors.Is(r.Err, errAway) {
			t.Errorf("got %v, want the last error", r.Err)
		}
		results = submit(t, b, "b")
		g.expect(t, nil, "b")
		if r := <-results[0]; r.Err != nil {
			t.Errorf("the next batch: %v", r.Err)
		}
	})
}

func TestWrongNumberOfResults(t *testing.T) {
	b := start(t, batch.Config[string]{}, func(context.Context, []string) ([]batch.Result[string], error) {
		return make([]batch.Result[string], 2), nil
	})
	defer stop(t, b)
	if _, err := b.Do(t.Context(), "a"); !errors.Is(err, batch.ErrResults) {
		t.Errorf("got %v, want ErrResults", err)
	}
}

func TestNoResultsAreSuccess(t *testing.T) {
	b := start(t, batch.Config[string]{}, func(context.Context, []string) ([]batch.Result[string], error) { return nil, nil })
	defer stop(t, b)
	if v, err := b.Do(t.Context(), "a"); v != "" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
}

func TestBytesAreBounded(t *testing.T) {
	g := newGate()
	size := func(s string) int { return len(s) }
	b := start(t, batch.Config[string]{MaxBytes: 4, MaxPendingBytes: 10, Size: size}, g.flush)
	defer stop(t, b)
	if _, err := b.Do(t.Context(), "more than ten"); !errors.Is(err, batch.ErrTooLarge) || !strings.Contains(err.Error(), "13") {
		t.Errorf("got %v, want ErrTooLarge and the size", err)
	}
	submit(t, b, "aa", "larger", "bb")
	if items, bytes := b.Pending(); items != 3 || bytes != 10 {
		t.Errorf("%d items with %d bytes are pending, want 3 with 10", items, bytes)
	}

	impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := b.Submit(impatient, "c"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without room: %v", err)
	}
	waited := make(chan error)
	go func() {
		_, err := b.Submit(t.Context(), "d")
		waited <- err
	}()
	select {
	case err := <-waited:
		t.Errorf("it did not wait for room: %v", err)
	default:
	}
	g.expect(t, nil, "aa")
	if err := <-waited; err != nil {
		t.Errorf("with room: %v", err)
	}
	g.expect(t, nil, "larger")
	g.expect(t, nil, "bb", "d")
}

func TestCallersWhoDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		b := start(t, batch.Config[string]{}, g.flush)
		defer stop(t, b)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.Do(ctx, "a"); !errors.Is(err, batch.ErrUnanswered) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want ErrUnanswered and the deadline", err)
		}
		g.expect(t, nil, "a")
		if _, err := b.Do(ctx, "b"); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, batch.ErrUnanswered) {
			t.Errorf("who left before: %v, want the deadline only", err)
		}
		if items, _ := b.Pending(); items != 0 {
			t.Errorf("%d items were accepted", items)
		}
	})
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		b := start(t, batch.Config[string]{Linger: time.Hour}, g.flush)
		defer stop(t, b)
		if err := b.Drain(t.Context()); err != nil {
			t.Errorf("nothing to drain: %v", err)
		}
		results := submit(t, b, "a", "b")
		drained := make(chan error, 1)
		go func() { drained <- b.Drain(t.Context()) }()
		g.begins(t, "a", "b")
		synctest.Wait()
		if len(drained) != 0 {
			t.Error("drained before the flush is done")
		}
		g.ends <- nil
		if err := <-drained; err != nil || len(results[0]) != 1 || len(results[1]) != 1 {
			t.Errorf("drained with %v; results are there: %d, %d", err, len(results[0]), len(results[1]))
		}

		submit(t, b, "c")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("drain whose caller left: %v", err)
		}
		g.expect(t, nil, "c")
	})
}

func TestConfigurationIsChecked(t *testing.T) {
	nothing := func(context.Context, []string) ([]batch.Result[string], error) { return nil, nil }
	for name, c := range map[string]batch.Config[string]{
		"items": {MaxItems: -1}, "bytes": {MaxBytes: -1}, "pending": {MaxPendingBytes: -1}, "flushes": {Flushes: -1},
		"attempts": {Attempts: -1}, "linger": {Linger: -1}, "backoff": {Backoff: batch.Backoff{Min: -1}}, "key": {OnePerKey: true},
	} {
		c.Name = name
		if err := batch.New(c, nothing).Start(t.Context()); !errors.Is(err, batch.ErrConfig) || !strings.Contains(fmt.Sprint(err), name) {
			t.Errorf("%s: got %v, want ErrConfig with the name", name, err)
		}
	}
}
