package mongodb

import (
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/mongodb/internal/extjson"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func (r *recorder) envelope(c *collection, op debezium.Op, e *event) (*data.Struct, int, error) {
	v := data.NewStruct(c.value)
	v.Values[envelopeOp], v.Values[envelopeMillis] = string(op), r.now
	var err error
	set := func(at int, doc bson.Raw) {
		if err == nil {
			v.Values[at], err = r.text(r.document, doc, c.fields.document)
		}
	}
	switch op {
	case debezium.Create:
		set(envelopeAfter, e.full)
	case debezium.Delete:
		set(envelopeBefore, e.before)
	default:
		set(envelopeBefore, e.before)
		set(envelopeAfter, e.full)
	}
	if op == debezium.Update && e.update != nil && err == nil {
		v.Values[envelopeUpdate], err = r.updateOf(c, e.update)
	}
	return v, len(e.full) + len(e.before) + len(e.update) + len(e.full)/2, err
}

func (r *recorder) updateOf(c *collection, raw bson.Raw) (any, error) {
	u := data.NewStruct(updateDescription)
	var removed, truncated []any
	for _, v := range elements(raw, "removedFields") {
		if name, ok := v.StringValueOK(); ok {
			if name, ok = c.fields.name(name); ok {
				removed = append(removed, name)
			}
		}
	}
	for _, v := range elements(raw, "truncatedArrays") {
		array, _ := v.DocumentOK()
		name, _ := array.Lookup("field").StringValueOK()
		size, _ := array.Lookup("newSize").AsInt64OK()
		if name, ok := c.fields.name(name); ok {
			truncated = append(truncated, &data.Struct{Schema: truncatedArray, Values: []any{name, int32(size)}}) //nolint:gosec // an array's size
		}
	}
	if removed != nil {
		u.Values[updateRemoved] = removed
	}
	if truncated != nil {
		u.Values[updateTruncated] = truncated
	}
	updated, _ := raw.Lookup("updatedFields").DocumentOK()
	var err error
	u.Values[updateUpdated], err = r.text(r.update, updated, c.fields.update)
	return u, err
}

func elements(raw bson.Raw, key string) []bson.RawValue {
	array, ok := raw.Lookup(key).ArrayOK()
	if !ok {
		return nil
	}
	values, _ := array.Values()
	return values
}

// text of a document as it is shown; nil where there is none.
func (r *recorder) text(f extjson.Format, doc bson.Raw, change func(bson.Raw) (bson.Raw, error)) (any, error) {
	if doc == nil {
		return nil, nil
	}
	doc, err := change(doc)
	if err != nil {
		return nil, err
	}
	if r.buffer, err = f.Append(r.buffer[:0], doc); err != nil {
		return nil, err
	}
	return string(r.buffer), nil
}
