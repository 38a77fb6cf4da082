package mongodb

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

func TestFields(t *testing.T) {
	tests := []struct{ exclude, renames, doc, want, update, wantUpdate string }{
		{"db.c.a", "", `{"a":1,"b":2}`, `{"b":2}`, `{"a.x":1,"ab":2,"a":3}`, `{"a.x":1,"ab":2}`}, // Debezium is content with the one it finds in full
		{"*.*.a.b", "", `{"a":[{"b":1,"c":2},{"b":3}],"b":1}`, `{"a":[{"c":2},{}],"b":1}`, `{"a.0.b":1,"a.1.c":2,"b":3}`, `{"a.1.c":2,"b":3}`},
		{"db.other.a", "", `{"a":1}`, `{"a":1}`, `{"a":1}`, `{"a":1}`},
		{"", "db.c.a.b:x", `{"a":{"b":1,"c":2}}`, `{"a":{"c":2,"x":1}}`, `{"a.b":1,"c":2}`, `{"c":2,"a.x":1}`},
		{"", "db.c.a:x", `{"a":1,"b":2}`, `{"b":2,"x":1}`, `{"a.0.z":1,"b":2}`, `{"b":2,"x.0.z":1}`},
		{"db.c.a.b", "", `{"a":{"b":{"c":1}}}`, `{"a":{}}`, `{"a":{"b":1,"d":2},"e":3}`, `{"a":{"d":2},"e":3}`},
	}
	for _, test := range tests {
		rules, err := parseFields(test.exclude, test.renames)
		if err != nil {
			t.Fatal(err)
		}
		rules = rules.of(namespace{"db", "c"})
		check := func(change func(bson.Raw) (bson.Raw, error), doc, want string) {
			got, err := change(fromJSON(t, doc))
			if b, _ := bson.MarshalExtJSON(got, false, false); err != nil || string(b) != want {
				t.Errorf("%s%s of %s: %s, %v, want %s", test.exclude, test.renames, doc, b, err, want)
			}
		}
		check(rules.document, test.doc, test.want)
		check(rules.update, test.update, test.wantUpdate)
	}
}

func fromJSON(t *testing.T, text string) (doc bson.Raw) {
	t.Helper()
	if err := bson.UnmarshalExtJSON([]byte(text), false, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestWrongFields(t *testing.T) {
	for _, list := range []string{"a", "a.b", "a.b.", "a..b.c"} {
		if _, err := parseFields(list, ""); err == nil {
			t.Errorf("%q is no field", list)
		}
		if _, err := parseFields("", list+":x"); err == nil {
			t.Errorf("%q is no field", list)
		}
	}
	if _, err := parseFields("", "a.b.c"); err == nil {
		t.Error("a new name is missing")
	}
}

func TestJoinFragments(t *testing.T) {
	raw := func(doc bson.D) bson.Raw {
		b, err := bson.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	split := func(n, of int32, more ...bson.E) bson.D {
		return append(bson.D{{Key: "_id", Value: bson.D{{Key: "_data", Value: "82"}, {Key: "n", Value: n}}},
			{Key: "splitEvent", Value: bson.D{{Key: "fragment", Value: n}, {Key: "of", Value: of}}}}, more...)
	}
	var reader eventReader
	for i, doc := range []bson.D{
		split(1, 3, bson.E{Key: "operationType", Value: "update"}, bson.E{Key: "ns", Value: bson.D{{Key: "db", Value: "d"}, {Key: "coll", Value: "c"}}}),
		split(2, 3, bson.E{Key: "fullDocument", Value: bson.D{{Key: "_id", Value: 1}}}),
		split(3, 3, bson.E{Key: "documentKey", Value: bson.D{{Key: "_id", Value: 1}}}),
	} {
		e, err := readEvent(raw(doc))
		if err != nil {
			t.Fatal(err)
		}
		whole, err := reader.join(&e)
		if err != nil || whole != (i == 2) {
			t.Fatalf("fragment %d: %t, %v", i+1, whole, err)
		}
		if whole && (e.operation != "update" || e.ns.coll != "c" || e.full == nil || e.key == nil || e.token.Lookup("n").Int32() != 3) {
			t.Errorf("joined: %+v", e)
		}
	}
	reader.fragments = make([]event, 1)
	if _, err := reader.join(&event{}); err == nil {
		t.Error("a fragment is missing")
	}
}
