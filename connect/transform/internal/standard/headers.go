package standard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

// filter drops every record that it gets: predicates choose them.
type filter struct{}

func newFilter(config.Values) (plugin.Transform, error) { return filter{}, nil }

func (filter) Apply(*plugin.Record) (bool, error) { return false, nil }

var dropHeadersConfig = config.Definition{Keys: []config.Key{
	{Name: "headers", Type: config.List, Required: true, Importance: config.High, Check: notEmptyList, Doc: "Names of the headers to remove."},
}}

type dropHeaders []string

func newDropHeaders(c config.Values) (plugin.Transform, error) {
	return dropHeaders(c.List("headers")), nil
}

func (t dropHeaders) Apply(r *plugin.Record) (bool, error) {
	drop := func(h plugin.Header) bool { return slices.Contains(t, h.Key) }
	if slices.ContainsFunc(r.Headers, drop) {
		r.Headers = slices.DeleteFunc(slices.Clone(r.Headers), drop)
	}
	return true, nil
}

var insertHeaderConfig = config.Definition{Keys: []config.Key{
	{Name: "header", Type: config.String, Required: true, Importance: config.High, Doc: "Name of the header."},
	{
		Name: "value.literal", Type: config.String, Required: true, Importance: config.High,
		Doc: "Value of the header on every record. Numbers, true, false, null, dates, lists and maps are taken as such.",
	},
}}

type insertHeader plugin.Header

func newInsertHeader(c config.Values) (plugin.Transform, error) {
	text, _ := c.Raw("value.literal")
	s, value, err := converter.ParseText(text)
	return insertHeader{Key: c.String("header"), Schema: s, Value: value}, err
}

func (t insertHeader) Apply(r *plugin.Record) (bool, error) {
	smt.AddHeader(r, plugin.Header(t))
	return true, nil
}

var headerFromConfig = withDefaults(
	config.Key{Name: "fields", Type: config.List, Required: true, Importance: config.High, Check: notEmptyList, Doc: "Fields that headers are made of."},
	config.Key{
		Name: "headers", Type: config.List, Required: true, Importance: config.High, Check: notEmptyList,
		Doc: "Names of the headers, one for each of the fields.",
	},
	config.Key{
		Name: "operation", Type: config.String, Required: true, Importance: config.High, Check: exactly("move", "copy"),
		Doc: "move takes the fields out of the key or value, copy leaves them there.",
	},
)

// headerFrom makes headers of fields.
type headerFrom struct {
	part            smt.Part
	fields, headers []string
	move, defaults  bool
	plans           smt.Cache[projection]
}

func newHeaderFrom(c config.Values, part smt.Part) (plugin.Transform, error) {
	t := &headerFrom{
		part: part, fields: c.List("fields"), headers: c.List("headers"),
		move: c.String("operation") == "move", defaults: c.Bool("replace.null.with.default"),
	}
	if len(t.fields) != len(t.headers) {
		return nil, config.Problem{Key: "headers", Message: "'fields' config must have the same number of elements as 'headers' config."}
	}
	return t, nil
}

func (t *headerFrom) purpose() string {
	if t.move {
		return "header move"
	}
	return "header copy"
}

func (t *headerFrom) Apply(r *plugin.Record) (bool, error) {
	s, value := t.part.Of(r)
	if s == nil {
		return true, t.fromMap(r, value)
	}
	row, err := smt.Struct(value, t.purpose())
	if err != nil {
		return false, err
	}
	headers := slices.Clip(r.Headers)
	for n, name := range t.fields {
		i := row.Schema.Field(name)
		if i < 0 {
			return false, fmt.Errorf("there is no field %s for the header %s", name, t.headers[n])
		}
		headers = append(headers, plugin.Header{Key: t.headers[n], Schema: row.Schema.Fields[i].Schema, Value: smt.At(row, i, t.defaults)})
	}
	if t.move {
		plan, err := t.plans.Of(s, t.plan)
		if err != nil {
			return false, err
		}
		t.part.Put(r, plan.schema, plan.of(row, t.defaults))
	}
	r.Headers = headers
	return true, nil
}

// plan is what is left when the fields have moved.
func (t *headerFrom) plan(s *data.Schema) (projection, error) {
	b := smt.BuilderLike(s)
	var from []int
	for i, f := range s.Fields {
		if !slices.Contains(t.fields, f.Name) {
			b.Add(f.Name, f.Schema)
			from = append(from, i)
		}
	}
	made, err := b.Build()
	return projection{made, from}, err
}

func (t *headerFrom) fromMap(r *plugin.Record, value any) error {
	m, err := smt.Map(value, t.purpose())
	if err != nil {
		return err
	}
	headers := slices.Clip(r.Headers)
	for n, name := range t.fields {
		v, _ := m.Get(name)
		headers = append(headers, plugin.Header{Key: t.headers[n], Value: v})
	}
	out := &data.Map{}
	for i, key := range m.Keys {
		if name, ok := key.(string); !t.move || !ok || !slices.Contains(t.fields, name) {
			out.Put(key, m.Values[i])
		}
	}
	t.part.Put(r, nil, out)
	r.Headers = headers
	return nil
}

// exactly is a check of text whose case counts.
func exactly(all ...string) func(any) error {
	return func(v any) error {
		if text, ok := v.(string); ok && !slices.Contains(all, text) {
			return fmt.Errorf("String must be one of: %s", strings.Join(all, ", ")) //nolint:staticcheck // Kafka Connect's own words
		}
		return nil
	}
}
