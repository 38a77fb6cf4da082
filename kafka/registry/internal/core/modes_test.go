package core_test

import (
	"testing"

	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

func TestModes(t *testing.T) {
	w := newWorld()
	w.register(t, "s", record(fieldA))
	_, err := w.SetMode("s", core.Import, false)
	refusedWith(t, err, core.NotPermitted)
	w.setMode(t, "s", core.ReadOnly)
	_, _, err = w.Register("s", record(fieldA, fieldC))
	refusedWith(t, err, core.NotPermitted)
	_, _, err = w.DeleteSubject("s", false)
	refusedWith(t, err, core.NotPermitted)
	_, _, err = w.SetConfig("s", core.Config{})
	refusedWith(t, err, core.NotPermitted)
	w.setMode(t, "s", core.ReadWrite)
	w.setMode(t, "", core.ReadOnly)
	w.register(t, "s", record(fieldA, fieldC)) // its own mode wins
	w.setMode(t, "", core.ReadOnlyOverride)
	_, _, err = w.Register("s", record(fieldC))
	refusedWith(t, err, core.NotPermitted)
	w.setMode(t, "", "")
	if m := w.ModeInScope("t"); m != core.ReadWrite {
		t.Errorf("the mode is %s", m)
	}
	if _, _, err = w.DeleteMode("t", false); err == nil {
		t.Error("a mode that is not there was deleted")
	}
	if _, err := core.ParseMode("readonly_override"); err != nil {
		t.Error(err)
	}
	_, err = core.ParseMode("FORWARD")
	refusedWith(t, err, core.InvalidMode)
}

func TestImport(t *testing.T) {
	w := newWorld()
	with := func(r core.Request, id, version int) core.Request {
		r.ID, r.Version = id, version
		return r
	}
	_, _, err := w.Register("s", with(record(fieldA), 7, 3))
	refusedWith(t, err, core.NotPermitted)
	w.setMode(t, "s", core.Import)
	isVersion(t, w.register(t, "s", with(record(fieldA), 7, 3)), 3, 7)
	isVersion(t, w.register(t, "s", with(record(fieldB), 5, 1)), 1, 5) // not compatible, and not asked
	_, _, err = w.Register("s", with(record(fieldC), 7, 4))
	refusedWith(t, err, core.NotPermitted)
	_, _, err = w.Register("s", record(fieldC))
	refusedWith(t, err, core.NotPermitted)
	w.setMode(t, "s", core.ReadWrite)
	isVersion(t, w.register(t, "t", record(fieldC)), 1, 8)
}

func TestImportClearsWhatIsDeleted(t *testing.T) {
	w := newWorld()
	w.register(t, "s", record(fieldA))
	w.deleteSubject(t, "s", false)
	w.setMode(t, "s", core.Import)
	if w.HasSubjects("s", true) {
		t.Error("the deleted versions are left")
	}
	w.setMode(t, "s", core.ReadWrite)
	isVersion(t, w.register(t, "s", record(fieldA)), 1, 2)
}
