package mongodoc

import (
	"strings"
	"testing"
)

// TestForms of extended JSON: legacy, canonical and relaxed ones are the same value.
func TestForms(t *testing.T) {
	for _, forms := range [][]string{
		{`5`, `{"$numberInt": "5"}`},
		{`3000000000`, `{"$numberLong": "3000000000"}`},
		{`1.5`, `{"$numberDouble": "1.5"}`},
		{`{"$date": 1700000000123}`, `{"$date": {"$numberLong": "1700000000123"}}`, `{"$date": "2023-11-14T22:13:20.123Z"}`},
		{`{"$binary": "AQI=","$type": "04"}`, `{"$binary": {"base64": "AQI=", "subType": "04"}}`},
		{`{"$regex": "a.b","$options": "i"}`, `{"$regularExpression": {"pattern": "a.b", "options": "i"}}`},
		{`{"$timestamp": {"t": 5,"i": 6}}`},
		{`{"$numberDecimal": "1.50"}`},
		{`{"$oid": "5f2a1b2c3d4e5f6071829304"}`},
		{`{"$undefined": true}`},
		{`null`},
		{`[{"a": []}]`},
	} {
		want := ""
		for i, form := range forms {
			d, err := Parse(`{"v": ` + form + `}`)
			if err != nil {
				t.Fatal(err)
			}
			text := Text(d)
			if again, err := Parse(text); err != nil || Text(again) != text {
				t.Errorf("%s does not come back: %v", text, err)
			}
			if i == 0 {
				want = text
			} else if text != want {
				t.Errorf("%s is %s, want %s", form, text, want)
			}
		}
	}
}

func TestNoDocuments(t *testing.T) {
	for _, text := range []string{``, `[]`, `5`, `{`, `{} {}`, `{"a": {"$oid": "5"}}`, `{"a": {"$numberLong": "x"}}`, `{"a": {"$date": true}}`,
		`{"a": {"$binary": "!","$type": "00"}}`, `{"a": ` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`} {
		if d, err := Parse(text); err == nil {
			t.Errorf("%.40s is %s", text, Text(d))
		}
	}
}

// TestLooksExtended: fields may begin with a dollar, such as those of a query.
func TestLooksExtended(t *testing.T) {
	for _, text := range []string{`{"a": {"$gt": 5}}`, `{"a": {"$type": "string"}}`, `{"a": {"$ref": "c","$id": 5,"x": 1}}`} {
		d, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if v, _ := d.Get("a"); v.Type != Doc {
			t.Errorf("%s is of type %d", text, v.Type)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"a": [1, {"$date": 5}], "b": {"$binary": "AQI=", "$type": "00"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		for _, m := range []Maker{{}, {ArraysAsDocuments: true}} {
			schema, err := m.schema("d", Value{Type: Doc, Value: d})
			if err != nil {
				continue
			}
			if _, err := m.Struct(schema, d); err != nil {
				t.Errorf("%q has a schema, and is none of it: %v", text, err)
			}
		}
		Text(d)
	})
}
