package feed_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/debezium/feed"
)

// sized items are as large as they say.
func sized(n *int) int { return *n }

// TestQueueIsBounded in bytes: who puts waits while it is full, but for what is too large alone.
func TestQueueIsBounded(t *testing.T) {
	q := feed.NewQueue(10, 100, sized)
	if !q.Offer([]int{50}) {
		t.Fatal("an empty queue has no room")
	}
	if q.Offer([]int{1}) {
		t.Error("a full queue has room")
	}
	put := make(chan error, 1)
	go func() { put <- q.Put(t.Context(), []int{4, 5}) }()
	for _, want := range [][]int{{50}, {4, 5}} {
		if got, ended, err := q.Take(t.Context(), 10, time.Minute); err != nil || ended || !slices.Equal(got, want) {
			t.Errorf("took %v, %t, %v", got, ended, err)
		}
	}
	if err := <-put; err != nil {
		t.Error(err)
	}
}

// TestQueueIsBoundedInItems however small they are.
func TestQueueIsBoundedInItems(t *testing.T) {
	q := feed.NewQueue(1000, 3, sized)
	if !q.Offer([]int{1, 1}) || q.Offer([]int{1, 1}) || !q.Offer([]int{1}) {
		t.Error("three items are not the bound")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Put(ctx, []int{1}); !errors.Is(err, context.Canceled) {
		t.Errorf("waits in vain: %v", err)
	}
}

// TestTake at most so many, in order, and the end after the last one.
func TestTake(t *testing.T) {
	q, broken := feed.NewQueue(1000, 10, sized), errors.New("broken")
	if items, ended, err := q.Take(t.Context(), 10, time.Millisecond); len(items) > 0 || ended || err != nil {
		t.Errorf("took %v, %t, %v of nothing", items, ended, err)
	}
	q.Offer([]int{1, 2, 3})
	q.End(broken)
	for _, want := range [][]int{{1, 2}, {3}} {
		if got, ended, err := q.Take(t.Context(), 2, time.Minute); err != nil || ended || !slices.Equal(got, want) {
			t.Errorf("took %v, %t, %v", got, ended, err)
		}
	}
	for range 2 {
		if _, ended, err := q.Take(t.Context(), 2, time.Minute); !ended || !errors.Is(err, broken) {
			t.Errorf("the end is %t, %v", ended, err)
		}
	}
}

// TestTakenMakesRoom for as many bytes as were taken.
func TestTakenMakesRoom(t *testing.T) {
	q := feed.NewQueue(10, 10, sized)
	q.Offer([]int{5, 5})
	if _, _, err := q.Take(t.Context(), 1, time.Minute); err != nil {
		t.Fatal(err)
	}
	<-q.Room()
	if q.Offer([]int{6}) || !q.Offer([]int{5}) {
		t.Error("there is not room for 5 bytes")
	}
}
