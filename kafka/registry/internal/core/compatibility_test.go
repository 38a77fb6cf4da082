package core_test

import (
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

func TestCompatibilityLevels(t *testing.T) {
	first, second := record(fieldA), record(fieldA, fieldB)
	for _, c := range []struct {
		level string
		// next of the versions {a}, {a,b} that is refused and that is taken.
		refused, taken core.Request
	}{
		{core.Backward, record(fieldA, fieldB, `{"name":"d","type":"int"}`), record()},
		{core.Forward, record(fieldA, fieldC), record(fieldA, fieldB, `{"name":"d","type":"int"}`)},
		{core.Full, record(fieldB), record(fieldA, fieldB, fieldC)},
		{core.BackwardTransitive, record(fieldB, fieldC), record(fieldA, fieldC)},
		{core.ForwardTransitive, record(fieldB, fieldC), record(fieldA, fieldB, `{"name":"d","type":"int"}`)},
		{core.FullTransitive, record(fieldA, fieldB, fieldC), record(fieldA, `{"name":"b","type":"int","default":1}`)},
	} {
		t.Run(c.level, func(t *testing.T) {
			w := newWorld()
			w.setConfig(t, "", "compatibility", `"NONE"`)
			w.register(t, "s", first)
			w.register(t, "s", second)
			w.setConfig(t, "s", "compatibility", `"`+strings.ToLower(c.level)+`"`)
			_, _, err := w.Register("s", c.refused)
			refusedWith(t, err, core.Incompatible)
			if reasons, err := w.Compatible("s", c.refused, 0); err != nil || len(reasons) == 0 {
				t.Errorf("it is compatible: %v %v", reasons, err)
			}
			if c.level == core.FullTransitive {
				return // nothing is compatible with both
			}
			if reasons, err := w.Compatible("s", c.taken, 0); err != nil || len(reasons) > 0 {
				t.Errorf("it is not compatible: %v %v", reasons, err)
			}
			isVersion(t, w.register(t, "s", c.taken), 3, 3)
		})
	}
}

func TestCompatibleWithOneVersion(t *testing.T) {
	w := newWorld()
	w.setConfig(t, "", "compatibility", `"NONE"`)
	w.register(t, "s", record(fieldA))
	w.register(t, "s", record(fieldB))
	w.setConfig(t, "", "compatibility", `"BACKWARD"`)
	for version, compatible := range map[int]bool{1: true, 2: false, core.Latest: false, 0: false} {
		reasons, err := w.Compatible("s", record(fieldA, fieldC), version)
		if err != nil || compatible != (len(reasons) == 0) {
			t.Errorf("with %d: %v %v", version, reasons, err)
		}
	}
	_, err := w.Compatible("s", record(), 3)
	refusedWith(t, err, core.VersionNotFound)
	if reasons, err := w.Compatible("new", record(), core.Latest); err != nil || len(reasons) > 0 {
		t.Errorf("a subject without versions: %v %v", reasons, err)
	}
	if reasons, _ := w.Compatible("s", core.Request{Type: core.JSON, Schema: `{}`}, 1); len(reasons) == 0 || !strings.Contains(reasons[0], "schema type") {
		t.Errorf("another type: %v", reasons)
	}
}

func TestForce(t *testing.T) {
	w := newWorld()
	w.register(t, "s", record(fieldA))
	r := record(fieldB)
	r.Force = true
	isVersion(t, w.register(t, "s", r), 2, 2)
}

func TestCompatibilityGroup(t *testing.T) {
	w := newWorld()
	w.setConfig(t, "s", "compatibilityGroup", `"major"`)
	one, two := record(fieldA), record(fieldB)
	one.Metadata = &core.Metadata{Properties: map[string]string{"major": "1"}}
	two.Metadata = &core.Metadata{Properties: map[string]string{"major": "2"}}
	w.register(t, "s", one)
	isVersion(t, w.register(t, "s", two), 2, 2)
	two.Schema = record(fieldA, fieldB).Schema
	_, _, err := w.Register("s", two)
	refusedWith(t, err, core.Incompatible)
}
