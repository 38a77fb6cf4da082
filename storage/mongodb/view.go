package mongodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/projection"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// ViewConfig of a View; the zero value is usable.
type ViewConfig struct {
	// Tombstones is how long the version of a deleted document is remembered: for so
	// long a worker of the projection may have been stopped without bringing the
	// document back when it goes on. 24 h, at least 1 s.
	Tombstones time.Duration
}

// View is a read model: a collection whose documents are written by version. A
// document is as it was given, with its id under _id and its version under _version. A
// deleted one is a document with _id, _version and _deletedAt until
// ViewConfig.Tombstones have passed; queries leave it out with Live.
//
// A projection whose offsets are in another database writes it at least once (Handler);
// the versions make that the same as once. Within DB.Update, with the context that
// Tx.Context returns, it is a part of the transaction.
//
// A projection that was reset finds all versions there already and changes nothing: where
// the mapping has changed, Clear the view first, or write to another one and
// switch over.
type View struct {
	db         *DB
	collection *mongo.Collection
}

var _ projection.Target = (*View)(nil)

const defaultTombstones = 24 * time.Hour

// The fields of a View's own.
const (
	fieldVersion = "_version"
	fieldDeleted = "_deletedAt"
)

// View opens the read model in that collection, and makes it with its index where it is
// not there.
func (db *DB) View(ctx context.Context, collection string, config ViewConfig) (*View, error) {
	switch {
	case collection == "":
		return nil, errors.New("mongodb: a view needs the name of a collection")
	case config.Tombstones == 0:
		config.Tombstones = defaultTombstones
	case config.Tombstones < time.Second:
		return nil, fmt.Errorf("mongodb: view %s: tombstones of %s, at least 1 s is needed", collection, config.Tombstones)
	}
	v := &View{db: db, collection: db.database.Collection(collection)}
	return v, failed("make view "+collection, v.expireTombstones(ctx, int32(config.Tombstones.Seconds())))
}

// indexConflict: there is one with another time.
const indexConflict = 85

func (v *View) expireTombstones(ctx context.Context, seconds int32) error {
	keys := bson.D{{Key: fieldDeleted, Value: 1}}
	_, err := v.collection.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: keys, Options: options.Index().SetExpireAfterSeconds(seconds).SetSparse(true)})
	if !hasCode(err, indexConflict) {
		return err
	}
	return v.db.database.RunCommand(ctx, bson.D{{Key: "collMod", Value: v.collection.Name()},
		{Key: "index", Value: bson.D{{Key: "keyPattern", Value: keys}, {Key: "expireAfterSeconds", Value: seconds}}}}).Err()
}

// Handler keeps the view by a projection: for projection.Config.Outside.
func (v *View) Handler(mapping projection.Mapping) projection.OutsideHandler {
	return projection.Into(v, mapping)
}

// Put stores a document, anything that BSON can hold, where the stored one is of a lower
// version or not there. Its fields _id, _version and _deletedAt are overwritten.
func (v *View) Put(ctx context.Context, id string, version int64, document any) error {
	if document == nil {
		return v.wrong(id, "the document is nil, delete it by Delete")
	}
	return v.Apply(ctx, []projection.Change{{ID: id, Version: version, Document: document}})
}

// Delete deletes a document of a lower version.
func (v *View) Delete(ctx context.Context, id string, version int64) error {
	return v.Apply(ctx, []projection.Change{{ID: id, Version: version}})
}

// Apply implements projection.Target: one round trip for all changes.
func (v *View) Apply(ctx context.Context, changes []projection.Change) error {
	if len(changes) == 0 {
		return nil
	}
	writes := make([]mongo.WriteModel, len(changes))
	for i, c := range changes {
		content, err := v.content(c)
		if err != nil {
			return err
		}
		keep := bson.D{{Key: "$gte", Value: bson.A{"$" + fieldVersion, c.Version}}} // false for what is not there
		writes[i] = mongo.NewUpdateOneModel().SetUpsert(true).SetFilter(byID(c.ID)).SetUpdate(mongo.Pipeline{
			{{Key: "$replaceWith", Value: bson.D{{Key: "$cond", Value: bson.A{keep, "$$ROOT", content}}}}},
		})
	}
	_, err := v.collection.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
	if err != nil && v.db.Transient(err) {
		err = errors.Join(projection.ErrUnavailable, err)
	}
	return failed("write to view "+v.collection.Name(), err)
}

// content is an expression.
func (v *View) content(c projection.Change) (bson.D, error) {
	switch {
	case c.ID == "":
		return nil, v.wrong(c.ID, "the id is empty")
	case c.Version < 1:
		return nil, v.wrong(c.ID, fmt.Sprintf("version %d, versions begin at 1", c.Version))
	case c.Document == nil:
		return bson.D{{Key: "_id", Value: literal(c.ID)}, {Key: fieldVersion, Value: literal(c.Version)}, {Key: fieldDeleted, Value: "$$NOW"}}, nil
	}
	encoded, err := bson.Marshal(c.Document)
	var fields bson.D
	if err == nil {
		err = bson.Unmarshal(encoded, &fields)
	}
	if err != nil {
		return nil, v.wrong(c.ID, err.Error())
	}
	whole := byID(c.ID)
	for _, f := range fields {
		if f.Key != "_id" && f.Key != fieldVersion && f.Key != fieldDeleted {
			whole = append(whole, f)
		}
	}
	return literal(append(whole, bson.E{Key: fieldVersion, Value: c.Version})), nil
}

func (v *View) wrong(id, what string) error {
	return fmt.Errorf("mongodb: document %q of view %s: %s", id, v.collection.Name(), what)
}

// Get decodes a document into a pointer; ok is false where there is none, or it was
// deleted at that version.
func (v *View) Get(ctx context.Context, id string, into any) (version int64, ok bool, err error) {
	raw, err := v.collection.FindOne(ctx, byID(id)).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, failed("read from view "+v.collection.Name(), err)
	}
	version, _ = raw.Lookup(fieldVersion).AsInt64OK()
	if _, err := raw.LookupErr(fieldDeleted); err == nil {
		return version, false, nil
	}
	if err := bson.Unmarshal(raw, into); err != nil {
		return 0, false, v.wrong(id, err.Error())
	}
	return version, true, nil
}

// Live is a part of a filter that leaves out what was deleted.
func Live() bson.E { return bson.E{Key: fieldDeleted, Value: nil} }

// Collection is for queries.
func (v *View) Collection() *mongo.Collection { return v.collection }

// Clear deletes all documents and tombstones: before the projection is reset, while it
// does not run.
func (v *View) Clear(ctx context.Context) error {
	_, err := v.collection.DeleteMany(ctx, bson.D{})
	return failed("clear view "+v.collection.Name(), err)
}
