package core_test

import (
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

func TestDeletion(t *testing.T) {
	w := newWorld()
	_, _, err := w.DeleteSubject("s", false)
	refusedWith(t, err, core.SubjectNotFound)
	w.register(t, "s", record(fieldA))
	w.register(t, "s", record(fieldA, fieldC))
	_, _, err = w.DeleteVersion("s", 3, false)
	refusedWith(t, err, core.VersionNotFound)
	_, _, err = w.DeleteVersion("s", 1, true)
	refusedWith(t, err, core.VersionNotSoftDeleted)
	w.deleteVersion(t, "s", 1, false)
	_, _, err = w.DeleteVersion("s", 1, false)
	refusedWith(t, err, core.VersionSoftDeleted)
	_, err = w.Version("s", 1, false)
	refusedWith(t, err, core.VersionNotFound)
	if v, err := w.Version("s", 1, true); err != nil || !v.Deleted {
		t.Errorf("the deleted version: %v %v", v, err)
	}
	if v, err := w.ByID("", 1); err != nil || v.Schema == "" {
		t.Errorf("records with the id are still read: %v %v", v, err)
	}
	_, _, err = w.DeleteSubject("s", true)
	refusedWith(t, err, core.SubjectNotSoftDeleted)
	w.deleteSubject(t, "s", false)
	_, _, err = w.DeleteSubject("s", false)
	refusedWith(t, err, core.SubjectSoftDeleted)
	for which, want := range map[core.Which][]string{core.Undeleted: {}, core.All: {"s"}, core.DeletedOnly: {"s"}} {
		if got := w.Subjects("", which); !slices.Equal(got, want) {
			t.Errorf("subjects %d: %q", which, got)
		}
	}
	w.setConfig(t, "s", "compatibility", `"FULL"`)
	w.deleteSubject(t, "s", true)
	if _, ok := w.ConfigOf("s"); ok {
		t.Error("the configuration is left")
	}
	_, err = w.ByID("", 1)
	refusedWith(t, err, core.SchemaNotFound)
}
