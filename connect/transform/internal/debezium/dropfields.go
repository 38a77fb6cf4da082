package debezium

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

// drop leaves out the fields that a header lists.
func (t *newRecordState) drop(r *plugin.Record) error {
	if t.dropHeader == "" {
		return nil
	}
	i := slices.IndexFunc(r.Headers, func(h plugin.Header) bool { return h.Key == t.dropHeader })
	if i < 0 || r.Headers[i].Value == nil {
		return nil
	}
	list, ok := r.Headers[i].Value.([]any)
	if !ok {
		return fmt.Errorf("the header %s is %s and no list of fields", t.dropHeader, smt.Kind(r.Headers[i].Value))
	}
	var names []string
	for _, v := range list {
		if name, ok := v.(string); ok {
			names = append(names, name)
		}
	}
	parts := []smt.Part{smt.Value}
	if t.dropKey {
		parts = append(parts, smt.Key)
	}
	for _, part := range parts {
		s, value := part.Of(r)
		row, ok := value.(*data.Struct)
		if s == nil || !ok {
			continue
		}
		if out := t.dropped.of(row, names, t.dropAny); out != row {
			part.Put(r, out.Schema, out)
		}
	}
	return nil
}

// droppedSchemas keeps what is left of schemas.
type droppedSchemas struct {
	mu  sync.Mutex
	all map[droppedKey]*data.Schema
}

type droppedKey struct {
	schema *data.Schema
	names  string
}

// of is the row without the names, or the row itself where it has none of them. Unless any may
// go, only those that are optional do. As in Kafka Connect's ReplaceField, which Debezium uses here,
// fields that are nil get their defaults.
func (k *droppedSchemas) of(row *data.Struct, names []string, anyMayGo bool) *data.Struct {
	goes := func(f data.Field) bool { return slices.Contains(names, f.Name) && (anyMayGo || f.Schema.Optional) }
	if !anyMayGo && !slices.ContainsFunc(row.Schema.Fields, goes) || len(names) == 0 {
		return row
	}
	k.mu.Lock()
	key := droppedKey{row.Schema, strings.Join(names, ",")}
	s, ok := k.all[key]
	if !ok {
		b := smt.BuilderLike(row.Schema)
		b.Schema.Fields = slices.DeleteFunc(slices.Clone(row.Schema.Fields), goes)
		s = b.Schema
		if k.all == nil || len(k.all) >= mostSchemas {
			k.all = map[droppedKey]*data.Schema{}
		}
		k.all[key] = s
	}
	k.mu.Unlock()
	out := &data.Struct{Schema: s, Values: make([]any, 0, len(s.Fields))}
	for i, f := range row.Schema.Fields {
		if !goes(f) {
			out.Values = append(out.Values, smt.At(row, i, true))
		}
	}
	return out
}

// mostSchemas bounds what is remembered; all go at once.
const mostSchemas = 1000

// schemaPairs keeps what was made of two schemas.
type schemaPairs struct {
	mu  sync.RWMutex
	all map[[2]*data.Schema]*data.Schema
}

func (k *schemaPairs) of(a, b *data.Schema, make func() (*data.Schema, error)) (*data.Schema, error) {
	key := [2]*data.Schema{a, b}
	k.mu.RLock()
	s, ok := k.all[key]
	k.mu.RUnlock()
	if ok {
		return s, nil
	}
	s, err := make()
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if old, ok := k.all[key]; ok {
		return old, nil
	}
	if k.all == nil || len(k.all) >= mostSchemas {
		k.all = map[[2]*data.Schema]*data.Schema{}
	}
	k.all[key] = s
	return s, nil
}
