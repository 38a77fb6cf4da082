package batch_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pabal-dev/pabal/batch"
)

func TestNotRunning(t *testing.T) {
	g := newGate()
	b := batch.New(batch.Config[string]{}, g.flush)
	expectStopped := func(when string) {
		t.Helper()
		if _, err := b.Do(t.Context(), "a"); !errors.Is(err, batch.ErrStopped) {
			t.Errorf("%s: Do: %v, want ErrStopped", when, err)
		}
		if err := b.Drain(t.Context()); !errors.Is(err, batch.ErrStopped) {
			t.Errorf("%s: Drain: %v, want ErrStopped", when, err)
		}
		if items, bytes := b.Pending(); items != 0 || bytes != 0 {
			t.Errorf("%s: %d items with %d bytes are pending", when, items, bytes)
		}
	}
	expectStopped("before Start")
	stop(t, b)
	for range 2 { // it starts again
		if err := b.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if b.Start(t.Context()) == nil {
			t.Error("it started twice")
		}
		results := submit(t, b, "a")
		g.expect(t, nil, "a")
		if r := <-results[0]; r.Value != "A" {
			t.Errorf("got %+v", r)
		}
		stop(t, b)
		stop(t, b)
		expectStopped("after Stop")
	}
}

func TestStopFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		b := start(t, batch.Config[string]{Linger: time.Hour, MaxItems: 2, MaxPendingBytes: 4 << 10}, g.flush)
		results := submit(t, b, "a", "b", "c", "d")
		refused := make(chan error, 1)
		go func() {
			_, err := b.Submit(t.Context(), "no room")
			refused <- err
		}()
		g.begins(t, "a", "b")
		synctest.Wait()
		stopped := make(chan error, 1)
		go func() { stopped <- b.Stop(t.Context()) }()
		if err := <-refused; !errors.Is(err, batch.ErrStopped) {
			t.Errorf("who waits for room: %v, want ErrStopped", err)
		}
		if _, err := b.Do(t.Context(), "late"); !errors.Is(err, batch.ErrStopped) {
			t.Errorf("while stopping: %v, want ErrStopped", err)
		}
		g.ends <- nil
		g.begins(t, "c", "d")
		synctest.Wait()
		if len(stopped) != 0 {
			t.Error("stopped before the last flush")
		}
		g.ends <- nil
		if err := <-stopped; err != nil {
			t.Errorf("Stop: %v", err)
		}
		for i, r := range results {
			if r := <-r; r.Err != nil {
				t.Errorf("item %d: %v", i, r.Err)
			}
		}
	})
}

func TestStopGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		b := start(t, batch.Config[string]{MaxItems: 1, Attempts: 1}, g.flush)
		results := submit(t, b, "a", "b")
		g.begins(t, "a")
		drained := make(chan error, 1)
		go func() { drained <- b.Drain(t.Context()) }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop: %v, want the deadline", err)
		}
		if r := <-results[0]; !errors.Is(r.Err, batch.ErrStopped) || !errors.Is(r.Err, context.Canceled) {
			t.Errorf("in flight: %v, want ErrStopped and what its flush said", r.Err)
		}
		if r := <-results[1]; !errors.Is(r.Err, batch.ErrStopped) || errors.Is(r.Err, context.Canceled) {
			t.Errorf("not in flight: %v, want ErrStopped", r.Err)
		}
		if err := <-drained; !errors.Is(err, batch.ErrStopped) {
			t.Errorf("Drain: %v, want ErrStopped", err)
		}
	})
}

// TestStopDoesNotWaitForTheBackoff: a batch that waits to be tried again is tried at
// once, and after that with back-off until Stop gives up.
func TestStopDoesNotWaitForTheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		b := start(t, batch.Config[string]{Backoff: batch.Backoff{Min: time.Hour, Max: time.Hour}}, g.flush)
		results := submit(t, b, "a")
		g.expect(t, errAway, "a")
		synctest.Wait()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		stopped := make(chan error, 1)
		go func() { stopped <- b.Stop(ctx) }()
		g.expect(t, errAway, "a")
		if waited := time.Since(began); waited != 0 {
			t.Errorf("tried again after %s, want at once", waited)
		}
		if err := <-stopped; !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("Stop: %v after %s", err, time.Since(began))
		}
		if r := <-results[0]; !errors.Is(r.Err, batch.ErrStopped) || !errors.Is(r.Err, errAway) {
			t.Errorf("the item: %v, want ErrStopped and the last error", r.Err)
		}
	})
}

// TestCallersOfWhatWasGivenUpComeBack at once, with entries that Stop has just answered.
func TestCallersOfWhatWasGivenUpComeBack(t *testing.T) {
	hang := func(ctx context.Context, items []string) ([]batch.Result[string], error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	b := start(t, batch.Config[string]{MaxItems: 1, Flushes: 1, Attempts: 1}, hang)
	const callers = 200
	var waiting sync.WaitGroup
	for range callers {
		waiting.Go(func() {
			for range 2 {
				if _, err := b.Do(t.Context(), "a"); !errors.Is(err, batch.ErrStopped) {
					t.Errorf("got %v, want ErrStopped", err)
				}
			}
		})
	}
	for n := 0; n < callers; n, _ = b.Pending() {
		runtime.Gosched()
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Stop(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Stop: %v", err)
	}
	waiting.Wait()
}

// TestPanicOfAFlushInItsCaller goes on to the caller, and holds nobody up.
func TestPanicOfAFlushInItsCaller(t *testing.T) {
	first := true
	b := batch.New(batch.Config[string]{Key: func(s string) string { return s }, OnePerKey: true, InCaller: true, Attempts: 1, Flushes: 1},
		func(context.Context, []string) ([]batch.Result[int], error) {
			if first {
				first = false
				panic("flush")
			}
			return nil, nil
		})
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() {
			if got := recover(); got != "flush" {
				t.Errorf("recovered %v", got)
			}
		}()
		_, err := b.Do(t.Context(), "a")
		t.Errorf("it returned %v", err)
	}()
	if _, err := b.Do(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	if err := b.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
