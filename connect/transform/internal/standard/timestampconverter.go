package standard

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/internal/dateformat"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

var timestampConverterConfig = withDefaults(
	config.Key{Name: "field", Type: config.String, Importance: config.High, Doc: "Field that has the time; without it the whole key or value is one."},
	config.Key{
		Name: "target.type", Type: config.String, Required: true, Importance: config.High, Check: exactly("string", "unix", "Date", "Time", "Timestamp"),
		Doc: "What the time becomes: string, unix (a number), or Kafka Connect's Date, Time or Timestamp.",
	},
	config.Key{
		Name: "format", Type: config.String,
		Doc: "How times are written in text, in UTC: letters of Java's SimpleDateFormat. For what is read, and for what is written with target.type=string.",
	},
	config.Key{
		Name: "unix.precision", Type: config.String, Default: "milliseconds", Importance: config.Low,
		Check: exactly("nanoseconds", "microseconds", "milliseconds", "seconds"),
		Doc:   "Unit of times that are numbers: seconds, milliseconds, microseconds or nanoseconds. Less than a millisecond is lost.",
	},
)

// timestampConverter changes what stands for a time.
type timestampConverter struct {
	part     smt.Part
	field    string
	times    times
	defaults bool
	plans    smt.Cache[timePlan]
}

// timePlan is the schema, and which field has the time and as what; -1 is none.
type timePlan struct {
	schema *data.Schema
	at     int
	from   string
}

func newTimestampConverter(c config.Values, part smt.Part) (plugin.Transform, error) {
	t := &timestampConverter{part: part, field: c.String("field"), defaults: c.Bool("replace.null.with.default")}
	t.times = times{to: c.String("target.type"), unit: c.String("unix.precision")}
	pattern, _ := c.Raw("format")
	if strings.TrimSpace(pattern) == "" {
		if t.times.to == asString {
			return nil, config.Problem{Key: "format", Message: "TimestampConverter requires format option to be specified when using string timestamps"}
		}
		return t, nil
	}
	var err error
	if t.times.format, err = dateformat.Parse(pattern); err != nil {
		return nil, config.Problem{Key: "format", Message: fmt.Sprintf("TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: %s: %v", pattern, err)}
	}
	return t, nil
}

const timesPurpose = "converting timestamp formats"

func (t *timestampConverter) Apply(r *plugin.Record) (bool, error) {
	s, value := t.part.Of(r)
	var err error
	switch {
	case s == nil:
		value, err = t.free(value)
	case t.field == "":
		var from string
		if from, err = kindOf(s); err == nil {
			value, err = t.times.convert(value, from)
			s, err = t.wholeSchema(s, err)
		}
	default:
		s, value, err = t.typed(s, value)
	}
	if err != nil {
		return false, err
	}
	t.part.Put(r, s, value)
	return true, nil
}

func (t *timestampConverter) wholeSchema(s *data.Schema, err error) (*data.Schema, error) {
	if err != nil {
		return nil, err
	}
	return schemaOf(t.times.to, s.Optional), nil
}

func (t *timestampConverter) free(value any) (any, error) {
	if value == nil {
		return nil, nil
	}
	if t.field == "" {
		return t.times.infer(value)
	}
	m, err := smt.Map(value, timesPurpose)
	if err != nil {
		return nil, err
	}
	out := smt.CloneMap(m)
	old, _ := m.Get(t.field)
	v, err := t.times.infer(old)
	out.Put(t.field, v)
	return out, err
}

func (t *timestampConverter) typed(s *data.Schema, value any) (*data.Schema, any, error) {
	plan, err := t.plans.Of(s, t.plan)
	if err != nil || value == nil {
		return plan.schema, nil, err
	}
	row, err := smt.Struct(value, timesPurpose)
	if err != nil {
		return nil, nil, err
	}
	out, err := t.row(plan, row)
	return plan.schema, out, err
}

func (t *timestampConverter) row(plan timePlan, row *data.Struct) (*data.Struct, error) {
	out := data.NewStruct(plan.schema)
	for i := range row.Values {
		v := smt.At(row, i, t.defaults)
		if i == plan.at {
			var err error
			if v, err = t.times.convert(v, plan.from); err != nil {
				return nil, fmt.Errorf("field %s: %w", t.field, err)
			}
		}
		out.Values[i] = v
	}
	return out, nil
}

func (t *timestampConverter) plan(s *data.Schema) (timePlan, error) {
	if s.Type != data.StructType {
		return timePlan{}, errors.New("Only Struct objects supported for [" + timesPurpose + "], found: " + s.Type.String()) //nolint:staticcheck // Kafka Connect's own words
	}
	plan := timePlan{at: s.Field(t.field)}
	b := smt.BuilderLike(s)
	for i, f := range s.Fields {
		if i != plan.at {
			b.Add(f.Name, f.Schema)
			continue
		}
		var err error
		if plan.from, err = kindOf(f.Schema); err != nil {
			return timePlan{}, fmt.Errorf("field %s: %w", f.Name, err)
		}
		b.Add(f.Name, schemaOf(t.times.to, f.Schema.Optional))
	}
	b.Schema.Optional = s.Optional
	var err error
	if plan.schema, err = b.Build(); err != nil {
		return timePlan{}, err
	}
	if row, ok := s.Default.(*data.Struct); ok {
		made, err := t.row(plan, row)
		if err != nil {
			return timePlan{}, fmt.Errorf("default: %w", err)
		}
		plan.schema.Default = made
	}
	return plan, nil
}
