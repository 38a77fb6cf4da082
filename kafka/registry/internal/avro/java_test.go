package avro_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/registry/internal/avro"
)

// TestAsJava: random schemas have the text that Confluent's client for Java gives them, and pairs of
// them have the differences that Avro's library for Java finds.
func TestAsJava(t *testing.T) {
	jars := testenv.ConfluentJava(t)
	rnd := testenv.Rand(t)
	var pairs [][2]string
	var lines strings.Builder
	for range 3000 {
		writer := newSource(rnd).schema(3)
		reader := newSource(rnd).schema(3)
		if rnd.IntN(3) > 0 {
			reader = changed(rnd, writer)
		}
		pairs = append(pairs, [2]string{reader, writer})
		lines.WriteString(reader + "\t" + writer + "\n")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "java", "-cp", filepath.Join(jars, "*"), "../../testdata/Confluent.java", "compare")
	cmd.Stdin = strings.NewReader(lines.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(answers) != len(pairs) {
		t.Fatalf("%d answers to %d questions", len(answers), len(pairs))
	}
	compared, different := 0, 0
	for i, answer := range answers {
		text, rest, _ := strings.Cut(answer, "\t")
		normal, types, _ := strings.Cut(rest, "\t")
		if text == "error" {
			continue // it is no schema
		}
		compared++
		reader, writer := parse(t, pairs[i][0]), parse(t, pairs[i][1])
		if got := reader.Canonical(); got != text {
			t.Fatalf("%s\nis     %s\nJava's %s", pairs[i][0], got, text)
		}
		if got := parse(t, reader.Normalized()).Canonical(); got != normal {
			t.Fatalf("%s\nnormalized is %s\nJava's        %s", pairs[i][0], got, normal)
		}
		got := differences(reader, writer)
		if got != "" {
			different++
		}
		// A field without a default is called otherwise there where its type, an enum, has one.
		if alike(got) != alike(types) && types != "AMBIGUOUS_FIELD" { // of which Java's throws an exception, wherever it is
			t.Fatalf("reader %s\nwriter %s\nhas    %s\nJava's %s", pairs[i][0], pairs[i][1], got, types)
		}
	}
	if compared < 300 || different < 50 || compared-different < 50 {
		t.Errorf("only %d pairs were compared, %d with differences", compared, different)
	}
}

// alike sorts types as if fields without default were of a wrong type.
func alike(types string) string {
	all := strings.Fields(strings.ReplaceAll(types, "READER_FIELD_MISSING_DEFAULT_VALUE", "TYPE_MISMATCH"))
	slices.Sort(all)
	return strings.Join(all, " ")
}

func differences(reader, writer *avro.Schema) string {
	var types []string
	for _, d := range avro.Compare(reader, writer) {
		types = append(types, d.Type)
	}
	slices.Sort(types)
	return strings.Join(types, " ")
}

// source writes a random schema whose named types are defined once.
type source struct {
	rnd   *rand.Rand
	named []string
	next  int
}

func newSource(rnd *rand.Rand) *source { return &source{rnd: rnd} }

func (s *source) pick(of ...string) string { return of[s.rnd.IntN(len(of))] }

func (s *source) schema(depth int) string {
	if depth == 0 || s.rnd.IntN(4) == 0 {
		if len(s.named) > 0 && s.rnd.IntN(3) == 0 {
			return `"` + s.pick(s.named...) + `"`
		}
		return s.pick(`"null"`, `"int"`, `"long"`, `"float"`, `"double"`, `"string"`, `"bytes"`, `"boolean"`, `{"type":"int"}`,
			`{"type":"string","logicalType":"uuid"}`, `{"logicalType":"timestamp-millis","type":"long"}`, `{"type":"int","x":{"b":1,"a":[true,null]}}`)
	}
	switch s.rnd.IntN(6) {
	case 0:
		return `{"type":"array","items":` + s.schema(depth-1) + `}`
	case 1:
		return `{"values":` + s.schema(depth-1) + `,"type":"map"}`
	case 2:
		return s.union(depth)
	case 3:
		return fmt.Sprintf(`{"type":"fixed",%s,"size":%d}`, s.name(), 1+s.rnd.IntN(2))
	case 4:
		symbols := s.pick(`"symbols":["A","B"]`, `"symbols":["A"]`, `"symbols":["A","B","C"]`, `"symbols":["B"],"default":"B"`, `"default":"A","symbols":["A","C"]`)
		return `{"type":"enum",` + s.name() + `,` + symbols + s.pick("", `,"doc":"d\"é"`, `,"aliases":["Old","y.Older"]`) + `}`
	}
	return s.record(depth)
}

// name is a new one, of a pool that all schemas draw from in the same order.
func (s *source) name() string {
	s.next++
	local := fmt.Sprintf("T%d", s.next)
	space := s.pick("", "", "x", "y")
	full := local
	if space != "" {
		full = space + "." + local
	}
	s.named = append(s.named, full)
	if space != "" && s.rnd.IntN(2) == 0 {
		return fmt.Sprintf(`"name":"%s.%s"`, space, local)
	}
	return fmt.Sprintf(`"namespace":"%s","name":"%s"`, space, local)
}

func (s *source) union(depth int) string {
	branches := []string{s.pick(`"null"`, `"int"`), s.pick(`"string"`, `"long"`)}
	if s.rnd.IntN(2) == 0 {
		branches = append(branches, s.pick(`"bytes"`, `"double"`, `{"type":"array","items":"int"}`))
	}
	if s.rnd.IntN(2) == 0 {
		branches = append(branches, s.record(depth))
	}
	s.rnd.Shuffle(len(branches), func(i, j int) { branches[i], branches[j] = branches[j], branches[i] })
	return "[" + strings.Join(branches, ",") + "]"
}

func (s *source) record(depth int) string {
	head := `{"type":"record",` + s.name()
	var fields []string
	for _, name := range []string{"a", "b", "c"}[:s.rnd.IntN(4)] {
		typ, more := s.schema(max(depth-1, 0)), ""
		switch {
		case typ == `"int"` && s.rnd.IntN(2) == 0:
			more = `,"default":1`
		case typ == `"string"` && s.rnd.IntN(2) == 0:
			more = `,"default":"d"`
		}
		more += s.pick("", "", "", `,"aliases":["a"]`, `,"aliases":["z"]`, `,"order":"descending"`, `,"doc":"d"`, `,"p":1`)
		fields = append(fields, `{"name":"`+name+`","type":`+typ+more+`}`)
	}
	return head + s.pick("", `,"doc":"d"`, `,"q":[1]`, `,"aliases":["x.T1"]`) + `,"fields":[` + strings.Join(fields, ",") + `]}`
}

// changed is a schema with a small change, or none.
func changed(rnd *rand.Rand, text string) string {
	from := []string{`"int"`, `"long"`, `"string"`, `"default":1`, `"size":1`, `"A","B"`, `"null"`, `"name":"a"`, `"name":"b"`, `"x"`, `"T1"`, `"T2"`}
	to := []string{`"long"`, `"double"`, `"bytes"`, `"default":2`, `"size":2`, `"B"`, `"boolean"`, `"name":"z"`, `"name":"d"`, `"y"`, `"T9"`, `"T8"`}
	i := rnd.IntN(len(from))
	return strings.Replace(text, from[i], to[i], 1+rnd.IntN(2))
}
