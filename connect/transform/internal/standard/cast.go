package standard

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

var castConfig = withDefaults(config.Key{
	Name: "spec", Type: config.List, Required: true, Importance: config.High,
	Check: func(v any) error {
		list, _ := v.([]string)
		if len(list) == 0 {
			return errors.New("Must specify at least one field to cast.") //nolint:staticcheck // Kafka Connect's own words
		}
		_, _, err := parseCasts(list)
		return err
	},
	Doc: "Fields and their new types: field:type, separated by commas; a type alone is that of the whole key or value. " +
		"Types are int8, int16, int32, int64, float32, float64, boolean and string.",
})

const supportedCasts = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]"

// enumNames are those of Kafka Connect's Schema.Type.
var enumNames = map[string]data.Type{
	"INT8": data.Int8, "INT16": data.Int16, "INT32": data.Int32, "INT64": data.Int64, "FLOAT32": data.Float32, "FLOAT64": data.Float64,
	"BOOLEAN": data.Boolean, "STRING": data.String, "BYTES": data.Bytes, "ARRAY": data.Array, "MAP": data.MapType, "STRUCT": data.StructType,
}

func enumName(t data.Type) string {
	for name, one := range enumNames {
		if one == t {
			return name
		}
	}
	return t.String()
}

// parseCasts reads types of fields, or that of the whole.
func parseCasts(list []string) (fields map[string]data.Type, whole data.Type, err error) {
	fields = map[string]data.Type{}
	for _, mapping := range list {
		parts := strings.Split(strings.TrimRight(mapping, ":"), ":")
		if len(parts) > 2 {
			return nil, 0, fmt.Errorf("Invalid rename mapping: %s", mapping) //nolint:staticcheck // see above
		}
		name := strings.TrimSpace(parts[len(parts)-1])
		t, ok := enumNames[strings.ToUpper(name)]
		if !ok {
			return nil, 0, fmt.Errorf("Invalid type found in casting spec: %s", name) //nolint:staticcheck // see above
		}
		if t > data.String {
			return nil, 0, fmt.Errorf("Cast transformation does not support casting to %s; supported types are %s", enumName(t), supportedCasts) //nolint:staticcheck // see above
		}
		if len(parts) == 1 {
			whole = t
		} else {
			fields[strings.TrimSpace(parts[0])] = t
		}
	}
	if whole != 0 && len(list) > 1 {
		return nil, 0, errors.New("Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec") //nolint:staticcheck // see above
	}
	return fields, whole, nil
}

// cast changes types.
type cast struct {
	part     smt.Part
	fields   map[string]data.Type
	whole    data.Type
	defaults bool
	plans    smt.Cache[castPlan]
}

// castPlan is the schema, and the types of fields by their places; 0 keeps one.
type castPlan struct {
	schema *data.Schema
	types  []data.Type
}

func newCast(c config.Values, part smt.Part) (plugin.Transform, error) {
	fields, whole, err := parseCasts(c.List("spec"))
	return &cast{part: part, fields: fields, whole: whole, defaults: c.Bool("replace.null.with.default")}, err
}

const castPurpose = "cast types"

func (t *cast) Apply(r *plugin.Record) (bool, error) {
	s, value := t.part.Of(r)
	switch {
	case value == nil:
		return true, nil
	case s == nil:
		v, err := t.free(value)
		t.part.Put(r, nil, v)
		return true, err
	}
	plan, err := t.plans.Of(s, t.plan)
	if err != nil {
		return false, err
	}
	v, err := t.typed(s, plan, value)
	if err != nil {
		return false, err
	}
	t.part.Put(r, plan.schema, v)
	return true, nil
}

func (t *cast) free(value any) (any, error) {
	if t.whole != 0 {
		return castValue(nil, value, t.whole)
	}
	m, err := smt.Map(value, castPurpose)
	if err != nil {
		return nil, err
	}
	out := smt.CloneMap(m)
	for name, to := range t.fields {
		old, _ := m.Get(name)
		v, err := castValue(nil, old, to)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", name, err)
		}
		out.Put(name, v)
	}
	return out, nil
}

func (t *cast) typed(s *data.Schema, plan castPlan, value any) (any, error) {
	if t.whole != 0 {
		return castValue(s, value, t.whole)
	}
	row, err := smt.Struct(value, castPurpose)
	if err != nil {
		return nil, err
	}
	out := data.NewStruct(plan.schema)
	for i, to := range plan.types {
		v := smt.At(row, i, t.defaults)
		if to != 0 {
			if v, err = castValue(row.Schema.Fields[i].Schema, v, to); err != nil {
				return nil, fmt.Errorf("field %s: %w", row.Schema.Fields[i].Name, err)
			}
		}
		out.Values[i] = v
	}
	return out, nil
}

func (t *cast) plan(s *data.Schema) (castPlan, error) {
	if t.whole != 0 {
		c := data.Schema{Type: t.whole, Name: s.Name, Version: s.Version, Doc: s.Doc, Parameters: s.Parameters, Optional: s.Optional}
		var err error
		c.Default, err = castValue(s, s.Default, t.whole)
		return castPlan{schema: &c}, err
	}
	if s.Type != data.StructType {
		return castPlan{}, fmt.Errorf("fields are to be cast, and the schema is of type %s, which has none", enumName(s.Type))
	}
	b, types := smt.BuilderLike(s), make([]data.Type, len(s.Fields))
	for i, f := range s.Fields {
		to, ok := t.fields[f.Name]
		if !ok {
			b.Add(f.Name, f.Schema)
			continue
		}
		v, err := castValue(f.Schema, f.Schema.Default, to)
		if err != nil {
			return castPlan{}, fmt.Errorf("default of the field %s: %w", f.Name, err)
		}
		types[i] = to
		b.Add(f.Name, &data.Schema{Type: to, Optional: f.Schema.Optional, Default: v})
	}
	b.Schema.Optional = s.Optional
	made, err := b.Build()
	if err == nil && s.Default != nil {
		made.Default, err = t.typed(s, castPlan{made, types}, s.Default)
	}
	return castPlan{made, types}, err
}
