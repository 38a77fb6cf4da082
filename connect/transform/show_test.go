package transform_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// show writes a schema and its value, such as Order{id:int32=1, note:string?="x"}.
func show(s *data.Schema, v any) string {
	if s == nil {
		return "free " + showValue(v)
	}
	row, ok := v.(*data.Struct)
	if s.Type != data.StructType || !ok {
		return showSchema(s) + "=" + showValue(v)
	}
	parts := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		parts[i] = f.Name + ":" + show(f.Schema, row.Values[i])
	}
	return showSchema(s) + "{" + strings.Join(parts, ", ") + "}"
}

func showSchema(s *data.Schema) string {
	text := s.Name[strings.LastIndex(s.Name, ".")+1:]
	if text == "" && s.Type != data.StructType || s.Type == data.Array {
		text += s.Type.String()
	}
	if s.Value != nil {
		text += "<" + showSchema(s.Value) + ">"
	}
	if s.Version > 1 || s.Version == 1 && s.Type == data.StructType {
		text += fmt.Sprintf("/%d", s.Version)
	}
	if s.Default != nil {
		text += "(" + showValue(s.Default) + ")"
	}
	if s.Optional {
		text += "?"
	}
	return text
}

func showValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("%q", v)
	case []byte:
		return fmt.Sprintf("x%x", v)
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.000")
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = showValue(e)
		}
		return "[" + strings.Join(parts, " ") + "]"
	case *data.Map:
		parts := make([]string, len(v.Keys))
		for i, k := range v.Keys {
			parts[i] = fmt.Sprintf("%v:%s", k, showValue(v.Values[i]))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case *data.Struct:
		return show(v.Schema, v)
	case float32, float64:
		return fmt.Sprintf("%vf", v)
	}
	return fmt.Sprint(v)
}

func showHeaders(all []plugin.Header) string {
	parts := make([]string, len(all))
	for i, h := range all {
		parts[i] = h.Key + "=" + show(h.Schema, h.Value)
	}
	return strings.Join(parts, ", ")
}

// row makes a struct of names, each with a schema and a value.
func row(name string, fields ...any) *data.Struct {
	s, v := data.StructOf(name), &data.Struct{}
	for i := 0; i < len(fields); i += 3 {
		s.Fields = append(s.Fields, data.Field{Name: fields[i].(string), Schema: fields[i+1].(*data.Schema)})
		v.Values = append(v.Values, fields[i+2])
	}
	v.Schema = s
	return v
}

// free makes a map of names and values.
func free(entries ...any) *data.Map {
	m := &data.Map{}
	for i := 0; i < len(entries); i += 2 {
		m.Put(entries[i], entries[i+1])
	}
	return m
}

func decimal(t testing.TB, text string) data.Decimal {
	t.Helper()
	d, err := data.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func with(s *data.Schema, value any) *data.Schema {
	c := *s
	c.Default = value
	return &c
}

// Schemas for tests.
var (
	i8, i16, i32, i64 = data.Of(data.Int8), data.Of(data.Int16), data.Of(data.Int32), data.Of(data.Int64)
	f32, f64          = data.Of(data.Float32), data.Of(data.Float64)
	text, optText     = data.Of(data.String), data.OptionalOf(data.String)
	flag, raw         = data.Of(data.Boolean), data.Of(data.Bytes)
	date              = data.Named(data.Int32, data.DateName)
	clock             = data.Named(data.Int32, data.TimeName)
	stamp             = data.Named(data.Int64, data.TimestampName)
)
