package outbox

import (
	"fmt"
	"strings"
	"sync"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

// plan is where an envelope, and the row in it, have what the router needs; -1 is nowhere.
type plan struct {
	row                                           *data.Schema
	after                                         int
	id, key, payload, timestamp, version, routeBy int
	additions                                     []int
}

func (p *plan) schema(i int) *data.Schema { return p.row.Fields[i].Schema }

func (t *router) plan(s *data.Schema) (*plan, error) {
	p := &plan{after: s.Field("after")}
	if p.after < 0 {
		return nil, fmt.Errorf("Unknown field: after") //nolint:staticcheck // Kafka Connect's own words
	}
	p.row = s.Fields[p.after].Schema
	if p.row.Type != data.StructType {
		return nil, fmt.Errorf("Only Struct objects supported for [Read Outbox Event], found: %s", p.row.Type) //nolint:staticcheck // see above
	}
	p.key, p.timestamp, p.version = -1, -1, -1
	for _, f := range []struct {
		name, wrong string
		at          *int
	}{
		{t.payload, "Unable to find payload field %s in event", &p.payload},
		{t.id, "Unable to find event-id field %s in event", &p.id},
		{t.timestamp, "Unable to find timestamp field %s in event", &p.timestamp},
		{t.routeBy, "%s is not a valid field name", &p.routeBy},
		{t.key, "%s is not a valid field name", &p.key},
		{t.version, "%s is not a valid field name", &p.version},
	} {
		if f.name == "" || f.at == &p.version && !t.envelope {
			continue
		}
		if *f.at = p.row.Field(f.name); *f.at < 0 {
			return nil, fmt.Errorf(f.wrong, f.name)
		}
	}
	for _, a := range t.additions {
		i := p.row.Field(a.field)
		if i < 0 && !t.ignoreMissing {
			return nil, fmt.Errorf("Unable to find field %s in event", a.field) //nolint:staticcheck // Debezium's own words
		}
		p.additions = append(p.additions, i)
	}
	return p, nil
}

// valueSchema has the payload and the additions. Its name is that of the row's with the value that
// the first message was routed by.
func (t *router) valueSchema(p *plan, payload *data.Schema, version int, topic string) (*data.Schema, error) {
	b := smt.NewBuilder()
	b.Schema.Name, b.Schema.Version = topic, version
	if name := p.row.Name; name != "" {
		dot := strings.LastIndexByte(name, '.')
		b.Schema.Name = name[:dot+1] + topic + "." + name[dot+1:]
	}
	b.Add("payload", payload)
	for i, a := range t.additions {
		if a.placement == inEnvelope && p.additions[i] >= 0 {
			b.Add(a.alias, p.schema(p.additions[i]))
		}
	}
	return b.Build()
}

// valueSchemas remembers them by the payload's.
type valueSchemas struct {
	mu  sync.Mutex
	all map[valueKey]*data.Schema
}

type valueKey struct {
	payload *data.Schema
	version int
}

func (v *valueSchemas) of(payload *data.Schema, version int, make func() (*data.Schema, error)) (*data.Schema, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := valueKey{payload, version}
	if s, ok := v.all[key]; ok {
		return s, nil
	}
	s, err := make()
	if err != nil {
		return nil, err
	}
	if v.all == nil || len(v.all) >= mostShapes {
		v.all = map[valueKey]*data.Schema{}
	}
	v.all[key] = s
	return s, nil
}
