package smt

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/pabal-dev/pabal/connect/data"
)

// Cache keeps what was made of schemas by their addresses, so that records with the same schema
// get the same one again: converters remember schemas by address, too. It is safe for use by many
// goroutines, and reading takes no lock.
type Cache[T any] struct {
	all atomic.Pointer[map[*data.Schema]T]
	mu  sync.Mutex
}

// most is how many schemas are kept; a process has about as many as tables. All go at once.
const most = 1000

// Of is what was made of s, by make where it is the first time.
func (c *Cache[T]) Of(s *data.Schema, make func(*data.Schema) (T, error)) (T, error) {
	if all := c.all.Load(); all != nil {
		if made, ok := (*all)[s]; ok {
			return made, nil
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[*data.Schema]T{}
	if old := c.all.Load(); old != nil {
		if made, ok := (*old)[s]; ok {
			return made, nil
		}
		if len(*old) < most {
			all = maps.Clone(*old)
		}
	}
	made, err := make(s)
	if err == nil {
		all[s] = made
		c.all.Store(&all)
	}
	return made, err
}
