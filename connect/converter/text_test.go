package converter_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
)

func describe(s *data.Schema) string {
	if s == nil {
		return "none"
	}
	name := s.Type.String()
	if s.Name != "" {
		name = s.Name[strings.LastIndex(s.Name, ".")+1:]
	}
	switch s.Type {
	case data.Array:
		return name + "<" + describe(s.Value) + ">"
	case data.MapType:
		return name + "<" + describe(s.Key) + "," + describe(s.Value) + ">"
	}
	return name
}

// TestParseText: what SimpleHeaderConverter makes of text, and back.
func TestParseText(t *testing.T) {
	for text, want := range map[string]string{
		"":                           `string ""`,
		"null":                       "none null",
		"true":                       "boolean true",
		" false ":                    "boolean false",
		"true}":                      `string true}`,
		"127":                        "int8 127",
		"-129":                       "int16 -129",
		"40000":                      "int32 40000",
		"3000000000":                 "int64 3000000000",
		"9223372036854775808":        "Decimal 9223372036854775808",
		"1.0":                        "int8 1",
		"1.5":                        "float 1.5",
		"1.5e300":                    "double 1.5E300",
		"+7":                         "int8 7",
		"-":                          "string -",
		"1e999999999":                "string 1e999999999",
		"2024-02-29":                 "Date 2024-02-29",
		"14:34:54.346Z":              "Time 14:34:54.346Z",
		"2019-08-23T14:34:54.346Z":   "Timestamp 2019-08-23T14:34:54.346Z",
		`2019-08-23T14\:34\:54.346Z`: "Timestamp 2019-08-23T14:34:54.346Z",
		"[]":                         "array<none> []",
		"[1, 300, 2.5]":              "array<float> [1.0,300.0,2.5]",
		"[null]":                     "array<none> [null]",
		`["a","b"]`:                  `array<string> ["a","b"]`,
		`["a", 1]`:                   `array<none> ["a",1]`,
		`[1, null]`:                  "string [1, null]",
		"[1,,2]":                     "string [1,,2]",
		"[1, 2":                      "string [1, 2",
		"{}":                         "map<none,none> {}",
		`{"foo":"123","bar":"baz"}`:  `map<string,string> {"foo":"123","bar":"baz"}`,
		`{ "a" : 1, "b" : 40000 } `:  `map<string,int32> {"a":1,"b":40000}`,
		`{"a":null}`:                 `map<string,none> {"a":null}`,
		`{"a":1,"b":"x"}`:            `map<string,none> {"a":1,"b":"x"}`,
		`{"a":[1,2]}`:                `map<string,array<int8>> {"a":[1,2]}`,
		`{null:1}`:                   "string {null:1}",
		`["2024-02-29"]`:             "array<Date> [2024-02-29]",
		"three\"blind\\\"mice":       "string three\"blind\\\"mice",
		"a,b":                        "string a,b",
		"12 monkeys":                 "string 12 monkeys",
	} {
		s, v, err := converter.ParseText(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		again, err := converter.FormatText(v)
		if v == "" {
			again = `""`
		}
		if got := describe(s) + " " + again; got != want || err != nil {
			t.Errorf("%s: %s, want %s; %v", text, got, want, err)
		}
	}
	if _, _, err := converter.ParseText(strings.Repeat("[", 100000)); err != nil {
		t.Error(err)
	}
}

func TestFormatText(t *testing.T) {
	s := data.StructOf("", data.Field{Name: "a", Schema: &data.Schema{Type: data.Int32, Default: int32(3)}}, data.Field{Name: "b", Schema: data.Of(data.String)})
	m := &data.Map{}
	m.Put("k", []byte{1})
	m.Put(int8(1), `q"\`)
	for want, v := range map[string]any{
		"text":                     "text",
		"AQI=":                     []byte{1, 2},
		`{"a":3,"b":"x"}`:          &data.Struct{Schema: s, Values: []any{nil, "x"}},
		`{"k":"AQ==",1:"q\"\\"}`:   m,
		"1.0E10":                   1e10,
		"NaN":                      float32(nan()),
		"1E+3":                     decimal(t, "1e3"),
		"1.5E-8":                   decimal(t, "0.000000015"),
		"0E-8":                     decimal(t, "0.00000000"),
		"0.0000015":                decimal(t, "0.0000015"),
		"00:00:01.000Z":            time.Unix(1, 0),
		"1970-01-02":               time.Unix(86400, 0),
		"1970-01-02T00:00:01.000Z": time.Unix(86401, 0),
	} {
		if got, err := converter.FormatText(v); got != want || err != nil {
			t.Errorf("%v: %s, want %s; %v", v, got, want, err)
		}
	}
	if _, err := converter.FormatText(struct{}{}); err == nil {
		t.Error("anything has a text")
	}
}

func nan() float64 { zero := 0.0; return zero / zero }

func ExampleParseText() {
	for _, text := range []string{"42", "[1,2]", "2024-02-29", "hello"} {
		s, v, _ := converter.ParseText(text)
		fmt.Println(s.Type, v)
	}
	// Output:
	// int8 42
	// array [1 2]
	// int32 2024-02-29 00:00:00 +0000 UTC
	// string hello
}
