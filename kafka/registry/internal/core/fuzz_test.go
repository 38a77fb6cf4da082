package core_test

import (
	"testing"

	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

// FuzzSchema: no text makes the registry fall, and what it takes it takes again as the same.
func FuzzSchema(f *testing.F) {
	for _, text := range []string{
		`"int"`, `{"type":"record","name":"a.R","fields":[{"name":"n","type":["null","R"],"default":null}]}`,
		`{"type":"enum","name":"E","symbols":["A"],"default":"A","aliases":["x.Y"]}`, `{"type":"map","values":{"type":"fixed","name":"F","size":3}}`,
		`{"type":"object","properties":{"a":{"$ref":"#"},"b":{"$ref":"#/properties/c"},"c":{"oneOf":[{"const":1e5},{"not":false}]}},"required":["a"]}`,
		`{"$schema":"https://json-schema.org/draft/2020-12/schema","$defs":{"x":{"$anchor":"x","prefixItems":[true],"items":false}},"$ref":"#x"}`,
		`{"patternProperties":{"(?=a)":{"multipleOf":0.1}},"dependencies":{"a":["b"],"c":{}},"if":true,"then":{}}`, `[`, `{"type":{}}`, `{"$ref":"%zz"}`,
	} {
		f.Add(text, false)
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, isJSON bool) {
		r := core.Request{Schema: text, Type: core.Avro}
		if isJSON {
			r.Type = core.JSON
		}
		w := newWorld()
		v, records, err := w.Register("s", r)
		if err != nil {
			return
		}
		w.apply(t, records)
		if again := w.register(t, "s", core.Request{Schema: v.Schema, Type: v.Type}); again.ID != v.ID {
			t.Errorf("%s became %s, and that is another schema", text, v.Schema)
		}
		if reasons, err := w.Compatible("s", core.Request{Schema: v.Schema, Type: v.Type}, core.Latest); err != nil || len(reasons) > 0 {
			t.Errorf("%s is not compatible with itself: %v %v", text, reasons, err)
		}
		r.Normalize = true
		w.register(t, "normal", r)
	})
}

// FuzzRecord: no record makes the registry fall.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}`), []byte(`{"subject":"s","version":1,"id":1,"schema":"\"int\"","deleted":false}`))
	f.Add([]byte(`{"keytype":"DELETE_SUBJECT","subject":"s"}`), []byte(`{"subject":"s","version":2}`))
	f.Add([]byte(`{"keytype":"CONFIG"}`), []byte(`{"compatibilityLevel":7,"alias":[]}`))
	f.Add([]byte(`{"keytype":"NOOP"}`), []byte(`{"highestIds":{"":-1}}`))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		s := core.New(limits(), core.Backward)
		_ = s.Apply(core.Record{Key: key, Value: value}, 0) // it may not be understood
		_, _, _ = s.Register("s", core.Request{Schema: `"int"`})
		_, _, _ = s.DeleteSubject("s", false)
		s.Subjects(core.AnyContext, core.All)
		s.ConfigInScope("s")
	})
}
