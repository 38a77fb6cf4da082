package core_test

import (
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

func TestSameSchemaHasOneID(t *testing.T) {
	w := newWorld()
	isVersion(t, w.register(t, "s", record(fieldA)), 1, 1)
	isVersion(t, w.register(t, "s", record(fieldA)), 1, 1)
	isVersion(t, w.register(t, "s", record(fieldA, fieldC)), 2, 2)
	isVersion(t, w.register(t, "t", record(fieldA, fieldC)), 1, 2)
	isVersion(t, w.register(t, "t", core.Request{Schema: ` { "name":"R", "fields" : [` + fieldA + `],"type":"record"}`}), 2, 1)
	isVersion(t, w.register(t, "s", record(fieldA)), 1, 1)
	isVersion(t, w.register(t, ":.x:s", record(fieldA)), 1, 1) // contexts have ids of their own
	isVersion(t, w.register(t, ":.x:s", record(fieldA, fieldC)), 2, 2)
	if got := w.Contexts(); !slices.Equal(got, []string{".", ".x"}) {
		t.Errorf("contexts: %q", got)
	}
}

func TestIDsAreNeverGivenTwice(t *testing.T) {
	w := newWorld()
	w.register(t, "s", record(fieldA))
	w.register(t, "s", record(fieldA, fieldC))
	w.deleteSubject(t, "s", false)
	isVersion(t, w.register(t, "s", record(fieldA)), 3, 1)
	w.deleteSubject(t, "s", false)
	w.deleteSubject(t, "s", true)
	if w.HasSubjects("", true) {
		t.Error("something is left")
	}
	isVersion(t, w.register(t, "s", record(fieldA)), 1, 3)

	compacted := w.compacted(t)
	compacted.deleteSubject(t, "s", false)
	compacted.deleteSubject(t, "s", true)
	isVersion(t, compacted.register(t, "s", record(fieldB)), 1, 4)
}

func TestLookup(t *testing.T) {
	w := newWorld()
	_, err := w.Lookup("s", record(fieldA), false)
	refusedWith(t, err, core.SubjectNotFound)
	w.register(t, "s", record(fieldA))
	_, err = w.Lookup("s", record(fieldB), false)
	refusedWith(t, err, core.SchemaNotFound)
	_, err = w.Lookup("s", core.Request{Schema: "{"}, false)
	refusedWith(t, err, core.InvalidSchema)
	w.deleteVersion(t, "s", 1, false)
	_, err = w.Lookup("s", record(fieldA), false)
	refusedWith(t, err, core.SubjectNotFound)
	if v, err := w.Lookup("s", record(fieldA), true); err != nil || v.Version != 1 {
		t.Errorf("the deleted version: %v %v", v, err)
	}
	w.register(t, ":.x:u", record(fieldA))
	if v, err := w.Lookup("u", record(fieldA), false); err != nil || v.Subject != ":.x:u" {
		t.Errorf("in another context: %v %v", v, err)
	}
}

func TestNormalize(t *testing.T) {
	w := newWorld()
	a := core.Request{Schema: `{"type":"record","name":"R","b":1,"a":2,"fields":[]}`, Normalize: true}
	b := core.Request{Schema: a.Schema}
	w.register(t, "s", a)
	isVersion(t, w.register(t, "t", b), 1, 2)
	w.setConfig(t, "", "normalize", "true")
	isVersion(t, w.register(t, "u", b), 1, 1)
	if v, err := w.Lookup("s", b, false); err != nil || v.ID != 1 {
		t.Errorf("looked up: %v %v", v, err)
	}
}

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]int{"1": 1, " 7 ": 7, "latest": -1, "LATEST": -1, "-1": -1, "2147483647": 2147483647, "0": 0, "-2": 0, "x": 0, "": 0, "2147483648": 0} {
		if got, err := core.ParseVersion(text); got != want || (err != nil) != (want == 0) {
			t.Errorf("%q: %d %v", text, got, err)
		}
	}
}
