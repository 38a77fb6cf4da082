package registry_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/faults/wire"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/kafka/registry"
)

// TestKilledAtEveryWrite: an instance that is gone before or after any of the requests by which it
// writes what it registers leaves what others go on from: no id is given twice or left out.
func TestKilledAtEveryWrite(t *testing.T) {
	for _, answered := range []bool{false, true} {
		for n, struck := 1, true; struck && n < 60; n++ {
			t.Run(fmt.Sprintf("answered=%v/%d", answered, n), func(t *testing.T) { struck = killedAt(t, n, answered) })
			if t.Failed() {
				return
			}
		}
	}
}

// writes are the requests that change something.
var writes = []string{"InitProducerID", "AddPartitionsToTxn", "Produce", "EndTxn"}

// strike ends everything at one request.
type strike struct {
	mu       sync.Mutex
	left     int // writes until then; 0 is not armed
	answered bool
	done     bool
	kill     func()
}

func (s *strike) arm(n int, kill func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left, s.kill = n, kill
}

func (s *strike) watch(p wire.Point) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return false
	}
	if s.left == 0 || p.Answered != s.answered || !slices.Contains(writes, p.Op) {
		return true
	}
	if s.left--; s.left > 0 {
		return true
	}
	s.done = true
	s.kill()
	return false
}

func (s *strike) struck() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

func killedAt(t *testing.T, n int, answered bool) bool {
	cluster := kafkatest.Start(t)
	s := &strike{answered: answered}
	proxy, err := wire.Listen(cluster.Addr(), wire.Kafka, s.watch)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	through := cluster.Config
	through.Brokers = []string{proxy.Addr()}
	doomed, other := start(t, registry.Config{Kafka: through}), start(t, registry.Config{Kafka: cluster.Config})

	ids := map[string]int{}
	add := func(s *server, subject, text string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		id, err := register(ctx, s.url, subject, text)
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := ids[text]; ok && before != id {
			t.Errorf("%s has the ids %d and %d", text, before, id)
		}
		ids[text] = id
	}
	add(doomed, "a", `"int"`)
	add(other, "b", `"long"`) // takes the writing over, so that the doomed one begins anew
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	s.arm(n, kill)
	if id, err := register(ctx, doomed.url, "c", `"string"`); err == nil {
		ids[`"string"`] = id // whoever was answered keeps it
	}
	struck := s.struck()
	s.arm(0, nil)
	add(other, "d", `"bytes"`)
	add(other, "e", `"string"`)
	again := start(t, registry.Config{Kafka: cluster.Config})
	add(again, "c", `"string"`)
	add(again, "f", `"float"`)
	all := []int{}
	for _, id := range ids {
		all = append(all, id)
	}
	slices.Sort(all)
	if !slices.Equal(all, []int{1, 2, 3, 4, 5}) {
		t.Errorf("the ids are %v", ids)
	}
	return struck
}
