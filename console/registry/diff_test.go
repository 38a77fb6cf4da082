package registry

import (
	"fmt"
	"strings"
	"testing"
)

// TestDiffLines: the lines of both texts are all there, in their order, but for those left out.
func TestDiffLines(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"x", "x", "~1 line is the same"},
		{"a b c d e f g h", "a b c d X f g h", "~1 line is the same =b =c =d -e +X =f =g =h"},
		{"a", "", "-a +"},
		{"a b", "b c", "-a =b +c"},
	} {
		lines, cut := diffLines(strings.Split(c.a, " "), strings.Split(c.b, " "))
		var got []string
		for _, l := range lines {
			got = append(got, map[string]string{"same": "=", "added": "+", "removed": "-", "gap": "~"}[l.Kind]+l.Text)
		}
		if strings.Join(got, " ") != c.want || cut {
			t.Errorf("%s to %s: %s, want %s", c.a, c.b, strings.Join(got, " "), c.want)
		}
	}
	var a, b []string
	for i := range 5000 {
		a, b = append(a, fmt.Sprint("a", i)), append(b, fmt.Sprint("b", i))
	}
	if lines, cut := diffLines(a, b); !cut || len(lines) != maxLines {
		t.Errorf("%d lines, cut %v", len(lines), cut)
	}
}

// TestDiffFields says in few words what differs.
func TestDiffFields(t *testing.T) {
	for name, c := range map[string]struct{ kind, from, to, want string }{
		"a nested field": {"AVRO",
			`{"type":"record","name":"O","fields":[{"name":"lines","type":{"type":"array","items":{"type":"record","name":"L","fields":[{"name":"n","type":"int"}]}}}]}`,
			`{"type":"record","name":"O","fields":[{"name":"lines","type":{"type":"array","items":{"type":"record","name":"L","fields":[{"name":"n","type":"long"}]}}}]}`,
			"changed lines[].n: int -> long"},
		"a default, an alias, a symbol": {"AVRO",
			`{"type":"record","name":"O","fields":[{"name":"a","type":"int"},{"name":"s","type":{"type":"enum","name":"S","symbols":["X"]}}]}`,
			`{"type":"record","name":"O","fields":[{"name":"b","type":"int","default":1,"aliases":["a"]},{"name":"s","type":{"type":"enum","name":"S","symbols":["X","Y"]}}]}`,
			`added b:  -> int, default 1, also called ["a"]; changed s.(S): one of ["X"] -> one of ["X","Y"]; removed a: int -> `},
		"a decimal": {"AVRO", `{"type":"bytes","logicalType":"decimal","precision":4}`, `{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`,
			"changed (the schema): decimal(4,0) in bytes -> decimal(9,2) in bytes"},
		"JSON Schema": {"JSON", `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"array","items":{"type":"integer"}}}}`,
			`{"type":"object","properties":{"a":{"type":["string","null"],"maxLength":3},"b":{"type":"array","items":{"type":"number"}}},"required":["a"]}`,
			"changed a: string -> string or null, required, maxLength 3; changed b[]: integer -> number"},
		"no JSON": {"AVRO", `x`, `"int"`, ""},
	} {
		changes, more := diffFields(c.kind, c.from, c.to)
		var got []string
		for _, one := range changes {
			got = append(got, fmt.Sprintf("%s %s: %s -> %s", one.Kind, one.Field, one.Old, one.New))
		}
		if strings.Join(got, "; ") != c.want || more {
			t.Errorf("%s: %s, want %s", name, strings.Join(got, "; "), c.want)
		}
	}
	deep := strings.Repeat(`{"type":"array","items":`, 300) + `"int"` + strings.Repeat("}", 300)
	if _, more := diffFields("AVRO", deep, `"int"`); !more {
		t.Error("a deep schema is compared whole")
	}
}

// FuzzFields: no schema makes a comparison panic.
func FuzzFields(f *testing.F) {
	f.Add(`{"type":"record","name":"O","fields":[{"name":"a","type":[null,{"type":"map","values":{}}]}]}`, `{"properties":{"a":1},"required":3,"oneOf":[{}]}`)
	f.Fuzz(func(_ *testing.T, a, b string) {
		diffFields("AVRO", a, b)
		diffFields("JSON", a, b)
		diffLines(linesOf(a), linesOf(b))
	})
}
