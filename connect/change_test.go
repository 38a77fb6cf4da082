package connect_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// TestAnyWorkerTakesChanges: workers that change the same connector at the same time lose no
// change, and only one of them creates it.
func TestAnyWorkerTakesChanges(t *testing.T) {
	k := kafkatest.Start(t).Config
	var workers []*connect.Worker
	for n := range 3 {
		workers = append(workers, start(t, k, fmt.Sprintf("w%d", n), &numbers{}))
	}
	for _, w := range workers {
		joined(t, w)
	}
	base := map[string]string{"connector.class": numbersClass, "topic": "t", "count": "0"}
	created := together(workers, func(_ int, w *connect.Worker) error {
		_, err := w.Create(t.Context(), "c", base, connect.Paused)
		return err
	})
	made := 0
	for _, err := range created {
		switch {
		case err == nil:
			made++
		case !errors.Is(err, connect.ErrConflict):
			t.Error(err)
		}
	}
	if made != 1 {
		t.Fatalf("%d workers have created it", made)
	}
	const each = 5
	for _, err := range together(workers, func(n int, w *connect.Worker) error {
		for i := range each {
			key, value := fmt.Sprintf("w%d.%d", n, i), strconv.Itoa(i)
			if _, err := w.Patch(t.Context(), "c", map[string]*string{key: &value}); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	want := maps.Clone(base)
	want["name"] = "c"
	for n := range workers {
		for i := range each {
			want[fmt.Sprintf("w%d.%d", n, i)] = strconv.Itoa(i)
		}
	}
	for n, w := range workers {
		var got connect.ConnectorInfo
		testenv.Wait(t, fmt.Sprintf("worker %d to know all", n), 30*time.Second, func() bool {
			got, _ = w.Info("c")
			return len(got.Config) >= len(want)
		})
		if !maps.Equal(got.Config, want) {
			t.Errorf("worker %d has %v, want %v", n, got.Config, want)
		}
	}
}

// TestResetAndResume: one worker resets the offsets while another one resumes the connector. It
// begins anew where the first was told so, and else goes on.
func TestResetAndResume(t *testing.T) {
	k := kafkatest.Start(t).Config
	a, b := start(t, k, "a", &numbers{}), start(t, k, "b", &numbers{})
	joined(t, b)
	create(t, a, "c", map[string]string{"connector.class": numbersClass, "topic": "t", "count": "3"})
	want := []int64{1, 2, 3}
	got := numbersIn(t, k, "t", len(want))
	for round := range 10 {
		if err := a.SetTarget(t.Context(), "c", connect.Stopped); err != nil {
			t.Fatal(err)
		}
		errs := together([]*connect.Worker{a, b}, func(n int, w *connect.Worker) error {
			if n == 0 {
				_, err := w.ResetOffsets(t.Context(), "c")
				return err
			}
			return w.SetTarget(t.Context(), "c", connect.Started)
		})
		switch {
		case errs[1] != nil:
			t.Fatal(errs[1])
		case errs[0] == nil:
			want = append(want, 1, 2, 3)
		case !errors.Is(errs[0], connect.ErrInvalid):
			t.Fatalf("round %d: %v", round, errs[0])
		}
		awaitState(t, a, "c", "RUNNING")
		if got = numbersIn(t, k, "t", len(want)); !slices.Equal(got, want) {
			t.Fatalf("round %d: the topic has %v, want %v", round, got, want)
		}
	}
}

// together runs do for each worker at the same time.
func together(workers []*connect.Worker, do func(n int, w *connect.Worker) error) []error {
	errs := make([]error, len(workers))
	var all sync.WaitGroup
	for n, w := range workers {
		all.Go(func() { errs[n] = do(n, w) })
	}
	all.Wait()
	return errs
}

// TestChangeThatIsTooSlow: a change gives up with its context, and nothing of it is stored.
func TestChangeThatIsTooSlow(t *testing.T) {
	k := kafkatest.Start(t).Config
	w := start(t, k, "w", &numbers{})
	joined(t, w)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Create(ctx, "c", map[string]string{"connector.class": numbersClass, "topic": "t", "count": "0"}, connect.Started); !errors.Is(err, connect.ErrUnready) {
		t.Errorf("the error is %v", err)
	}
	if _, err := w.Info("c"); !errors.Is(err, connect.ErrNotFound) {
		t.Errorf("the error is %v", err)
	}
}
