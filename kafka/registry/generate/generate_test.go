package generate_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/registry/generate"
)

var rewrite = flag.Bool("rewrite", false, "write internal/example/example.go anew")

// TestExample holds the generated example, which TestRoundTrip uses.
func TestExample(t *testing.T) {
	var files []generate.File
	for _, name := range []string{"order.avsc", "money.avsc"} { // what is named comes last
		text, err := os.ReadFile(filepath.Join("internal/example", name))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, generate.File{Name: name, Text: string(text)})
	}
	got, err := generate.Go(files, generate.Config{Package: "example"})
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("internal", "example", "example.go")
	if *rewrite {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is not what is generated now (go test ./kafka/registry/generate -run TestExample -rewrite writes it anew):\n%s", golden, got)
	}
	for range 10 {
		if again, err := generate.Go(files, generate.Config{Package: "example"}); err != nil || string(again) != string(got) {
			t.Fatalf("another time it is different (%v):\n%s", err, again)
		}
	}
}

// record with fields of these types, given as JSON.
func record(name string, types ...string) generate.File {
	var fields []string
	for i, kind := range types {
		fields = append(fields, fmt.Sprintf(`{"name":"f%d","type":%s}`, i, kind))
	}
	return generate.File{Name: name + ".avsc", Text: fmt.Sprintf(`{"type":"record","name":%q,"fields":[%s]}`, name, strings.Join(fields, ","))}
}

// TestNames: two types or fields never have the same name in Go.
func TestNames(t *testing.T) {
	code, err := generate.Go([]generate.File{
		record("a.Order", `{"type":"enum","name":"Kind","symbols":["A_B","AB","aB"]}`), record("b.c.Order", `{"type":"record","name":"KindAb","fields":[]}`), record("order", `"a.Order"`),
		{Name: "fields", Text: `{"type":"record","name":"Fields","fields":[{"name":"user_id","type":"int"},{"name":"userId","type":"int"},{"name":"_","type":"int"},{"name":"_1","type":"int"}]}`},
	}, generate.Config{Package: "p"})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"type Order struct", "type COrder struct", "type Order2 struct", "type KindAb struct", `KindAB  Kind = "A_B"`, `KindAb2 Kind = "AB"`, `KindAB2 Kind = "aB"`,
		"UserID  int32 `avro:\"user_id\"`", "UserID2 int32 `avro:\"userId\"`", "X       int32 `avro:\"_\"`", "X1      int32 `avro:\"_1\"`", "F0 Order `avro:\"f0\"`",
	} {
		if !strings.Contains(string(code), part) {
			t.Errorf("no %s in\n%s", part, code)
		}
	}
}

// TestHostileText: nothing in a schema ends a comment or a string.
func TestHostileText(t *testing.T) {
	text := `{"type":"record","name":"R","doc":"one\rfunc init() {}\u2028two\n` + "`" + `*/\u0000","fields":[{"name":"a","type":"string","doc":"x\nvar y = 1","default":"\",b=` + "`" + `"}],"x":"` + "`" + `"}`
	code, err := generate.Go([]generate.File{{Name: "a\nfunc b() {}", Text: text}}, generate.Config{Package: "p"})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(code)) {
		if strings.HasPrefix(line, "func") || strings.HasPrefix(line, "var") {
			t.Errorf("%s in\n%s", line, code)
		}
	}
}

func TestRefused(t *testing.T) {
	bomb := strings.Repeat(`{"type":"array","items":`, 200) + `"int"` + strings.Repeat("}", 200)
	for says, files := range map[string][]generate.File{
		"no schemas":                        nil,
		"a.avsc: not JSON":                  {{Name: "a.avsc", Text: "{"}},
		"a.avsc names b.C, which no file":   {{Name: "a.avsc", Text: `{"type":"record","name":"b.A","fields":[{"name":"c","type":"C"}]}`}},
		"A.avsc needs B.avsc needs A.avsc":  {record("A", `"B"`), record("B", `"A"`)},
		"defined differently":               {record("A", `"int"`), record("A", `"long"`)},
		"X.avsc names A, which A.avsc and":  {record("X", `"A"`), record("A", `"int"`), record("A", `"long"`)},
		"nested deeper":                     {{Name: "a.avsc", Text: bomb}},
		"a.avsc: ":                          {{Name: "a.avsc", Text: `{"type":"record","name":"A","fields":[{"name":"n","type":"int","default":"x"}]}`}},
		"R is defined twice":                {record("R", `{"type":"enum","name":"R","symbols":[]}`)},
		"a.avsc: the record A has no field": {{Name: "a.avsc", Text: `{"type":"record","name":"A"}`}},
	} {
		_, err := generate.Go(files, generate.Config{Package: "p"})
		if err == nil || !strings.Contains(err.Error(), says) || !errors.Is(err, generate.ErrSchema) && files != nil {
			t.Errorf("%v, want %s", err, says)
		}
	}
	for _, name := range []string{"", "_", "a-b", "func", "1a", "a.b"} {
		if _, err := generate.Go([]generate.File{record("R")}, generate.Config{Package: name}); !errors.Is(err, generate.ErrConfig) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
