package core_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

func TestReferences(t *testing.T) {
	w := newWorld()
	address := w.register(t, "address", core.Request{Schema: `{"type":"record","name":"x.Address","fields":[{"name":"city","type":"string"}]}`})
	user := core.Request{
		Schema:     `{"type":"record","name":"x.User","fields":[{"name":"home","type":"x.Address"}]}`,
		References: []core.Reference{{Name: "x.Address", Subject: "address", Version: core.Latest}},
	}
	v := w.register(t, "user", user)
	if v.References[0].Version != 1 {
		t.Errorf("latest became %d", v.References[0].Version)
	}
	if got := w.ReferencedBy(address, false); !slices.Equal(got, []int{v.ID}) {
		t.Errorf("referenced by %v", got)
	}
	_, _, err := w.DeleteVersion("address", 1, false)
	refusedWith(t, err, core.ReferenceExists)
	if want := "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=address,version=1}."; err.Error() != want {
		t.Errorf("the text is %s", err)
	}
	_, _, err = w.DeleteSubject("address", false)
	refusedWith(t, err, core.ReferenceExists)

	// Avro's serializers send schemas with everything written out.
	whole := core.Request{Schema: `{"type":"record","name":"x.User","fields":[{"name":"home","type":{"type":"record","name":"Address","fields":[{"name":"city","type":"string"}]}}]}`}
	if found, err := w.Lookup("user", whole, false); err != nil || found.ID != v.ID {
		t.Errorf("with the reference written out: %v %v", found, err)
	}
	isVersion(t, w.register(t, "user", whole), 1, v.ID)
	if text, err := w.Text(v, "resolved"); err != nil || !strings.Contains(text, "city") {
		t.Errorf("resolved it is %s %v", text, err)
	}

	w.deleteSubject(t, "user", false)
	w.deleteVersion(t, "address", 1, false)
	_, _, err = w.DeleteVersion("address", 1, true)
	refusedWith(t, err, core.ReferenceExists)
	_, _, err = w.Register("other", user)
	refusedWith(t, err, core.InvalidSchema)
	w.deleteSubject(t, "user", true)
	w.deleteVersion(t, "address", 1, true)
}

func TestReferencesInContexts(t *testing.T) {
	w := newWorld()
	w.register(t, ":.x:a", core.Request{Schema: `{"type":"fixed","name":"F","size":1}`})
	r := core.Request{Schema: `["null","F"]`, References: []core.Reference{{Name: "F", Subject: "a", Version: 1}}}
	_, _, err := w.Register("b", r)
	refusedWith(t, err, core.InvalidSchema)
	w.register(t, ":.x:b", r)
	r.References[0].Subject = ":.x:a"
	w.register(t, "b", r)
}

func TestReferenceChainsAreBounded(t *testing.T) {
	w := newWorld()
	var refs []core.Reference
	for i := range 7 {
		name := "F" + strings.Repeat("x", i)
		_, records, err := w.Register(name, core.Request{Schema: `{"type":"fixed","name":"` + name + `","size":1}`, References: refs})
		if i > 5 {
			refusedWith(t, err, core.SchemaTooLarge)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		w.apply(t, records)
		refs = []core.Reference{{Name: name, Subject: name, Version: 1}}
	}
	t.Error("no chain is too long")
}
