package outbox

import (
	"sync"

	"github.com/pabal-dev/pabal/connect/data"
)

// envelopeSchemas keeps those of envelopes whose "after" became a struct.
type envelopeSchemas struct {
	mu  sync.Mutex
	all map[[2]*data.Schema]*data.Schema
}

// with is the change with another "after", which is at that place.
func (k *envelopeSchemas) with(change *data.Struct, at int, after *data.Schema, row *data.Struct) (*data.Schema, *data.Struct) {
	k.mu.Lock()
	key := [2]*data.Schema{change.Schema, after}
	s, ok := k.all[key]
	if !ok {
		s = &data.Schema{Type: data.StructType, Name: change.Schema.Name, Fields: append([]data.Field(nil), change.Schema.Fields...)}
		s.Fields[at].Schema = after
		if k.all == nil || len(k.all) >= mostShapes {
			k.all = map[[2]*data.Schema]*data.Schema{}
		}
		k.all[key] = s
	}
	k.mu.Unlock()
	out := &data.Struct{Schema: s, Values: append([]any(nil), change.Values...)}
	out.Values[at] = row
	return s, out
}
