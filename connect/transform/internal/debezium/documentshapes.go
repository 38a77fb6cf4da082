package debezium

import (
	"strings"
	"sync"

	"github.com/pabal-dev/pabal/connect/data"
)

// documentShapes keeps one schema of those that are equal.
type documentShapes struct {
	mu  sync.Mutex
	all map[string][]*data.Schema
}

func (k *documentShapes) one(s *data.Schema) *data.Schema {
	var names strings.Builder
	for _, f := range s.Fields {
		names.WriteString(f.Name)
		names.WriteByte(0)
	}
	key := s.Name + "\x00" + names.String()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, old := range k.all[key] {
		if old.Equal(s) {
			return old
		}
	}
	if k.all == nil || len(k.all) >= mostSchemas || len(k.all[key]) >= mostSchemas {
		k.all = map[string][]*data.Schema{}
	}
	k.all[key] = append(k.all[key], s)
	return s
}
