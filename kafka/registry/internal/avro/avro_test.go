package avro_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/registry/internal/avro"
	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

func parse(t *testing.T, text string, refs ...string) *avro.Schema {
	t.Helper()
	s, err := avro.Parse(text, refs, tree.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// Texts as Avro's Java library writes them.
func TestCanonical(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"primitive", ` {"type": "string"} `, `"string"`},
		{"bare name", `string`, `"string"`},
		{"logical type", `{"logicalType":"uuid","type":"string"}`, `{"type":"string","logicalType":"uuid"}`},
		{"union", `["null", {"type":"int"}]`, `["null","int"]`},
		{"record", `{"name":"A","namespace":"x","type":"record","doc":"d","aliases":["B","y.C"],"extra":1,"fields":[
			{"type":"int","name":"a","default":0,"doc":"e","order":"ascending","aliases":["z"],"p":[1.50]}]}`,
			`{"type":"record","name":"A","namespace":"x","doc":"d","fields":[{"name":"a","type":"int","doc":"e","default":0,"aliases":["z"],"p":[1.50]}],"extra":1,"aliases":["B","y.C"]}`},
		{"dotted name", `{"type":"record","name":"x.A","fields":[]}`, `{"type":"record","name":"A","namespace":"x","fields":[]}`},
		{"namespace of the record around", `{"type":"record","name":"x.A","fields":[{"name":"b","type":{"type":"enum","name":"x.E","symbols":["P"],"default":"P"}},{"name":"c","type":"x.E"},{"name":"d","type":{"type":"fixed","name":"F","namespace":"y","size":3}},{"name":"e","type":"y.F"}]}`,
			`{"type":"record","name":"A","namespace":"x","fields":[{"name":"b","type":{"type":"enum","name":"E","symbols":["P"],"default":"P"}},{"name":"c","type":"E"},{"name":"d","type":{"type":"fixed","name":"F","namespace":"y","size":3}},{"name":"e","type":"y.F"}]}`},
		{"recursion", `{"type":"record","name":"x.L","fields":[{"name":"next","type":["null","x.L"],"default":null,"order":"ignore"}]}`,
			`{"type":"record","name":"L","namespace":"x","fields":[{"name":"next","type":["null","L"],"default":null,"order":"ignore"}]}`},
		{"array and map", `{"items":{"values":"long","type":"map"},"type":"array","default":[]}`,
			`{"type":"array","items":{"type":"map","values":"long"},"default":[]}`},
		{"no namespace in one", `{"type":"record","name":"x.A","fields":[{"name":"b","type":{"type":"fixed","name":"F","namespace":"","size":1}}]}`,
			`{"type":"record","name":"A","namespace":"x","fields":[{"name":"b","type":{"type":"fixed","name":"F","namespace":"","size":1}}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := parse(t, c.text)
			if got := s.Canonical(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if again := parse(t, s.Canonical()).Canonical(); again != c.want {
				t.Errorf("read again it is %s", again)
			}
			if err := s.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	ref := `{"type":"record","name":"x.R","fields":[{"name":"a","type":"int"}]}`
	text := `{"type":"record","name":"x.A","fields":[{"name":"r","type":"x.R"},{"name":"s","type":"R"}]}`
	s := parse(t, text, ref, ref)
	if got, want := s.Canonical(), `{"type":"record","name":"A","namespace":"x","fields":[{"name":"r","type":"R"},{"name":"s","type":"R"}]}`; got != want {
		t.Errorf("got %s", got)
	}
	if got, want := s.Resolved(), `{"type":"record","name":"A","namespace":"x","fields":[{"name":"r","type":{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}},{"name":"s","type":"R"}]}`; got != want {
		t.Errorf("got %s", got)
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	if _, err := avro.Parse(text, nil, tree.Limits{}); err == nil || !strings.Contains(err.Error(), `"x.R" is not a defined name`) {
		t.Errorf("without the reference: %v", err)
	}
}

func TestNormalized(t *testing.T) {
	a := parse(t, `{"type":"record","name":"x.A","z":1,"b":{"d":1,"c":2},"fields":[{"name":"f","type":"int","q":1,"p":2}]}`)
	b := parse(t, `{"namespace":"x","b":{"c":2,"d":1},"z":1,"name":"A","type":"record","fields":[{"p":2,"q":1,"type":{"type":"int"},"name":"f","order":"ascending"}]}`)
	if a.Canonical() == b.Canonical() {
		t.Error("they are the same without normalizing")
	}
	if a.Normalized() != b.Normalized() {
		t.Errorf("%s\n%s", a.Normalized(), b.Normalized())
	}
	if err := parse(t, a.Normalized()).Validate(); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"type":"record","name":"A"}`, "no fields"},
		{`{"type":"enum","name":"A"}`, "no symbols"},
		{`{"type":"fixed","name":"A"}`, "no size"},
		{`{"type":"array"}`, "no items"},
		{`{"type":"record","fields":[]}`, "no name"},
		{`{"name":"a"}`, "no type"},
		{`"nothing"`, "not a defined name"},
		{`7`, "not a number"},
		{`["int"`, "not JSON"},
		{`"int" 1`, "behind the end"},
		{``, "not JSON"},
		{`[{"type":"fixed","name":"A","size":1},{"type":"fixed","name":"A","size":2}]`, "defined twice"},
	} {
		if _, err := avro.Parse(c.text, nil, tree.Limits{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
	}
	for _, text := range []string{
		`{"type":"record","name":"A","fields":[{"name":"a","type":"int","default":"x"}]}`,
		`{"type":"record","name":"A","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}`,
		`{"type":"enum","name":"A","symbols":["a","a"]}`,
		`["int","int"]`,
		`{"type":"record","name":"1 A","fields":[]}`,
	} {
		if parse(t, text).Validate() == nil {
			t.Errorf("%s is valid", text)
		}
	}
}

func TestLimits(t *testing.T) {
	limits := tree.Limits{Depth: 10, Width: 5, Values: 100, Choices: 3}
	for _, text := range []string{
		strings.Repeat(`{"type":"array","items":`, 11) + `"int"` + strings.Repeat("}", 11),
		`["null","int","long","string"]`,
		`{"type":"enum","name":"E","symbols":["a","b","c","d","e","f"]}`,
	} {
		if _, err := avro.Parse(text, nil, limits); !errors.Is(err, tree.ErrLimit) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestCompare(t *testing.T) {
	record := func(fields string) string { return `{"type":"record","name":"x.R","fields":[` + fields + `]}` }
	for _, c := range []struct{ name, reader, writer, want string }{
		{"same", `"int"`, `"int"`, ""},
		{"promotion", `"double"`, `"int"`, ""},
		{"no demotion", `"int"`, `"long"`, "TYPE_MISMATCH /"},
		{"bytes and string", `"bytes"`, `"string"`, ""},
		{"field added with default", record(`{"name":"a","type":"int","default":1}`), record(``), ""},
		{"field added", record(`{"name":"a","type":"int"}`), record(``), "READER_FIELD_MISSING_DEFAULT_VALUE /fields/0"},
		{"field removed", record(``), record(`{"name":"a","type":"int"}`), ""},
		{"field renamed by alias", record(`{"name":"b","type":"int","aliases":["a"]}`), record(`{"name":"a","type":"int"}`), ""},
		{"alias of two", record(`{"name":"b","type":"int","aliases":["a"]}`), record(`{"name":"a","type":"int"},{"name":"b","type":"int"}`), "AMBIGUOUS_FIELD /fields/0"},
		{"type of a field", record(`{"name":"a","type":"int"},{"name":"b","type":"int"}`), record(`{"name":"b","type":"string"},{"name":"a","type":"int"}`), "TYPE_MISMATCH /fields/1/type"},
		{"other name", `{"type":"fixed","name":"A","size":1}`, `{"type":"fixed","name":"B","size":1}`, "NAME_MISMATCH /name"},
		{"other namespace", `{"type":"fixed","name":"x.A","size":1}`, `{"type":"fixed","name":"y.A","size":1}`, ""},
		{"alias of a type", `{"type":"fixed","name":"A","aliases":["y.B"],"size":1}`, `{"type":"fixed","name":"y.B","size":1}`, ""},
		{"size", `{"type":"fixed","name":"A","size":1}`, `{"type":"fixed","name":"A","size":2}`, "FIXED_SIZE_MISMATCH /size"},
		{"symbols", `{"type":"enum","name":"E","symbols":["a"]}`, `{"type":"enum","name":"E","symbols":["a","b"]}`, "MISSING_ENUM_SYMBOLS /symbols"},
		{"symbols with default", `{"type":"enum","name":"E","symbols":["a"],"default":"a"}`, `{"type":"enum","name":"E","symbols":["a","b"]}`, ""},
		{"branch added", `["null","int","string"]`, `["null","int"]`, ""},
		{"branch removed", `["null","int"]`, `["null","string"]`, "MISSING_UNION_BRANCH /1"},
		{"into a union", `["null","long"]`, `"int"`, ""},
		{"not into a union", `["null","int"]`, `"string"`, "MISSING_UNION_BRANCH /"},
		{"out of a union", `"long"`, `["int","long"]`, ""},
		{"not out of a union", `"int"`, `["null","int"]`, "TYPE_MISMATCH /"},
		{"items", `{"type":"array","items":"int"}`, `{"type":"array","items":"string"}`, "TYPE_MISMATCH /items"},
		{"values", `{"type":"map","values":"int"}`, `{"type":"map","values":"string"}`, "TYPE_MISMATCH /values"},
		{"recursion", record(`{"name":"n","type":["null","R"]},{"name":"v","type":"long"}`), record(`{"name":"n","type":["null","R"]},{"name":"v","type":"int"}`), ""},
		{"recursion that differs", record(`{"name":"n","type":["null","R"]},{"name":"v","type":"int"}`), record(`{"name":"n","type":["null","R"]},{"name":"v","type":"string"}`), "TYPE_MISMATCH /fields/1/type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, d := range avro.Compare(parse(t, c.reader), parse(t, c.writer)) {
				got = append(got, d.Type+" "+d.Path)
				if text := d.Error("new", "old"); strings.ContainsAny(text, "{}") != true || strings.Contains(text, "{path}") || strings.Contains(text, "{reader}") {
					t.Errorf("the text is %s", text)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Unions of records in unions of records would need more comparisons than there is time for.
func TestCompareIsBounded(t *testing.T) {
	bomb := func(prefix string) *avro.Schema {
		var b strings.Builder
		b.WriteString("[")
		for i := range 700 {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString(`{"type":"record","name":"` + prefix + strings.Repeat("x", i+1) + `","fields":[]}`)
		}
		return parse(t, b.String()+"]")
	}
	found := avro.Compare(bomb("a"), bomb("b"))
	if len(found) == 0 {
		t.Error("they are compatible")
	}
}
