package debezium

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

var headerToValueConfig = config.Definition{Keys: []config.Key{
	{Name: "headers", Type: config.List, Required: true, Importance: config.High, Check: checkNames, Doc: "Headers that fields are made of."},
	{
		Name: "fields", Type: config.List, Required: true, Importance: config.High, Check: checkNames,
		Doc: "Names of the fields, one for each of the headers. Dots lead to fields of fields, which are made where there are none.",
	},
	{
		Name: "operation", Type: config.String, Required: true, Importance: config.High, Check: config.OneOf("move", "copy"), Recommended: []string{"move", "copy"},
		Doc: "move removes the headers, copy leaves them.",
	},
}}

func checkNames(v any) error {
	list, _ := v.([]string)
	for _, name := range list {
		if name == "" || strings.ContainsAny(name, " \t") {
			return fmt.Errorf("%q is no name: names are not empty and have no spaces", name)
		}
	}
	return config.NotEmpty(v)
}

// headerToValue makes fields of headers.
type headerToValue struct {
	headers []string
	fields  []smt.Path
	move    bool

	mu      sync.Mutex
	schemas map[string]*data.Schema
}

// entry is a header and where it goes.
type entry struct {
	path   smt.Path
	schema *data.Schema
	value  any
}

func newHeaderToValue(c config.Values) (plugin.Transform, error) {
	t := &headerToValue{headers: c.List("headers"), move: strings.EqualFold(c.String("operation"), "move")}
	for _, name := range c.List("fields") {
		t.fields = append(t.fields, strings.Split(name, "."))
	}
	if len(t.fields) != len(t.headers) {
		return nil, config.Problem{Key: "fields", Message: "'fields' config must have the same number of elements as 'headers' config."}
	}
	return t, nil
}

func (t *headerToValue) Apply(r *plugin.Record) (bool, error) {
	if r.Value == nil {
		return true, nil
	}
	row, err := smt.Struct(r.Value, "Header field insertion")
	if err != nil {
		return false, err
	}
	var entries []entry
	for _, h := range r.Headers {
		if i := slices.Index(t.headers, h.Key); i >= 0 {
			if h.Schema == nil {
				return false, fmt.Errorf("the header %s has no schema, which its field needs", h.Key)
			}
			entries = append(entries, entry{t.fields[i], h.Schema, h.Value})
		}
	}
	if len(entries) == 0 {
		return true, nil
	}
	s, err := t.schema(row.Schema, entries)
	if err != nil {
		return false, err
	}
	r.ValueSchema, r.Value = s, fill(s, row, entries)
	if t.move {
		r.Headers = slices.DeleteFunc(slices.Clone(r.Headers), func(h plugin.Header) bool { return slices.Contains(t.headers, h.Key) })
	}
	return true, nil
}

// schema with the fields of the entries, the same for the same ones.
func (t *headerToValue) schema(s *data.Schema, entries []entry) (*data.Schema, error) {
	key := fmt.Sprintf("%p", s)
	for _, e := range entries {
		key += fmt.Sprintf(" %s %p", strings.Join(e.path, "."), e.schema)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if made, ok := t.schemas[key]; ok {
		return made, nil
	}
	made, err := extended(s, entries)
	if err != nil {
		return nil, err
	}
	if t.schemas == nil || len(t.schemas) >= mostSchemas {
		t.schemas = map[string]*data.Schema{}
	}
	t.schemas[key] = made
	return made, nil
}

// extended is a struct's schema and the fields of the entries. Those that are there keep their
// schemas.
func extended(s *data.Schema, entries []entry) (*data.Schema, error) {
	b := smt.BuilderLike(s)
	b.Schema.Fields = slices.Clone(s.Fields)
	for _, e := range entries {
		name := e.path[0]
		at := b.Schema.Field(name)
		switch {
		case len(e.path) == 1 && at < 0:
			b.Add(name, e.schema)
		case len(e.path) == 1:
			if old := b.Schema.Fields[at].Schema; old.Type != e.schema.Type {
				return nil, fmt.Errorf("the field %s is %s, and the header for it %s", name, old.Type, e.schema.Type)
			}
		case at < 0:
			inner, err := extended(&data.Schema{Type: data.StructType}, []entry{{e.path[1:], e.schema, nil}})
			if err != nil {
				return nil, err
			}
			b.Add(name, inner.AsOptional())
		default:
			old := b.Schema.Fields[at].Schema
			if old.Type != data.StructType {
				return nil, fmt.Errorf("Field '%s' is a primitive type, not a struct. Cannot add nested field '%s'.", name, strings.Join(e.path, ".")) //nolint:staticcheck // Debezium's own words
			}
			inner, err := extended(old, []entry{{e.path[1:], e.schema, nil}})
			if err != nil {
				return nil, err
			}
			if old.Optional {
				inner = inner.AsOptional()
			}
			b.Schema.Fields[at].Schema = inner
		}
	}
	return b.Build()
}

// fill a struct with what the row has and the entries; row is nil where there was none.
func fill(s *data.Schema, row *data.Struct, entries []entry) *data.Struct {
	out := data.NewStruct(s)
	for i, f := range s.Fields {
		if row != nil {
			if at := row.Schema.Field(f.Name); at >= 0 {
				out.Values[i] = smt.At(row, at, true)
			}
		}
		var inner []entry
		for _, e := range entries {
			switch {
			case e.path[0] != f.Name:
			case len(e.path) == 1:
				out.Values[i] = e.value
			default:
				inner = append(inner, entry{e.path[1:], e.schema, e.value})
			}
		}
		if inner != nil {
			old, _ := out.Values[i].(*data.Struct)
			out.Values[i] = fill(f.Schema, old, inner)
		}
	}
	return out
}
