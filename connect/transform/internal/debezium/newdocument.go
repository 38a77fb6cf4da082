package debezium

import (
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/mongodoc"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

var newDocumentConfig = stateConfig.With(
	config.Key{
		Name: "array.encoding", Type: config.String, Default: "array", Check: config.OneOf("array", "document"), Recommended: []string{"array", "document"},
		Doc: "What arrays become: array needs elements of one type, document makes a struct with the fields _0, _1 and so on.",
	},
	config.Key{
		Name: "flatten.struct", Type: config.Boolean, Default: "false", Importance: config.Low,
		Doc: "Whether fields of documents within the document become fields of its own.",
	},
	config.Key{Name: "flatten.struct.delimiter", Type: config.String, Default: "_", Importance: config.Low, Doc: "What is put between their names."},
	config.Key{
		Name: "delete.tombstone.handling.mode.rewrite-with-id", Type: config.Boolean, Default: "false", Importance: config.Low,
		Doc: "Whether, in the modes that rewrite, a deleted document gets its _id from the key.",
	},
	config.Key{
		Name: "field.name.adjustment.mode", Type: config.String, Default: "none", Importance: config.Low,
		Unsupported: "names of fields stay as they are", Doc: "How names of fields are made fit for Avro.",
	},
)

// newDocumentState unwraps documents, which are strings of JSON in their envelopes, and makes
// structs of them.
type newDocumentState struct {
	state
	documents mongodoc.Maker
	withID    bool
	flatten   string // "" is not
	flat      func(r *plugin.Record) error
	envelopes smt.Cache[*documentEnvelope]
	shapes    documentShapes
}

// documentEnvelope is what the transform needs of an envelope's schema; -1 is nowhere.
type documentEnvelope struct {
	before, after, update int
	headers, added        []found
}

func newNewDocumentState(c config.Values) (plugin.Transform, error) {
	s, err := newState(c)
	t := &newDocumentState{
		state: s, documents: mongodoc.Maker{ArraysAsDocuments: strings.EqualFold(c.String("array.encoding"), "document")},
		withID: c.Bool("delete.tombstone.handling.mode.rewrite-with-id"),
	}
	if err == nil && c.Bool("flatten.struct") {
		t.flatten = prefixOf(c, "flatten.struct.delimiter")
		flat := smt.NewFlattener(smt.Value, t.flatten)
		t.flat = func(r *plugin.Record) error { return flat.Flatten(r) }
	}
	return t, err
}

func (t *newDocumentState) Apply(r *plugin.Record) (bool, error) {
	if r.KeySchema == nil || !strings.HasSuffix(r.KeySchema.Name, ".Key") {
		return true, nil
	}
	id, err := idOf(r)
	if err != nil {
		return false, err
	}
	if r.Value == nil {
		t.tombstoneHeaders(r)
		if t.mode != rewriteWithTombstone {
			return false, nil
		}
		return true, t.put(r, nil, nil, id, nil)
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
	d, keep, err := t.document(e, change, id)
	if err != nil || !keep {
		return false, err
	}
	return true, t.put(r, e, change, id, d)
}

func (t *newDocumentState) envelope(s *data.Schema) (*documentEnvelope, error) {
	e := &documentEnvelope{
		before: s.Field("before"), after: s.Field("after"), update: s.Field("updateDescription"),
		headers: find(t.headers, s), added: find(t.fields, s),
	}
	if e.after < 0 {
		return nil, fmt.Errorf("Unknown field: after") //nolint:staticcheck // Kafka Connect's own words
	}
	return e, nil
}

// idOf the document, of the key's field of that name.
func idOf(r *plugin.Record) (mongodoc.Value, error) {
	key, err := smt.Struct(r.Key, "field extraction")
	if err != nil {
		return mongodoc.Value{}, err
	}
	text, ok := key.Get("id").(string)
	if !ok {
		return mongodoc.Value{}, fmt.Errorf("the key has no id that is text: %s", smt.Kind(key.Get("id")))
	}
	return mongodoc.ParseValue(text)
}

func textAt(change *data.Struct, i int) (string, bool) {
	if i < 0 {
		return "", false
	}
	text, ok := change.Values[i].(string)
	return text, ok
}

// document of the value; nil is none.
func (t *newDocumentState) document(e *documentEnvelope, change *data.Struct, id mongodoc.Value) (d *mongodoc.Document, keep bool, err error) {
	after, changed := textAt(change, e.after)
	var update *data.Struct
	if e.update >= 0 {
		update, _ = change.Values[e.update].(*data.Struct)
	}
	rewriting := t.mode == rewrite || t.mode == rewriteWithTombstone
	deleted := !changed && update == nil
	switch {
	case changed:
		d, err = mongodoc.Parse(after)
	case update != nil:
		d, err = t.updated(update, id)
	case t.mode == drop:
		return nil, false, nil
	case rewriting:
		if before, ok := textAt(change, e.before); ok {
			d, err = mongodoc.Parse(before)
		}
	}
	if err != nil || !rewriting {
		return d, true, err
	}
	if d == nil {
		d = &mongodoc.Document{}
	}
	d.Set("__deleted", mongodoc.Value{Type: mongodoc.Boolean, Value: deleted})
	if _, has := d.Get("_id"); t.withID && !has {
		d.Set("_id", id)
	}
	return d, true, nil
}

// updated has the fields that an update set, without the whole document.
func (t *newDocumentState) updated(update *data.Struct, id mongodoc.Value) (*mongodoc.Document, error) {
	d := &mongodoc.Document{}
	if text, ok := update.Get("updatedFields").(string); ok {
		var err error
		if d, err = mongodoc.Parse(text); err != nil {
			return nil, err
		}
	}
	removed, _ := update.Get("removedFields").([]any)
	for _, v := range removed {
		if name, ok := v.(string); ok {
			d.Remove(name)
		}
	}
	if _, ok := d.Get("_id"); !ok {
		d.Set("_id", id)
	}
	if t.flatten != "" {
		for i, name := range d.Names {
			d.Names[i] = strings.ReplaceAll(name, ".", t.flatten)
		}
	}
	return d, nil
}

// put the key and the value, with the fields that were asked for. No document is no value.
func (t *newDocumentState) put(r *plugin.Record, e *documentEnvelope, change *data.Struct, id mongodoc.Value, d *mongodoc.Document) error {
	key := &mongodoc.Document{}
	key.Set("id", id)
	s, v, err := t.made("", key, nil, nil)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	r.KeySchema, r.Key = s, v
	if d == nil || len(d.Names) == 0 {
		r.ValueSchema, r.Value = nil, nil
		return nil
	}
	if s, v, err = t.made(strings.TrimSuffix(r.ValueSchema.Name, ".Envelope"), d, e.added, change); err != nil {
		return err
	}
	r.ValueSchema, r.Value = s, v
	if t.flat != nil {
		return t.flat(r)
	}
	return nil
}

func (t *newDocumentState) made(name string, d *mongodoc.Document, added []found, change *data.Struct) (*data.Schema, *data.Struct, error) {
	s := &data.Schema{Type: data.StructType, Name: name}
	if err := t.documents.Fields(s, d); err != nil {
		return nil, nil, err
	}
	b := smt.Builder{Schema: s}
	for _, f := range added {
		b.Add(f.name, f.schema)
	}
	s, err := b.Build()
	if err != nil {
		return nil, nil, err
	}
	s = t.shapes.one(s)
	v, err := t.documents.Struct(s, d)
	if err != nil {
		return nil, nil, err
	}
	for i, f := range added {
		v.Values[len(s.Fields)-len(added)+i] = f.of(change)
	}
	return s, v, nil
}
