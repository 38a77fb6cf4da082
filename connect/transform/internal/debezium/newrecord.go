package debezium

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

var newRecordConfig = stateConfig.With(
	config.Key{
		Name: "drop.fields.header.name", Type: config.String, Importance: config.Low,
		Doc: "Header that lists the fields to leave out.",
	},
	config.Key{
		Name: "drop.fields.from.key", Type: config.Boolean, Default: "false", Importance: config.Low,
		Doc: "Whether they are left out of the key, too.",
	},
	config.Key{
		Name: "drop.fields.keep.schema.compatible", Type: config.Boolean, Default: "true", Importance: config.Low,
		Doc: "Whether only fields that are optional are left out.",
	},
)

// newRecordState unwraps the rows that changed.
type newRecordState struct {
	state
	dropHeader       string
	dropKey, dropAny bool
	envelopes        smt.Cache[*envelope]
	added            schemaPairs
	rewritten        smt.Cache[*data.Schema]
	dropped          droppedSchemas
}

// envelope is what the transform needs of an envelope's schema.
type envelope struct {
	before, after  int
	headers, added []found
}

func newNewRecordState(c config.Values) (plugin.Transform, error) {
	s, err := newState(c)
	return &newRecordState{
		state: s, dropHeader: strings.TrimSpace(c.String("drop.fields.header.name")),
		dropKey: c.Bool("drop.fields.from.key"), dropAny: !c.Bool("drop.fields.keep.schema.compatible"),
	}, err
}

func (t *newRecordState) Apply(r *plugin.Record) (bool, error) {
	if r.Value == nil {
		t.tombstoneHeaders(r)
		return t.mode == rewriteWithTombstone, nil
	}
	if !smt.IsEnvelope(r.ValueSchema) {
		return true, nil
	}
	change, err := smt.Struct(r.Value, "source field insertion")
	if err != nil {
		return false, err
	}
	e, err := t.envelopes.Of(r.ValueSchema, t.envelope)
	if err != nil {
		return false, err
	}
	addHeaders(r, change, e.headers)
	if change.Values[e.after] != nil {
		return true, t.changed(r, e, change)
	}
	if change.Values[e.before] == nil {
		return false, nil // a truncated table
	}
	return t.deleted(r, e, change)
}

func (t *newRecordState) envelope(s *data.Schema) (*envelope, error) {
	e := &envelope{before: s.Field("before"), after: s.Field("after"), headers: find(t.headers, s), added: find(t.fields, s)}
	if e.before < 0 || e.after < 0 {
		return nil, fmt.Errorf("Unknown field: the envelope %s has no before or no after", s.Name) //nolint:staticcheck // begins as Kafka Connect's own words
	}
	return e, nil
}

func (t *newRecordState) changed(r *plugin.Record, e *envelope, change *data.Struct) error {
	if err := t.unwrap(r, change, e.after, "false"); err != nil {
		return err
	}
	row, err := smt.Struct(r.Value, "source field insertion")
	if err != nil {
		return err
	}
	t.routeTo(r, row)
	if err := t.add(r, e, change, row); err != nil {
		return err
	}
	return t.drop(r)
}

func (t *newRecordState) deleted(r *plugin.Record, e *envelope, change *data.Struct) (bool, error) {
	switch t.mode {
	case drop:
		return false, nil
	case tombstone:
		r.ValueSchema, r.Value = r.ValueSchema.Fields[e.after].Schema, nil
	case deleteToTombstone:
		r.ValueSchema, r.Value = nil, nil
	default:
		if err := t.unwrap(r, change, e.before, "true"); err != nil {
			return false, err
		}
	}
	before, err := smt.Struct(change.Values[e.before], "Read record to set topic routing for DELETE")
	if err != nil {
		return false, err
	}
	t.routeTo(r, before)
	if err := t.drop(r); err != nil {
		return false, err
	}
	if r.Value == nil {
		return true, nil
	}
	row, err := smt.Struct(r.Value, "source field insertion")
	if err != nil {
		return false, err
	}
	return true, t.add(r, e, change, row)
}

// unwrap the row, and say whether it was deleted in the modes that rewrite.
func (t *newRecordState) unwrap(r *plugin.Record, change *data.Struct, at int, isDeleted string) error {
	r.ValueSchema, r.Value = r.ValueSchema.Fields[at].Schema, change.Values[at]
	row, ok := r.Value.(*data.Struct)
	if t.mode != rewrite && t.mode != rewriteWithTombstone || !ok {
		return nil
	}
	s, err := t.rewritten.Of(row.Schema, func(s *data.Schema) (*data.Schema, error) {
		b := smt.BuilderLike(s)
		b.Schema.Fields = slices.Clone(s.Fields)
		b.Add("__deleted", smt.OptionalString)
		return b.Build()
	})
	if err != nil {
		return err
	}
	out := &data.Struct{Schema: s, Values: make([]any, 0, len(s.Fields))}
	for i := range row.Values {
		out.Values = append(out.Values, smt.At(row, i, t.defaults))
	}
	out.Values = append(out.Values, isDeleted)
	r.ValueSchema, r.Value = s, out
	return nil
}

// routeTo the topic that a field names; an empty name keeps it.
func (t *newRecordState) routeTo(r *plugin.Record, row *data.Struct) {
	if t.routeBy == "" {
		return
	}
	if topic, _ := row.Get(t.routeBy).(string); strings.TrimSpace(topic) != "" {
		r.Topic = topic
	}
}

// add the fields that were asked for. The schema is a new one also without any.
func (t *newRecordState) add(r *plugin.Record, e *envelope, change, row *data.Struct) error {
	s, err := t.added.of(row.Schema, change.Schema, func() (*data.Schema, error) {
		b := smt.BuilderLike(row.Schema)
		b.Schema.Fields = slices.Clone(row.Schema.Fields)
		for _, f := range e.added {
			b.Add(f.name, f.schema)
		}
		return b.Build()
	})
	if err != nil {
		return err
	}
	out := &data.Struct{Schema: s, Values: make([]any, 0, len(s.Fields))}
	out.Values = append(out.Values, row.Values...)
	for _, f := range e.added {
		out.Values = append(out.Values, f.of(change))
	}
	r.ValueSchema, r.Value = s, out
	return nil
}
