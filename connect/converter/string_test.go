package converter_test

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
)

// TestStringOfStructs: StringConverter writes what Java's toString does.
func TestStringOfStructs(t *testing.T) {
	in := data.StructOf("", data.Field{Name: "d", Schema: data.DecimalSchema(2)})
	s := data.StructOf("", data.Field{Name: "id", Schema: data.Of(data.Int32)}, data.Field{Name: "note", Schema: data.OptionalOf(data.String)},
		data.Field{Name: "in", Schema: in}, data.Field{Name: "list", Schema: &data.Schema{Type: data.Array, Value: data.OptionalOf(data.Float64)}},
		data.Field{Name: "map", Schema: &data.Schema{Type: data.MapType, Key: data.Of(data.String), Value: data.Of(data.Boolean)}},
		data.Field{Name: "at", Schema: data.Named(data.Int64, data.TimestampName)}, data.Field{Name: "b", Schema: data.Of(data.Bytes)})
	m := &data.Map{}
	m.Put("x", true)
	m.Put("y", false)
	v := &data.Struct{Schema: s, Values: []any{int32(7), nil, &data.Struct{Schema: in, Values: []any{decimal(t, "1.50")}}, []any{1.5, nil}, m, time.UnixMilli(1709211906789), []byte{1, 2}}}
	const want = "Struct{id=7,in=Struct{d=1.50},list=[1.5, null],map={x=true, y=false},at=Thu Feb 29 13:05:06 UTC 2024,b=AQI=}"
	if b, err := (converter.String{}).Encode("t", s, v); string(b) != want || err != nil {
		t.Errorf("got  %s\nwant %s; %v", b, want, err)
	}
	if _, err := (converter.String{}).Encode("t", s, &data.Struct{Schema: s}); err == nil {
		t.Error("a struct without its values is written")
	}
	if b, err := (converter.String{}).Encode("t", nil, nil); b != nil || err != nil {
		t.Errorf("nil is %q, %v", b, err)
	}
	if b, err := (converter.String{}).Encode("t", nil, ""); b == nil || len(b) != 0 || err != nil {
		t.Errorf("no text is %#v, %v", b, err)
	}
}
