package standard

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

var insertFieldConfig = withDefaults(
	insertKey("topic.field", "the topic's name"),
	insertKey("partition.field", "the partition in Kafka"),
	insertKey("offset.field", "the offset in Kafka, which only records of sinks have"),
	insertKey("timestamp.field", "the record's timestamp"),
	insertKey("static.field", "static.value"),
	config.Key{Name: "static.value", Type: config.String, Doc: "Text for static.field."},
)

func insertKey(name, what string) config.Key {
	return config.Key{
		Name: name, Type: config.String,
		Doc: "Name of a new field for " + what + ". With ! behind it the field is required; with ? or nothing it is optional.",
	}
}

// insertion is a field to add.
type insertion struct {
	name   string
	schema *data.Schema
	// value is nil where the record has none: the field is left out then.
	value func(r *plugin.Record, offset *int64) (any, error)
}

// insertField adds what Kafka knows of a record, and fixed text.
type insertField struct {
	part     smt.Part
	defaults bool
	fields   []insertion
	schemas  smt.Cache[*data.Schema]
}

func newInsertField(c config.Values, part smt.Part) (plugin.Transform, error) {
	t := &insertField{part: part, defaults: c.Bool("replace.null.with.default")}
	text, ok := c.Raw("static.value")
	if c.String("static.field") != "" && !ok {
		return nil, config.Problem{Key: "static.value", Message: "Invalid value null for configuration static.value: No value specified for static field: " + c.String("static.field")}
	}
	t.add(c.String("topic.field"), smt.String, func(r *plugin.Record, _ *int64) (any, error) { return r.Topic, nil })
	t.add(c.String("partition.field"), smt.Int32, partitionOf)
	t.add(c.String("offset.field"), smt.Int64, offsetOf)
	t.add(c.String("timestamp.field"), smt.Timestamp, t.timeOf)
	t.add(c.String("static.field"), smt.String, func(*plugin.Record, *int64) (any, error) { return text, nil })
	if len(t.fields) == 0 {
		return nil, errors.New("No field insertion configured") //nolint:staticcheck // Kafka Connect's own words
	}
	return t, nil
}

func (t *insertField) add(spec string, s *data.Schema, value func(*plugin.Record, *int64) (any, error)) {
	if spec == "" {
		return
	}
	name, required := strings.CutSuffix(spec, "!")
	if !required {
		name, s = strings.TrimSuffix(spec, "?"), s.AsOptional()
	}
	t.fields = append(t.fields, insertion{name, s, value})
}

func partitionOf(r *plugin.Record, _ *int64) (any, error) {
	if r.Partition == plugin.NoPartition {
		return nil, nil
	}
	return r.Partition, nil
}

func offsetOf(_ *plugin.Record, offset *int64) (any, error) {
	if offset == nil {
		return nil, fmt.Errorf("Only SinkRecord supported for [%s], found: a record of a source, which has no offset yet", insertPurpose) //nolint:staticcheck // see above
	}
	return *offset, nil
}

func (t *insertField) timeOf(r *plugin.Record, _ *int64) (any, error) {
	if r.Timestamp == plugin.NoTimestamp {
		return nil, nil
	}
	if s, _ := t.part.Of(r); s == nil {
		return r.Timestamp, nil
	}
	return time.UnixMilli(r.Timestamp).UTC(), nil
}

const insertPurpose = "field insertion"

func (t *insertField) Apply(r *plugin.Record) (bool, error) { return t.apply(r, nil) }

// ApplySink knows the offset.
func (t *insertField) ApplySink(r *plugin.SinkRecord) (bool, error) {
	return t.apply(&r.Record, &r.Offset)
}

func (t *insertField) apply(r *plugin.Record, offset *int64) (bool, error) {
	s, value := t.part.Of(r)
	switch {
	case value == nil:
		return true, nil
	case s == nil:
		return true, t.intoMap(r, value, offset)
	}
	row, err := smt.Struct(value, insertPurpose)
	if err != nil {
		return false, err
	}
	updated, err := t.schemas.Of(row.Schema, t.schema)
	if err != nil {
		return false, err
	}
	out := &data.Struct{Schema: updated, Values: make([]any, 0, len(updated.Fields))}
	for i := range row.Values {
		out.Values = append(out.Values, smt.At(row, i, t.defaults))
	}
	for _, f := range t.fields {
		v, err := f.value(r, offset)
		if err != nil {
			return false, err
		}
		out.Values = append(out.Values, v)
	}
	t.part.Put(r, updated, out)
	return true, nil
}

func (t *insertField) schema(s *data.Schema) (*data.Schema, error) {
	b := smt.BuilderLike(s)
	for _, f := range s.Fields {
		b.Add(f.Name, f.Schema)
	}
	for _, f := range t.fields {
		b.Add(f.name, f.schema)
	}
	return b.Build()
}

func (t *insertField) intoMap(r *plugin.Record, value any, offset *int64) error {
	m, err := smt.Map(value, insertPurpose)
	if err != nil {
		return err
	}
	out := smt.CloneMap(m)
	for _, f := range t.fields {
		v, err := f.value(r, offset)
		if err != nil {
			return err
		}
		if v != nil {
			out.Put(f.name, v)
		}
	}
	t.part.Put(r, nil, out)
	return nil
}
