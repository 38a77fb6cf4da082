package codec

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/twmb/avro"
)

type planned struct {
	Text    string         `avro:"text"`
	Long    int64          `avro:"long"`
	Int     int            `avro:"int"`
	Small   int32          `avro:"small"`
	Wide    int32          `avro:"wide"`
	Yes     bool           `avro:"yes"`
	Double  float64        `avro:"double"`
	Float   float32        `avro:"float"`
	Micros  time.Time      `avro:"micros"`
	Millis  time.Time      `avro:"millis"`
	Word    word           `avro:"word"`
	Maybe   *string        `avro:"maybe"`
	Either  *plannedInner  `avro:"either"`
	Inner   plannedInner   `avro:"inner"`
	Many    []plannedInner `avro:"many"`
	Numbers []int64        `avro:"numbers"`
	Ignored string         `avro:"-"`
	Also    string         `avro:"also"`
}

type word string

type plannedInner struct {
	Name  string  `avro:"name"`
	Score float64 `avro:"score"`
}

const plannedSchema = `{"type": "record", "name": "Planned", "namespace": "n", "fields": [
	{"name": "also", "type": ["null", "string", "long"]}, {"name": "text", "type": "string"}, {"name": "long", "type": "long"}, {"name": "int", "type": "long"},
	{"name": "small", "type": "int"}, {"name": "wide", "type": "long"}, {"name": "yes", "type": "boolean"},
	{"name": "double", "type": "double"}, {"name": "float", "type": "float"},
	{"name": "micros", "type": {"type": "long", "logicalType": "timestamp-micros"}},
	{"name": "millis", "type": {"type": "long", "logicalType": "timestamp-millis"}},
	{"name": "word", "type": {"type": "enum", "name": "Word", "symbols": ["A", "B", "C"]}},
	{"name": "maybe", "type": ["string", "null"]},
	{"name": "inner", "type": {"type": "record", "name": "Inner", "fields": [{"name": "name", "type": "string"}, {"name": "score", "type": "double"}]}},
	{"name": "either", "type": ["null", "Inner"]},
	{"name": "many", "type": {"type": "array", "items": "n.Inner"}},
	{"name": "numbers", "type": {"type": "array", "items": "long"}}]}`

// TestPlansWriteAsTheLibrary does, whatever the value, or leave it to the library.
func TestPlansWriteAsTheLibrary(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	s := avro.MustParse(plannedSchema)
	plan := newPlan(reflect.TypeFor[planned](), s)
	if plan == nil {
		t.Fatal("there is no plan")
	}
	left := 0
	for i := range 2000 {
		v := anyPlanned(r)
		got, err := plan([]byte{7}, reflect.ValueOf(&v).UnsafePointer())
		want, wanted := s.AppendEncode([]byte{7}, &v)
		if err != nil {
			left++
			continue
		}
		if wanted != nil || !bytes.Equal(got, want) {
			t.Fatalf("seed %d, value %d: %+v is\n%x, and the library's\n%x, %v", seed, i, v, got, want, wanted)
		}
	}
	if left == 0 || left > 1500 {
		t.Errorf("seed %d: %d of 2000 values were left to the library", seed, left)
	}
}

func anyPlanned(r *rand.Rand) planned {
	texts := []string{"", "x", "täxt", "a\xffb", "0193a3f0-7b1c-7def-8abc-0123456789ab", string(make([]byte, 300))}
	text := func() string { return texts[r.IntN(len(texts))] }
	number := func() int64 { return r.Int64() >> r.IntN(64) * int64(r.IntN(3)-1) }
	at := func() time.Time { return time.Unix(r.Int64N(400_000_000_000)-70_000_000_000, r.Int64N(1e9)) }
	inner := func() plannedInner { return plannedInner{text(), r.NormFloat64()} }
	v := planned{
		Text: text(), Long: number(), Int: int(number()), Small: int32(number()), Wide: int32(number()), Yes: r.IntN(2) == 0,
		Double: r.NormFloat64(), Float: r.Float32(), Micros: at(), Millis: at(), Word: word("ABCD"[r.IntN(4)]), Inner: inner(), Also: text(),
	}
	if r.IntN(2) == 0 {
		maybe, either := text(), inner()
		v.Maybe, v.Either = &maybe, &either
	}
	for range r.IntN(4) {
		v.Many, v.Numbers = append(v.Many, inner()), append(v.Numbers, number())
	}
	return v
}

// TestWithoutAPlan: what says itself how it is written, what contains itself, and what a schema has and
// the type has not, is the library's.
func TestWithoutAPlan(t *testing.T) {
	const text = `{"type": "record", "name": "R", "fields": [{"name": "a", "type": "string"}, {"name": "b", "type": ["null", "R"], "default": null}]}`
	type itself struct {
		A string  `avro:"a"`
		B *itself `avro:"b"`
	}
	type half struct {
		A string `avro:"a"`
	}
	type optional struct {
		A string `avro:"a,omitzero"`
		B *half  `avro:"b"`
	}
	for _, of := range []reflect.Type{nil, reflect.TypeFor[itself](), reflect.TypeFor[half](), reflect.TypeFor[optional](), reflect.TypeFor[map[string]any](), reflect.TypeFor[string]()} {
		if newPlan(of, avro.MustParse(text)) != nil {
			t.Errorf("%v has a plan", of)
		}
	}
	type spoken struct {
		At textual `avro:"at"`
	}
	if newPlan(reflect.TypeFor[spoken](), avro.MustParse(`{"type": "record", "name": "R", "fields": [{"name": "at", "type": "string"}]}`)) != nil {
		t.Error("text of its own has a plan")
	}
}

type textual string

func (textual) MarshalText() ([]byte, error) { return []byte("else"), nil }
