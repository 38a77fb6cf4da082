package sink_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/streams/sink"
)

// memory is a Target that can be away, answer nothing, and forget.
type memory struct {
	mu        sync.Mutex
	rows      map[string]string
	positions map[string]int64
	trouble   func() (before, after error) // of a step; nil is none
	refused   int32                        // a partition whose steps fail; 0 is none
	steps     int
}

func newMemory() *memory {
	return &memory{rows: map[string]string{}, positions: map[string]int64{}}
}

func (m *memory) Positions(_ context.Context, name, topic string, partitions []int32) (map[int32]int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.trouble != nil {
		if err, _ := m.trouble(); err != nil {
			return nil, err
		}
	}
	out := map[int32]int64{}
	for _, p := range partitions {
		if at, ok := m.positions[fmt.Sprint(name, topic, p)]; ok {
			out[p] = at
		}
	}
	return out, nil
}

func (m *memory) Apply(_ context.Context, b sink.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var after error
	if m.trouble != nil {
		var before error
		if before, after = m.trouble(); before != nil {
			return before
		}
	}
	if m.refused != 0 && b.Partition == m.refused {
		return errAway
	}
	name := fmt.Sprint(b.Sink, b.Topic, b.Partition)
	at, ok := m.positions[name]
	if !ok {
		at = sink.None
	}
	if at != b.From {
		return fmt.Errorf("at %d: %w", at, sink.ErrMoved)
	}
	if b.To <= b.From {
		return errors.New("it does not go on")
	}
	m.steps++
	for _, c := range b.Changes {
		if c.Value == nil {
			delete(m.rows, string(c.Key))
		} else {
			m.rows[string(c.Key)] = string(c.Value)
		}
	}
	m.positions[name] = b.To
	return after
}

func (m *memory) contents(testing.TB) map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.rows)
}

func (m *memory) forget(testing.TB) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.rows)
	clear(m.positions)
}

func (m *memory) set(trouble func() (before, after error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trouble = trouble
}
