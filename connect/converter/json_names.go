package converter

import (
	"sync"

	"github.com/pabal-dev/pabal/connect/data"
)

// nameCache keeps what stands before the values of a struct's fields, by the schemas' addresses.
type nameCache struct {
	mu  sync.RWMutex
	all map[*data.Schema][]string
}

// of a struct's schema, `"name":` of each field, with a comma before all but the first.
func (k *nameCache) of(c *JSON, s *data.Schema) []string {
	k.mu.RLock()
	names, ok := k.all[s]
	k.mu.RUnlock()
	if ok {
		return names
	}
	names = make([]string, len(s.Fields))
	for i := range s.Fields {
		var b []byte
		if i > 0 {
			b = append(b, ',')
		}
		names[i] = string(append(appendText(b, s.Fields[i].Name), ':'))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all == nil || len(k.all) >= c.mostSchemas() {
		k.all = map[*data.Schema][]string{}
	}
	k.all[s] = names
	return names
}
