package avro_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestAsApicurio: Apicurio's converter, in its Confluent mode, registers the same schemas and writes
// the same bytes, of Debezium's envelopes and of random data.
func TestAsApicurio(t *testing.T) {
	jars := testenv.ApicurioJava(t)
	rnd := testenv.Rand(t)
	s := envelope()
	schemas, values := []*data.Schema{s}, []any{change(s)}
	for range 40 {
		source := &source{rnd: rnd}
		s := source.record(3)
		schemas, values = append(schemas, s), append(values, source.value(s))
	}
	var lines strings.Builder
	text := &converter.JSON{Schemas: true, KeepNull: true}
	for i := range schemas {
		b, err := text.Encode("t", schemas[i], values[i])
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(b, '\n'))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", filepath.Join(jars, "*"), "testdata/Apicurio.java")
	cmd.Stdin = strings.NewReader(lines.String())
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, problems.String())
	}
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(answers) != len(schemas) {
		t.Fatalf("%d answers to %d questions: %s", len(answers), len(schemas), problems.String())
	}
	questions := strings.Split(lines.String(), "\n")
	if !strings.HasSuffix(answers[0], "\t"+envelopeText) {
		t.Errorf("Apicurio's schema of an envelope is not the one here: %s", answers[0])
	}
	for i, answer := range answers {
		c, f := start(t, nil)
		b, err := c.Encode("t", schemas[i], values[i])
		if err != nil {
			t.Fatal(err)
		}
		got := hex.EncodeToString(b[5:]) + "\t" + f.texts[0]
		if want := strings.TrimPrefix(answer, "0000000007"); got != want {
			t.Fatalf("%s\nis           %s\nApicurio's   %s", questions[i], got, want)
		}
	}
}

// source makes random data.
type source struct {
	rnd   *rand.Rand
	names int
}

func (s *source) record(depth int) *data.Schema {
	s.names++
	out := data.StructOf(fmt.Sprintf("srv.%c.R%d", 'a'+rune(s.rnd.IntN(3)), s.names))
	if s.rnd.IntN(2) == 0 {
		out.Version = 1 + s.rnd.IntN(3)
	}
	if s.rnd.IntN(4) == 0 {
		out.Doc = "it's \"said\""
	}
	for i := range 1 + s.rnd.IntN(5) {
		out.Fields = append(out.Fields, data.Field{Name: fmt.Sprintf("f%d", i), Schema: s.schema(depth - 1)})
	}
	return out
}

func (s *source) schema(depth int) *data.Schema {
	var out *data.Schema
	switch kind := s.rnd.IntN(18); {
	case kind < 9:
		out = data.Of(data.Int8 + data.Type(kind)) // Int8 to Bytes
	case kind == 9:
		out = data.DecimalSchema(s.rnd.IntN(4))
	case kind == 10:
		out = data.Named(data.Int32, data.DateName)
	case kind == 11:
		out = data.Named(data.Int32, data.TimeName)
	case kind == 12:
		out = data.Named(data.Int64, data.TimestampName)
	case kind == 13:
		out = data.Named(data.Int64, "io.debezium.time.MicroTimestamp")
		out.Parameters = []data.Parameter{{Name: "p", Value: "1"}}
	case depth <= 0:
		out = data.Of(data.String)
	case kind == 14:
		out = &data.Schema{Type: data.Array, Value: s.schema(depth - 1)}
	case kind == 15:
		out = &data.Schema{Type: data.MapType, Key: data.Of(data.String), Value: s.schema(depth - 1)}
	case kind == 16:
		out = &data.Schema{Type: data.MapType, Key: data.Of(data.Int32), Value: data.OptionalOf(data.Int64)}
	default:
		out = s.record(depth - 1)
	}
	out.Optional = s.rnd.IntN(3) == 0
	if out.Type == data.String && s.rnd.IntN(3) == 0 {
		out.Default = "d"
	}
	return out
}

func (s *source) value(of *data.Schema) any {
	if of.Optional && s.rnd.IntN(3) == 0 {
		return nil
	}
	ms := s.rnd.Int64N(4e12) - 2e12
	switch of.Name {
	case data.DecimalName:
		scale, _ := of.Parameter("scale")
		return data.Decimal{Unscaled: big.NewInt(s.rnd.Int64() - 1<<62), Scale: int(scale[0] - '0')}
	case data.DateName:
		return time.UnixMilli(ms / 86_400_000 * 86_400_000).UTC()
	case data.TimeName:
		return time.UnixMilli(s.rnd.Int64N(86_400_000)).UTC()
	case data.TimestampName:
		return time.UnixMilli(ms).UTC()
	}
	n := s.rnd.Int64()
	switch of.Type {
	case data.Int8:
		return int8(n)
	case data.Int16:
		return int16(n)
	case data.Int32:
		return int32(n)
	case data.Int64:
		return n
	case data.Float32:
		return float32(s.rnd.NormFloat64())
	case data.Float64:
		return s.rnd.NormFloat64()
	case data.Boolean:
		return n%2 == 0
	case data.String:
		return []string{"", "käse", "a\"b", "😀"}[s.rnd.IntN(4)]
	case data.Bytes:
		return []byte{0, 255, byte(n)}[:s.rnd.IntN(4)]
	case data.Array:
		out := []any{}
		for range s.rnd.IntN(3) {
			out = append(out, s.value(of.Value))
		}
		return out
	case data.MapType: // of one entry: Java's have no order
		key := any("k")
		if of.Key.Type == data.Int32 {
			key = int32(n)
		}
		return &data.Map{Keys: []any{key}, Values: []any{s.value(of.Value)}}
	}
	out := data.NewStruct(of)
	for i, f := range of.Fields {
		out.Values[i] = s.value(f.Schema)
	}
	return out
}
