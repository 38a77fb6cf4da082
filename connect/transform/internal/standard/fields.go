package standard

import (
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

var hoistFieldConfig = config.Definition{Keys: []config.Key{
	{Name: "field", Type: config.String, Required: true, Doc: "Name of the only field of the struct or map that the key or value is put into."},
}}

// hoistField wraps.
type hoistField struct {
	part    smt.Part
	field   string
	schemas smt.Cache[*data.Schema]
}

func newHoistField(c config.Values, part smt.Part) (plugin.Transform, error) {
	return &hoistField{part: part, field: c.String("field")}, nil
}

func (t *hoistField) Apply(r *plugin.Record) (bool, error) {
	s, value := t.part.Of(r)
	if s == nil {
		t.part.Put(r, nil, &data.Map{Keys: []any{t.field}, Values: []any{value}})
		return true, nil
	}
	updated, err := t.schemas.Of(s, func(s *data.Schema) (*data.Schema, error) {
		return data.StructOf("", data.Field{Name: t.field, Schema: s}), nil
	})
	t.part.Put(r, updated, &data.Struct{Schema: updated, Values: []any{value}})
	return true, err
}

var extractFieldConfig = config.Definition{Keys: []config.Key{
	{Name: "field", Type: config.String, Required: true, Doc: "Field that becomes the whole key or value."},
	defaultsCount,
	{
		Name: "field.syntax.version", Type: config.String, Default: "V1", Importance: config.High, Check: config.OneOf("V1", "V2"),
		Doc: "V1 takes the name as it is; with V2 dots lead to fields of fields, and a name with dots of its own is put in backticks.",
	},
}}

// extractField unwraps.
type extractField struct {
	part     smt.Part
	text     string
	path     smt.Path
	defaults bool
}

func newExtractField(c config.Values, part smt.Part) (plugin.Transform, error) {
	t := &extractField{part: part, text: c.String("field"), defaults: c.Bool("replace.null.with.default")}
	t.path = smt.Path{t.text}
	if v := c.String("field.syntax.version"); v == "V2" || v == "v2" {
		var err error
		if t.path, err = smt.ParsePath(t.text); err != nil {
			return nil, config.Problem{Key: "field", Message: err.Error()}
		}
	}
	return t, nil
}

const extractPurpose = "field extraction"

func (t *extractField) Apply(r *plugin.Record) (bool, error) {
	s, value := t.part.Of(r)
	if s == nil {
		if value == nil {
			return true, nil
		}
		m, err := smt.Map(value, extractPurpose)
		if err != nil {
			return false, err
		}
		v, err := t.path.InMap(m)
		t.part.Put(r, nil, v)
		return true, err
	}
	field := t.path.Schema(s)
	if field == nil {
		return false, fmt.Errorf("Unknown field: %s", t.text) //nolint:staticcheck // Kafka Connect's own words
	}
	if value == nil {
		t.part.Put(r, field, nil)
		return true, nil
	}
	row, err := smt.Struct(value, extractPurpose)
	if err != nil {
		return false, err
	}
	v, err := t.path.InStruct(row, t.defaults)
	t.part.Put(r, field, v)
	return true, err
}

var valueToKeyConfig = withDefaults(
	config.Key{
		Name: "fields", Type: config.List, Required: true, Importance: config.High, Check: notEmptyList,
		Doc: "Fields of the value that make up the key.",
	},
)

// valueToKey makes keys.
type valueToKey struct {
	fields   []string
	defaults bool
	plans    smt.Cache[projection]
}

func newValueToKey(c config.Values) (plugin.Transform, error) {
	return &valueToKey{fields: c.List("fields"), defaults: c.Bool("replace.null.with.default")}, nil
}

const valueToKeyPurpose = "copying fields from value to key"

func (t *valueToKey) Apply(r *plugin.Record) (bool, error) {
	if r.ValueSchema == nil {
		m, err := smt.Map(r.Value, valueToKeyPurpose)
		if err != nil {
			return false, err
		}
		key := &data.Map{}
		for _, name := range t.fields {
			v, _ := m.Get(name)
			key.Put(name, v)
		}
		r.KeySchema, r.Key = nil, key
		return true, nil
	}
	row, err := smt.Struct(r.Value, valueToKeyPurpose)
	if err != nil {
		return false, err
	}
	plan, err := t.plans.Of(row.Schema, t.plan)
	if err != nil {
		return false, err
	}
	r.KeySchema, r.Key = plan.schema, plan.of(row, t.defaults)
	return true, nil
}

func (t *valueToKey) plan(s *data.Schema) (projection, error) {
	b := smt.NewBuilder()
	var from []int
	for _, name := range t.fields {
		i := s.Field(name)
		if i < 0 {
			return projection{}, fmt.Errorf("Field does not exist: %s", name) //nolint:staticcheck // see above
		}
		b.Add(name, s.Fields[i].Schema)
		from = append(from, i)
	}
	made, err := b.Build()
	return projection{made, from}, err
}

var setSchemaMetadataConfig = withDefaults(
	config.Key{Name: "schema.name", Type: config.String, Importance: config.High, Doc: "Name that the schema gets."},
	config.Key{Name: "schema.version", Type: config.Int, Importance: config.High, Doc: "Version that the schema gets."},
)

// setSchemaMetadata names schemas.
type setSchemaMetadata struct {
	part     smt.Part
	name     string
	version  int
	defaults bool
	schemas  smt.Cache[*data.Schema]
}

func newSetSchemaMetadata(c config.Values, part smt.Part) (plugin.Transform, error) {
	if !c.Set("schema.name") && !c.Set("schema.version") {
		return nil, errors.New("Neither schema name nor version configured") //nolint:staticcheck // see above
	}
	return &setSchemaMetadata{part: part, name: c.String("schema.name"), version: int(c.Int("schema.version")), defaults: c.Bool("replace.null.with.default")}, nil
}

func (t *setSchemaMetadata) Apply(r *plugin.Record) (bool, error) {
	s, value := t.part.Of(r)
	if s == nil {
		if value == nil {
			return true, nil
		}
		return false, errors.New("Schema required for [updating schema metadata]") //nolint:staticcheck // see above
	}
	updated, err := t.schemas.Of(s, t.schema)
	if err != nil {
		return false, err
	}
	if row, ok := value.(*data.Struct); ok {
		out := data.NewStruct(updated)
		for i := range out.Values {
			out.Values[i] = smt.At(row, i, t.defaults)
		}
		value = out
	}
	t.part.Put(r, updated, value)
	return true, nil
}

func (t *setSchemaMetadata) schema(s *data.Schema) (*data.Schema, error) {
	c := *s
	if t.name != "" {
		c.Name = t.name
	}
	if t.version != 0 {
		c.Version = t.version
	}
	return &c, nil
}
