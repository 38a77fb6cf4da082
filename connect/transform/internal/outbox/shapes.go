package outbox

import (
	"strconv"
	"sync"

	"github.com/pabal-dev/pabal/connect/data"
)

// mostShapes bounds what is remembered; all go at once.
const mostShapes = 1000

// shapes keeps one schema of those that are equal, because converters remember them by address.
type shapes struct {
	mu  sync.Mutex
	all map[string]*data.Schema
}

// one is the schema, or an equal one that was there before.
func (k *shapes) one(s *data.Schema) *data.Schema {
	text := appendShape(nil, s)
	k.mu.Lock()
	defer k.mu.Unlock()
	if old, ok := k.all[string(text)]; ok {
		return old
	}
	if k.all == nil || len(k.all) >= mostShapes {
		k.all = map[string]*data.Schema{}
	}
	k.all[string(text)] = s
	return s
}

// appendShape writes what tells schemas apart: all but documentation, parameters and defaults,
// which those that are found out do not have.
func appendShape(b []byte, s *data.Schema) []byte {
	b = strconv.AppendInt(b, int64(s.Type), 10)
	b = strconv.AppendQuote(strconv.AppendBool(b, s.Optional), s.Name)
	b = strconv.AppendInt(b, int64(s.Version), 10)
	if s.Value != nil {
		b = append(appendShape(append(b, '['), s.Value), ']')
	}
	if s.Type == data.StructType {
		b = append(b, '{')
		for _, f := range s.Fields {
			b = append(appendShape(strconv.AppendQuote(b, f.Name), f.Schema), ',')
		}
		b = append(b, '}')
	}
	return b
}
