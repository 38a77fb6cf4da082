package debezium

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// message is a document of an outbox.
func message(id any, kind string, of, payload any, more ...bson.E) bson.D {
	return append(bson.D{{Key: "_id", Value: id}, {Key: "aggregatetype", Value: kind}, {Key: "aggregateid", Value: of},
		{Key: "type", Value: "Created"}, {Key: "payload", Value: payload}}, more...)
}

// outbox makes the documents that mongoRouters route.
func (w *mongoWorkload) outbox(t testing.TB) {
	t.Helper()
	object := bson.D{{Key: "i", Value: 1}, {Key: "l", Value: int64(3e9)}, {Key: "f", Value: 1.5}, {Key: "s", Value: "x"}, {Key: "b", Value: true}, {Key: "n", Value: nil},
		{Key: "a", Value: bson.A{1, 2}}, {Key: "o", Value: bson.D{{Key: "x", Value: "y"}}}, {Key: "id", Value: objectID}, {Key: "at", Value: moment}, {Key: "d", Value: decimal("2.50")}}
	w.insert(t, "box_plain", message(objectID, "Plain", "p-1", object), message(int32(7), "Plain", "p-1", "text"), message("e1", "Other.kind", "", `{"a": 1}`),
		message("e2", "Plain", "p-2", nil), message(int64(8), "Plain", objectID, bson.A{1, 2}))
	plain := w.db.Collection("box_plain")
	must(t, second(plain.UpdateByID(t.Context(), "e1", bson.M{"$set": bson.M{"type": "Changed"}})))
	must(t, second(plain.DeleteMany(t.Context(), bson.M{"_id": bson.M{"$ne": "e1"}})))
	w.insert(t, "box_headers",
		message("h1", "Headers", "h-1", object, bson.E{Key: "tenant", Value: 7}, bson.E{Key: "at", Value: moment}, bson.E{Key: "price", Value: decimal("12.30")}, bson.E{Key: "flag", Value: true}),
		message("h3", "Headers", "h-2", bson.D{{Key: "none", Value: bson.A{}}, {Key: "empty", Value: bson.D{}}, {Key: "deep", Value: bson.A{bson.A{"x", "y"}, bson.A{"z"}}},
			{Key: "docs", Value: bson.A{bson.D{{Key: "a", Value: bson.A{true}}}}}, {Key: "text", Value: "é 한 \"q\" \\ / \n<&>'"}, {Key: "big", Value: 1e21}, {Key: "small", Value: 0.0001},
			{Key: "bin", Value: bson.Binary{Subtype: 0x80, Data: []byte{0, 255}}}, {Key: "re", Value: bson.Regex{Pattern: "a/b", Options: "im"}}, {Key: "ts", Value: bson.Timestamp{T: 5, I: 6}}},
			bson.E{Key: "tenant", Value: nil}, bson.E{Key: "at", Value: objectID}, bson.E{Key: "price", Value: bson.A{"x"}}, bson.E{Key: "flag", Value: "no"}),
		message("h2", "Headers", "h-2", "x", bson.E{Key: "tenant", Value: int64(8)}, bson.E{Key: "at", Value: "then"}, bson.E{Key: "price", Value: 1.5}, bson.E{Key: "flag", Value: false}))
	w.insert(t, "box_envelope",
		message("v1", "Envelope", "v-1", object, bson.E{Key: "tenant", Value: 7}, bson.E{Key: "at", Value: int64(1_700_000_000_123)}, bson.E{Key: "version", Value: 3}),
		message("v2", "Envelope", "v-1", object, bson.E{Key: "tenant", Value: 8}, bson.E{Key: "at", Value: int64(5)}, bson.E{Key: "version", Value: 4}))
	w.insert(t, "box_expanded", message("x1", "Expanded", "x-1", object), message("x2", "Expanded", "x-1", bson.D{{Key: "i", Value: 2}}), message("x3", "Expanded", "x-1", "text"))
	routed := func(id, kind string, ref, body any) bson.D {
		return bson.D{{Key: "_id", Value: id}, {Key: "kind", Value: kind}, {Key: "ref", Value: ref}, {Key: "body", Value: body}}
	}
	w.insert(t, "box_routed", routed("r1", "Routed-Created", "a", "x"), routed("r2", "Routed-Gone", "a", ""), routed("r3", "Routed-Gone", "b", "  "), routed("r4", "Routed-Gone", int64(5), nil))
}
