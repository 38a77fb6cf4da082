package mongodb

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/saga"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// LoadSagas is described at saga.Tx. Where another transaction has one locked, this one
// is run again; so Update waits for it, though MongoDB does not.
func (tx *Tx) LoadSagas(ctx context.Context, name string, ids []string) (out []saga.Record, err error) {
	wanted := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return saga.CheckID("id", id) != nil })
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	if len(wanted) == 0 || saga.CheckID("name", name) != nil {
		return nil, nil
	}
	ctx = tx.Context(ctx)
	for some := range slices.Chunk(wanted, idBatch) {
		found, err := tx.db.lockAndRead(ctx, keysOf(name, some))
		if err != nil {
			return nil, failed("load sagas", err)
		}
		out = append(out, records(found)...)
	}
	return out, nil
}

func keysOf(name string, ids []string) []sagaKey {
	keys := make([]sagaKey, len(ids))
	for i, id := range ids {
		keys[i] = sagaKey{name, id}
	}
	return keys
}

// lock is an update that no transaction makes while another has made it.
var lock = bson.D{{Key: "$inc", Value: bson.D{{Key: locksField, Value: int64(1)}}}}

// lockAndRead is one round trip for one saga, and two for many.
func (db *DB) lockAndRead(ctx context.Context, keys []sagaKey) ([]sagaDocument, error) {
	if len(keys) == 1 {
		var d sagaDocument
		err := db.sagas.FindOneAndUpdate(ctx, byID(keys[0]), lock).Decode(&d)
		if err != nil {
			return nil, absent(err)
		}
		return []sagaDocument{d}, nil
	}
	if err := db.lockSagas(ctx, keys); err != nil {
		return nil, err
	}
	cursor, err := db.sagas.Find(ctx, byID(anyOf(keys)), options.Find().SetSort(byID(1)))
	if err != nil {
		return nil, err
	}
	var found []sagaDocument
	err = cursor.All(ctx, &found)
	return found, err
}

func (db *DB) lockSagas(ctx context.Context, keys []sagaKey) error {
	_, err := db.sagas.UpdateMany(ctx, byID(anyOf(keys)), lock)
	return err
}

func anyOf[V any](values []V) bson.D { return bson.D{{Key: "$in", Value: values}} }

// InsertSagas is described at saga.Tx.
func (tx *Tx) InsertSagas(ctx context.Context, all []saga.Record) ([]bool, error) {
	valid, err := validSagas(all)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	ctx = tx.Context(ctx)
	known, err := tx.db.knownSagas(ctx, valid)
	if err != nil {
		return nil, failed("look for sagas", err)
	}
	inserted := make([]bool, len(all))
	var fresh []*saga.Record
	var documents []any
	for i, r := range valid {
		if known[keyOf(r)] {
			continue
		}
		known[keyOf(r)], inserted[i] = true, true
		fresh, documents = append(fresh, r), append(documents, newSaga(r))
	}
	entries, err := entriesOf(fresh)
	if err != nil {
		return nil, err
	}
	return inserted, insertSagas(ctx, "insert sagas", []inserts{{tx.db.sagas, documents}, {tx.db.entries, entries}})
}

func (db *DB) knownSagas(ctx context.Context, all []*saga.Record) (map[sagaKey]bool, error) {
	known := map[sagaKey]bool{}
	for some := range slices.Chunk(all, idBatch) {
		keys := make([]sagaKey, len(some))
		for i, r := range some {
			keys[i] = keyOf(r)
		}
		found, err := findKeys(ctx, db.sagas, byID(anyOf(keys)), options.Find())
		if err != nil {
			return nil, err
		}
		for _, key := range found {
			known[key] = true
		}
	}
	return known, nil
}

func findKeys(ctx context.Context, in *mongo.Collection, filter bson.D, opts *options.FindOptionsBuilder) (keys []sagaKey, err error) {
	cursor, err := in.Find(ctx, filter, opts.SetProjection(byID(1)))
	if err != nil {
		return nil, err
	}
	var found []struct {
		ID sagaKey `bson:"_id"`
	}
	err = cursor.All(ctx, &found)
	for _, f := range found {
		keys = append(keys, f.ID)
	}
	return keys, err
}

// inserts are documents for a collection.
type inserts struct {
	into      *mongo.Collection
	documents []any
}

func insertSagas(ctx context.Context, what string, all []inserts) error {
	for _, i := range all {
		if len(i.documents) == 0 {
			continue
		}
		_, err := i.into.InsertMany(ctx, i.documents)
		if mongo.IsDuplicateKeyError(err) {
			return lost("another transaction inserted the same saga", err)
		}
		if err != nil {
			return failed(what, err)
		}
	}
	return nil
}

// SaveSagas is described at saga.Tx.
func (tx *Tx) SaveSagas(ctx context.Context, all []saga.Record) error {
	valid, err := validSagas(all)
	if err != nil || len(all) == 0 {
		return err
	}
	met := make(map[sagaKey]bool, len(valid))
	writes := make([]mongo.WriteModel, len(valid))
	for i, r := range valid {
		if met[keyOf(r)] {
			return fmt.Errorf("mongodb: save sagas: saga %s/%s comes twice", r.Name, r.ID)
		}
		met[keyOf(r)] = true
		writes[i] = mongo.NewReplaceOneModel().SetFilter(append(byID(keyOf(r)), bson.E{Key: "revision", Value: r.Revision - 1})).SetReplacement(newSaga(r))
	}
	entries, err := entriesOf(valid)
	if err != nil {
		return err
	}
	ctx = tx.Context(ctx)
	done, err := tx.db.sagas.BulkWrite(ctx, writes)
	if err != nil {
		return failed("save sagas", err)
	}
	if done.MatchedCount < int64(len(valid)) {
		return tx.changed(ctx, valid)
	}
	return insertSagas(ctx, "save the timelines of sagas", []inserts{{tx.db.entries, entries}})
}

// changed names a saga that was not replaced: its revision is not the new one.
func (tx *Tx) changed(ctx context.Context, all []*saga.Record) error {
	for _, r := range all {
		n, err := tx.db.sagas.CountDocuments(ctx, append(byID(keyOf(r)), bson.E{Key: "revision", Value: r.Revision}))
		if err != nil {
			return failed("look for a saga that changed", err)
		}
		if n == 0 {
			return fmt.Errorf("mongodb: save saga %s/%s, revision %d: %w", r.Name, r.ID, r.Revision, saga.ErrChanged)
		}
	}
	return fmt.Errorf("mongodb: save %d sagas: %w", len(all), saga.ErrChanged)
}

// DueSagas is described at saga.Tx.
func (tx *Tx) DueSagas(ctx context.Context, name string, now time.Time, limit int) ([]saga.Record, error) {
	if limit <= 0 || saga.CheckID("name", name) != nil {
		return nil, nil
	}
	inside := tx.Context(ctx)
	keys, err := findKeys(inside, tx.db.sagas, append(bson.D{{Key: "name", Value: name},
		{Key: "due", Value: bson.D{{Key: "$lte", Value: now.UnixMicro()}}}}, tx.taken.others()...),
		options.Find().SetSort(ascending("due")).SetLimit(int64(limit)))
	if err == nil && len(keys) == 0 {
		return nil, tx.taken.freed(ctx)
	}
	var found []sagaDocument
	if err == nil {
		found, err = tx.db.lockAndRead(inside, keys)
	}
	if err != nil {
		tx.taken.note(ctx, keys, err)
		return nil, failed("look for sagas that are due", err)
	}
	due := records(found)
	slices.SortStableFunc(due, func(a, b saga.Record) int { return a.Due.Compare(b.Due) })
	return due, nil
}
