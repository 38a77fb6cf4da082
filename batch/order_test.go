package batch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/batch"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// numbered is the n-th item of a key.
type numbered struct {
	key string
	n   int
}

// witness is a flush function that fails at random and holds the Batcher to what
// it promises of keys.
type witness struct {
	mu        sync.Mutex
	random    *rand.Rand
	onePerKey bool
	next      map[string]int
	flying    map[string]bool
	flushes   int
	problems  []string
}

func (w *witness) flush(_ context.Context, items []numbered) ([]batch.Result[int], error) {
	keys := w.begin(items)
	w.mu.Lock()
	defer w.mu.Unlock()
	for key := range keys {
		delete(w.flying, key)
	}
	if w.random.IntN(10) == 0 {
		return nil, errors.New("a failure made up")
	}
	results := make([]batch.Result[int], len(items))
	for i, item := range items {
		if w.next[item.key] != item.n {
			w.problems = append(w.problems, fmt.Sprintf("%v comes when %d is next", item, w.next[item.key]))
		}
		w.next[item.key] = item.n + 1
		results[i].Value = item.n
	}
	return results, nil
}

func (w *witness) begin(items []numbered) map[string]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flushes++
	keys := map[string]bool{}
	for _, item := range items {
		if w.onePerKey && keys[item.key] {
			w.problems = append(w.problems, fmt.Sprintf("key %s twice in a flush", item.key))
		}
		keys[item.key] = true
	}
	for key := range keys {
		if w.flying[key] {
			w.problems = append(w.problems, fmt.Sprintf("key %s in two flushes", key))
		}
		w.flying[key] = true
	}
	return keys
}

func TestKeysKeepTheirOrder(t *testing.T) {
	for _, onePerKey := range []bool{false, true} {
		for _, linger := range []time.Duration{0, time.Millisecond} {
			t.Run(fmt.Sprintf("onePerKey=%v linger=%s", onePerKey, linger), func(t *testing.T) {
				keepsOrder(t, onePerKey, linger)
			})
		}
	}
}

func keepsOrder(t *testing.T, onePerKey bool, linger time.Duration) {
	const keys, each = 20, 300
	w := &witness{random: testenv.Rand(t), onePerKey: onePerKey, next: map[string]int{}, flying: map[string]bool{}}
	b := batch.New(batch.Config[numbered]{
		MaxItems: 16, Linger: linger, Flushes: 4, OnePerKey: onePerKey, Key: func(i numbered) string { return i.key },
		Size: func(numbered) int { return 1 }, MaxPendingBytes: 200, Backoff: batch.Backoff{Min: time.Microsecond, Max: time.Microsecond}, Logger: quiet,
	}, w.flush)
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var senders sync.WaitGroup
	for k := range keys {
		senders.Go(func() { sendInOrder(t, b, "key"+strconv.Itoa(k), each) })
	}
	senders.Wait()
	stop(t, b)
	for _, problem := range w.problems {
		t.Error(problem)
	}
	for k := range keys {
		if got := w.next["key"+strconv.Itoa(k)]; got != each {
			t.Errorf("key %d: %d items came, want %d", k, got, each)
		}
	}
	t.Logf("%d items in %d flushes", keys*each, w.flushes)
}

func sendInOrder(t *testing.T, b *batch.Batcher[numbered, int], key string, count int) {
	results := make([]<-chan batch.Result[int], count)
	for n := range count {
		var err error
		if results[n], err = b.Submit(t.Context(), numbered{key, n}); err != nil {
			t.Error(err)
			return
		}
	}
	for n, r := range results {
		if r := <-r; r.Err != nil || r.Value != n {
			t.Errorf("%s, item %d: %+v", key, n, r)
		}
	}
}
