package debezium

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

var (
	objectID = bson.ObjectID{0x65, 0x43, 0x21, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	moment   = bson.NewDateTimeFromTime(time.Date(2024, 2, 29, 1, 2, 3, 456e6, time.UTC))
	uuid     = bson.Binary{Subtype: 4, Data: []byte("0123456789abcdef")}
)

// run makes the changes.
func (w *mongoWorkload) run(t testing.TB) {
	t.Helper()
	w.insert(t, "types", everyType("streamed"), doubles(), texts(), dates())
	for _, id := range []any{objectID, int32(7), int64(8), int64(math.MaxInt64), "text", `with "quotes" é`, 1.5, true, moment, uuid,
		bson.D{{Key: "a", Value: 1}, {Key: "b", Value: "x"}}, decimal("2.50"), bson.Timestamp{T: 5, I: 6}, nil} {
		w.insert(t, "ids", bson.D{{Key: "_id", Value: id}, {Key: "v", Value: 1}})
	}
	w.insert(t, "things", bson.D{{Key: "_id", Value: 2}, {Key: "name", Value: "b"}, {Key: "secret", Value: bson.D{{Key: "x", Value: 1}}},
		{Key: "list", Value: bson.A{bson.D{{Key: "inner", Value: 1}, {Key: "outer", Value: 2}}, 3, 4, 5}}})
	w.insert(t, "imaged", bson.D{{Key: "_id", Value: 1}, {Key: "a", Value: 1}})
	w.insert(t, "Odd-Name ä.b", bson.D{{Key: "_id", Value: 1}, {Key: "odd.field", Value: 1}, {Key: "$dollar", Value: 2}})
	w.updates(t)
	w.barrier(t)
	w.transactions(t)
	w.barrier(t)
	w.deletes(t)
	w.barrier(t)
	w.outbox(t)
	w.large(t)
	w.barrier(t)
}

func (w *mongoWorkload) updates(t testing.TB) {
	t.Helper()
	things := w.db.Collection("things")
	for _, update := range []any{
		bson.M{"$set": bson.D{{Key: "name", Value: "new"}}},
		bson.M{"$set": bson.D{{Key: "list.0.inner", Value: 9}, {Key: "secret", Value: "changed"}}, "$unset": bson.D{{Key: "nothing", Value: 1}}},
		bson.M{"$push": bson.D{{Key: "list", Value: 6}}},
		mongo.Pipeline{{{Key: "$set", Value: bson.D{{Key: "list", Value: bson.D{{Key: "$slice", Value: bson.A{"$list", 2}}}}}}}},
		bson.M{"$unset": bson.D{{Key: "secret", Value: 1}, {Key: "name", Value: 1}}},
		bson.M{"$inc": bson.D{{Key: "n", Value: int64(5)}}},
	} {
		must(t, second(things.UpdateByID(t.Context(), 2, update)))
		w.barrier(t)
	}
	must(t, second(things.ReplaceOne(t.Context(), bson.M{"_id": 1}, bson.D{{Key: "name", Value: "replaced"}})))
	must(t, second(things.UpdateByID(t.Context(), 3, bson.M{"$set": bson.D{{Key: "name", Value: "upserted"}}}, options.UpdateOne().SetUpsert(true))))
	must(t, second(w.db.Collection("imaged").UpdateByID(t.Context(), 1, bson.M{"$set": bson.M{"a": 2}})))
	must(t, second(w.db.Collection("types").UpdateByID(t.Context(), "streamed", bson.M{"$set": bson.D{{Key: "int", Value: int64(1) << 40}, {Key: "when", Value: moment}}})))
}

func (w *mongoWorkload) transactions(t testing.TB) {
	t.Helper()
	fail := false
	transaction := func(ctx context.Context) (any, error) {
		things := w.db.Collection("things")
		for _, id := range []int{10, 11} {
			if _, err := things.InsertOne(ctx, bson.D{{Key: "_id", Value: id}, {Key: "name", Value: "in a transaction"}}); err != nil {
				return nil, err
			}
		}
		if _, err := things.UpdateByID(ctx, 3, bson.M{"$set": bson.M{"in": "a transaction"}}); err != nil {
			return nil, err
		}
		if _, err := w.db.Collection("imaged").InsertOne(ctx, bson.D{{Key: "_id", Value: 10}}); err != nil || !fail {
			return nil, err
		}
		return nil, context.Canceled
	}
	for _, fail = range []bool{true, false} {
		err := w.db.Client().UseSession(t.Context(), func(ctx context.Context) error {
			_, err := mongo.SessionFromContext(ctx).WithTransaction(ctx, transaction)
			return err
		})
		if (err != nil) != fail {
			t.Fatal(err)
		}
	}
}

func (w *mongoWorkload) deletes(t testing.TB) {
	t.Helper()
	must(t, second(w.db.Collection("things").DeleteMany(t.Context(), bson.M{"_id": bson.M{"$gte": 2}})))
	must(t, second(w.db.Collection("ids").DeleteMany(t.Context(), bson.M{})))
	must(t, second(w.db.Collection("imaged").DeleteOne(t.Context(), bson.M{"_id": 1})))
	w.insert(t, "dropped", bson.D{{Key: "_id", Value: 1}})
	w.barrier(t)
	must(t, w.db.Collection("dropped").Drop(t.Context()))
}

func (w *mongoWorkload) large(t testing.TB) {
	t.Helper()
	w.insert(t, "large", bson.D{{Key: "_id", Value: 1}, {Key: "text", Value: strings.Repeat("0123456789", 30_000)}})
	var many []any
	for i := range 2000 {
		many = append(many, bson.D{{Key: "_id", Value: i}, {Key: "v", Value: i * i}})
	}
	w.insert(t, "many", many...)
}

func second[T any](_ T, err error) error { return err }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func decimal(text string) bson.Decimal128 {
	d, _ := bson.ParseDecimal128(text)
	return d
}

// everyType is a document with a field of each type of BSON.
func everyType(id string) bson.D {
	return bson.D{
		{Key: "_id", Value: id}, {Key: "double", Value: 1.5}, {Key: "string", Value: "text"},
		{Key: "object", Value: bson.D{{Key: "b", Value: 1}, {Key: "a", Value: bson.D{}}}}, {Key: "array", Value: bson.A{1, "two", nil, bson.A{}}},
		{Key: "binary", Value: bson.Binary{Data: []byte{0, 1, 255}}}, {Key: "uuid", Value: uuid}, {Key: "old", Value: bson.Binary{Subtype: 3, Data: uuid.Data}},
		{Key: "user", Value: bson.Binary{Subtype: 0x80, Data: []byte("x")}}, {Key: "undefined", Value: bson.Undefined{}}, {Key: "id", Value: objectID},
		{Key: "bool", Value: true}, {Key: "date", Value: moment}, {Key: "null", Value: nil}, {Key: "regex", Value: bson.Regex{Pattern: "a/b\"", Options: "im"}},
		{Key: "pointer", Value: bson.DBPointer{DB: "db.c", Pointer: objectID}}, {Key: "code", Value: bson.JavaScript("f()")}, {Key: "symbol", Value: bson.Symbol("s")},
		{Key: "scoped", Value: bson.CodeWithScope{Code: "g()", Scope: bson.D{{Key: "x", Value: 1}}}}, {Key: "int", Value: int32(7)},
		{Key: "timestamp", Value: bson.Timestamp{T: 1234567890, I: 7}}, {Key: "long", Value: int64(8)}, {Key: "decimal", Value: decimal("12.3400")},
		{Key: "min", Value: bson.MinKey{}}, {Key: "max", Value: bson.MaxKey{}},
	}
}

func doubles() bson.D {
	return bson.D{{Key: "_id", Value: "doubles"}, {Key: "all", Value: bson.A{0.0, math.Copysign(0, -1), 1.0, 100.0, 0.1, 1e7, 1.0e6, 12345678.9, 1e21, 1e22,
		0.001, 0.0001, 1e-7, math.MaxFloat64, math.SmallestNonzeroFloat64, math.NaN(), math.Inf(1), math.Inf(-1)}},
		{Key: "longs", Value: bson.A{int64(math.MinInt64), int64(math.MaxInt64), int32(math.MinInt32)}},
		{Key: "decimals", Value: bson.A{decimal("NaN"), decimal("Infinity"), decimal("-1E+6000"), decimal("0E-10"), decimal("-0"), decimal("1234567890123456789012345678901234")}}}
}

func texts() bson.D {
	return bson.D{{Key: "_id", Value: "texts"}, {Key: "all", Value: bson.A{"", "é 한국어 😀", "\"quoted\" \\ / \n\r\t\b\f", "\x00\x01\x1f\x7f\u0080\u2028", "<&>'"}},
		{Key: "a \"key\"", Value: 1}, {Key: "", Value: "no name"}}
}

func dates() bson.D {
	return bson.D{{Key: "_id", Value: "dates"}, {Key: "all", Value: bson.A{bson.DateTime(0), bson.DateTime(-1), bson.DateTime(-62135596800000),
		bson.DateTime(253402300799999), bson.DateTime(253402300800000), bson.DateTime(math.MaxInt64), moment}}}
}
