package mongodb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/mongodb/internal/extjson"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// chunkReader is the database as incremental snapshots see it. A mark is a majority's before a
// chunk is read, so that reading sees all that comes by before the mark.
type chunkReader struct{ task *task }

func (c *chunkReader) collection(ns namespace) *mongo.Collection {
	return c.task.client.Database(ns.db).Collection(ns.coll, options.Collection().
		SetReadConcern(readconcern.Majority()).SetReadPreference(readpref.Primary()).SetWriteConcern(writeconcern.Majority()))
}

// Mark implements incremental.Database.
func (c *chunkReader) Mark(ctx context.Context, id, kind, text string) error {
	_, err := c.collection(c.task.settings.signals).InsertOne(ctx, bson.D{{Key: idField, Value: id}, {Key: "type", Value: kind}, {Key: "payload", Value: text}})
	return err
}

// Unmark implements incremental.Database.
func (c *chunkReader) Unmark(ctx context.Context, id string) error {
	_, err := c.collection(c.task.settings.signals).DeleteOne(ctx, bson.D{{Key: idField, Value: id}})
	return err
}

// Last implements incremental.Database.
func (c *chunkReader) Last(ctx context.Context, t incremental.Table) (incremental.Key, error) {
	query, err := condition(t)
	if err != nil {
		return nil, err
	}
	o := options.FindOne().SetSort(bson.D{{Key: idField, Value: -1}}).SetProjection(byID)
	doc, err := c.collection(namespace{t.ID.Catalog, t.ID.Table}).FindOne(ctx, query, o).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return keyOf(doc.Lookup(idField))
}

// Rows implements incremental.Database.
func (c *chunkReader) Rows(ctx context.Context, t incremental.Table, after, until incremental.Key, limit int) ([]incremental.Row, error) {
	query, err := condition(t)
	if err != nil {
		return nil, err
	}
	last, err := idOf(until)
	if err != nil {
		return nil, err
	}
	// A comparison of expressions goes across types, as the index does.
	query = bson.D{{Key: "$and", Value: bson.A{query, bson.D{{Key: "$expr", Value: bson.D{{Key: "$lte", Value: bson.A{"$_id", bson.D{{Key: "$literal", Value: last}}}}}}}}}}
	o := options.Find().SetSort(byID).SetHint(byID).SetLimit(int64(limit) + 1)
	var first bson.RawValue
	if after != nil {
		if first, err = idOf(after); err != nil {
			return nil, err
		}
		o.SetMin(bson.D{{Key: idField, Value: first}})
	}
	ns := namespace{t.ID.Catalog, t.ID.Table}
	cursor, err := c.collection(ns).Find(ctx, query, o)
	if err != nil {
		return nil, err
	}
	defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
	rows, err := c.rows(ctx, cursor, ns, first, limit)
	if err == nil {
		err = cursor.Err()
	}
	return rows, err
}

// maxChunkBytes is when a chunk has enough rows, however few they are.
const maxChunkBytes = 8 << 20

func (c *chunkReader) rows(ctx context.Context, cursor *mongo.Cursor, ns namespace, after bson.RawValue, limit int) (rows []incremental.Row, err error) {
	w, size := rowWriter{settings: c.task.settings, fields: c.task.settings.fields.of(ns)}, 0
	for len(rows) < limit && size < maxChunkBytes && cursor.Next(ctx) {
		id, err := cursor.Current.LookupErr(idField)
		if err != nil {
			return nil, err
		}
		if id.Type == after.Type && bytes.Equal(id.Value, after.Value) {
			continue
		}
		row, err := w.row(id, cursor.Current)
		if err != nil {
			return nil, err
		}
		key, err := keyOf(row.id)
		if err != nil {
			return nil, err
		}
		rows, size = append(rows, incremental.Row{Key: key, ID: row.key, Values: []any{&row}}), size+row.bytes
	}
	return rows, nil
}

func condition(t incremental.Table) (bson.D, error) {
	query := bson.D{}
	if strings.TrimSpace(t.Condition) == "" {
		return query, nil
	}
	if err := bson.UnmarshalExtJSON([]byte(t.Condition), false, &query); err != nil {
		return nil, fmt.Errorf("%w: the signal's filter of %s is no query in JSON: %w", incremental.ErrUnknownTable, t.ID, err)
	}
	return query, nil
}

// keyOf an _id, as text that keeps its type.
func keyOf(id bson.RawValue) (incremental.Key, error) {
	text, err := extjson.Format{Mode: extjson.Extended}.AppendValue(nil, id)
	return incremental.Key{string(text)}, err
}

// showKey as notifications have it: values without their types.
func showKey(key incremental.Key) string {
	id, err := idOf(key)
	if err != nil {
		return strings.Join(key, ",")
	}
	if o, ok := id.ObjectIDOK(); ok {
		return o.Hex()
	}
	return plainText(id)
}

func idOf(key incremental.Key) (bson.RawValue, error) {
	var doc bson.Raw
	err := bson.UnmarshalExtJSON([]byte(`{"_id": `+strings.Join(key, "")+`}`), true, &doc)
	if err != nil {
		return bson.RawValue{}, fmt.Errorf("the incremental snapshot's key %v: %w", key, err)
	}
	return doc.Lookup(idField), nil
}
