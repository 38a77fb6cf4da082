package outbox

import (
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/mongodoc"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

// Collection is the keys of io.debezium.connector.mongodb.transforms.outbox.MongoEventRouter.
var Collection = definition("collection", "field", "_id", "")

// mongoRouter routes documents, which are strings of JSON in their envelopes.
type mongoRouter struct {
	*router
	expandPayload bool
	documents     mongodoc.Maker
	shapes        shapes
	envelopes     envelopeSchemas
}

// NewCollection makes one for documents of collections.
func NewCollection(c config.Values) (plugin.Transform, error) {
	r, err := newRouter(c, "collection")
	if err != nil {
		return nil, err
	}
	if r.key == "" {
		r.key = "aggregateid"
	}
	return &mongoRouter{router: r, expandPayload: c.Bool("collection.expand.json.payload")}, nil
}

func (t *mongoRouter) Apply(r *plugin.Record) (bool, error) { return t.route(r, t.document) }

var debeziumTime = data.Named(data.Int64, "io.debezium.time.Timestamp")

// document makes a struct of the string "after".
func (t *mongoRouter) document(r *plugin.Record) error {
	change, err := smt.Struct(r.Value, "Outbox converter")
	if err != nil {
		return err
	}
	at := change.Schema.Field("after")
	if at < 0 {
		return errors.New("Unknown field: after") //nolint:staticcheck // Kafka Connect's own words
	}
	text, ok := change.Values[at].(string)
	if !ok {
		return fmt.Errorf("Unable to expand non-String after field: %s", smt.Kind(change.Values[at])) //nolint:staticcheck // Debezium's own words
	}
	d, err := mongodoc.Parse(text)
	if err != nil {
		return err
	}
	s, err := t.documentSchema(change.Schema.Fields[at].Schema.Name, d)
	if err != nil {
		return err
	}
	s = t.shapes.one(s)
	row, err := t.documentStruct(s, d)
	if err != nil {
		return err
	}
	r.ValueSchema, r.Value = t.envelopes.with(change, at, s, row)
	return nil
}

// documentSchema begins with the fields that are not as their types say.
func (t *mongoRouter) documentSchema(name string, d *mongodoc.Document) (*data.Schema, error) {
	s := &data.Schema{Type: data.StructType, Name: name}
	for i, field := range d.Names {
		switch {
		case field == t.timestamp:
			s.Fields = append(s.Fields, data.Field{Name: field, Schema: debeziumTime})
		case t.staysText(field, d.Values[i]):
			s.Fields = append(s.Fields, data.Field{Name: field, Schema: optString})
		}
	}
	return s, t.documents.Fields(s, d)
}

// staysText: a payload that is a document, unless it is to be expanded.
func (t *mongoRouter) staysText(field string, v mongodoc.Value) bool {
	return field == t.payload && !t.expandPayload && v.Type == mongodoc.Doc
}

func (t *mongoRouter) documentStruct(s *data.Schema, d *mongodoc.Document) (*data.Struct, error) {
	row := data.NewStruct(s)
	for i, f := range s.Fields {
		v, _ := d.Get(f.Name)
		var err error
		switch {
		case f.Name == t.timestamp:
			if _, ok := v.Value.(int64); !ok {
				return nil, fmt.Errorf("the time %s is no 64-bit integer", f.Name)
			}
			row.Values[i] = v.Value
		case t.staysText(f.Name, v):
			row.Values[i] = mongodoc.Text(v.Value.(*mongodoc.Document))
		default:
			if row.Values[i], err = t.documents.Value(f.Schema, v); err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
		}
	}
	return row, nil
}
