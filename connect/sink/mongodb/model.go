package mongodb

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// modelOf is what a record does to its collection; nil is nothing.
func (s *settings) modelOf(r *plugin.SinkRecord) (mongo.WriteModel, error) {
	op, isText := field(r.Value, "op").(string)
	switch {
	case r.Value == nil && r.Key == nil:
		return nil, nil
	case r.Value == nil:
		id, err := idOf(r.Key)
		return deletion(id), err
	case isText && (has(r.Value, "after") || has(r.Value, "before")):
		return s.changeModel(r, op)
	case !isText && has(r.Value, "ddl"):
		return nil, nil // a change of a table's definition
	}
	return s.plainModel(r)
}

func (s *settings) changeModel(r *plugin.SinkRecord, op string) (mongo.WriteModel, error) {
	switch op {
	case "m":
		return nil, nil
	case "t":
		if !s.truncate {
			return nil, nil
		}
		return mongo.NewDeleteManyModel().SetFilter(bson.D{}), nil
	case "c", "r", "u", "d":
	default:
		return nil, fmt.Errorf("no CDC operation found in mapping for op=%s", op)
	}
	if has(r.Value, "updateDescription") {
		return s.mongoModel(r, op)
	}
	return s.relationalModel(r, op)
}

// relationalModel is a row, whose _id are its key's columns.
func (s *settings) relationalModel(r *plugin.SinkRecord, op string) (mongo.WriteModel, error) {
	filter, key, err := rowFilter(r, op)
	if err != nil {
		return nil, err
	}
	if op == "d" {
		return mongo.NewDeleteOneModel().SetFilter(filter), nil
	}
	after, err := documentOf(field(r.Value, "after"))
	if err != nil || len(after) == 0 {
		return nil, errors.New("Value document must contain non-empty 'after' field of type document for insert/update operation") //nolint:staticcheck // Debezium's own words
	}
	after = slices.DeleteFunc(after, func(e bson.E) bool { return index(key, e.Key) >= 0 || !s.shown(r.Topic, e.Key) })
	if filter[0].Key == idField {
		after = append(bson.D{filter[0]}, after...)
	}
	return replacement(filter, after), nil
}

const idField = "_id"

// rowFilter finds a row's document: by its key, else as it was before, or a new one by its place.
func rowFilter(r *plugin.SinkRecord, op string) (filter, key bson.D, err error) {
	if r.Key != nil {
		if key, err = documentOf(r.Key); err != nil {
			return nil, nil, fmt.Errorf("the key: %w", err)
		}
	}
	switch {
	case len(key) > 0:
		return bson.D{{Key: idField, Value: key}}, key, nil
	case op == "c" || op == "r":
		return bson.D{{Key: idField, Value: placeOf(r)}}, nil, nil
	}
	before, err := documentOf(field(r.Value, "before"))
	if err != nil || len(before) == 0 {
		return nil, nil, errors.New("the change has neither a key nor a row before it, so nobody knows which document it is about")
	}
	return before, nil, nil
}

// placeOf is an id that the record has whenever it comes.
func placeOf(r *plugin.SinkRecord) bson.D {
	return bson.D{{Key: "topic", Value: r.From.Topic}, {Key: "partition", Value: r.From.Partition}, {Key: "offset", Value: r.Offset}}
}

// mongoModel is a change of another MongoDB.
func (s *settings) mongoModel(r *plugin.SinkRecord, op string) (mongo.WriteModel, error) {
	text, ok := field(r.Key, "id").(string)
	if !ok {
		return nil, errors.New("the key has no id, as those of changes of MongoDB have")
	}
	id, err := parseID(text)
	if err != nil {
		return nil, err
	}
	if op == "d" {
		return deletion(id), nil
	}
	after, ok := field(r.Value, "after").(string)
	if !ok {
		return updateModel(id, field(r.Value, "updateDescription"))
	}
	doc, err := parseDocument(after)
	if err != nil {
		return nil, err
	}
	doc = slices.DeleteFunc(doc, func(e bson.E) bool { return e.Key == idField || !s.shown(r.Topic, e.Key) })
	return replacement(byID(id), append(byID(id), doc...)), nil
}

// updateModel changes the fields that an update names, of a document that is there.
func updateModel(id any, description any) (mongo.WriteModel, error) {
	var update bson.D
	if text, ok := field(description, "updatedFields").(string); ok {
		set, err := parseDocument(text)
		if err != nil {
			return nil, err
		}
		if len(set) > 0 {
			update = append(update, bson.E{Key: "$set", Value: set})
		}
	}
	removed, _ := field(description, "removedFields").([]any)
	unset := bson.D{}
	for _, name := range removed {
		if name, ok := name.(string); ok {
			unset = append(unset, bson.E{Key: name, Value: ""})
		}
	}
	if len(unset) > 0 {
		update = append(update, bson.E{Key: "$unset", Value: unset})
	}
	if truncated, _ := field(description, "truncatedArrays").([]any); len(truncated) > 0 {
		return nil, errors.New("an update shortens an array and comes without the document after it: use capture.mode=change_streams_update_full at the source")
	}
	if update == nil {
		return nil, nil
	}
	return mongo.NewUpdateOneModel().SetFilter(byID(id)).SetUpdate(update), nil
}

// plainModel is a document by its key.
func (s *settings) plainModel(r *plugin.SinkRecord) (mongo.WriteModel, error) {
	doc, err := plainDocument(r)
	if err != nil {
		return nil, err
	}
	var id any
	switch at := index(doc, idField); {
	case r.Key != nil:
		if id, err = idOf(r.Key); err != nil {
			return nil, err
		}
	case at >= 0:
		id = doc[at].Value
	default:
		id = placeOf(r)
	}
	doc = slices.DeleteFunc(doc, func(e bson.E) bool { return e.Key == idField || !s.shown(r.Topic, e.Key) })
	return replacement(byID(id), append(byID(id), doc...)), nil
}

// plainDocument of a struct, a map, or text that is a document in JSON.
func plainDocument(r *plugin.SinkRecord) (bson.D, error) {
	switch v := r.Value.(type) {
	case string:
		return parseDocument(v)
	case []byte:
		return parseDocument(string(v))
	default:
		return documentOf(v)
	}
}

// idOf a key: its fields as a document, or the value that it is.
func idOf(key any) (any, error) {
	switch key := key.(type) {
	case *data.Struct, *data.Map:
		doc, err := documentOf(key)
		if at := index(doc, idField); err == nil && at >= 0 && len(doc) == 1 {
			return doc[at].Value, nil
		}
		return doc, err
	case []any:
		return nil, errors.New("the key is an array, which cannot be an _id")
	}
	return valueOf(key)
}

func byID(id any) bson.D { return bson.D{{Key: idField, Value: id}} }

func deletion(id any) mongo.WriteModel { return mongo.NewDeleteOneModel().SetFilter(byID(id)) }

func replacement(filter, doc bson.D) mongo.WriteModel {
	return mongo.NewReplaceOneModel().SetFilter(filter).SetReplacement(doc).SetUpsert(true)
}

func index(doc bson.D, key string) int {
	return slices.IndexFunc(doc, func(e bson.E) bool { return e.Key == key })
}
