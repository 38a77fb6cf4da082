package lens

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// asking does questions to services at the same time, a bounded number of them,
// and gathers what could not be asked.
type asking struct {
	running sync.WaitGroup
	tokens  chan struct{}

	mu    sync.Mutex
	notes []string
}

// mostAsked is how many questions are under way at a time.
const mostAsked = 16

func newAsking() *asking { return &asking{tokens: make(chan struct{}, mostAsked)} }

// ask runs a question; keep is called with what it returned, or failed (where not
// nil) with why it did not, by one at a time.
func ask[T any](a *asking, ctx context.Context, about string, question func(context.Context) (T, error), keep func(T), failed func(reason string)) {
	a.running.Go(func() {
		answer, err := one(a, ctx, question)
		a.mu.Lock()
		defer a.mu.Unlock()
		if err == nil {
			keep(answer)
			return
		}
		reason := fmt.Sprintf("%s cannot be asked: %v", about, reasonOf(ctx, err))
		a.notes = append(a.notes, reason)
		if failed != nil {
			failed(reason)
		}
	})
}

// one waits for its turn.
func one[T any](a *asking, ctx context.Context, question func(context.Context) (T, error)) (answer T, err error) {
	select {
	case a.tokens <- struct{}{}:
		defer func() { <-a.tokens }()
		return question(ctx)
	case <-ctx.Done():
		return answer, ctx.Err()
	}
}

// wait returns the notes, sorted.
func (a *asking) wait() []string {
	a.running.Wait()
	slices.Sort(a.notes)
	return slices.Compact(a.notes)
}

// reasonOf puts a time-out, which every layer says in its own words, in plain ones.
func reasonOf(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer in time")
	}
	return err
}
