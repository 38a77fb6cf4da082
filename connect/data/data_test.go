package data_test

import (
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/internal/testenv"
)

func TestDecimalBytes(t *testing.T) {
	for text, want := range map[string]string{
		"0": "00", "1": "01", "127": "7f", "128": "0080", "255": "00ff", "256": "0100", "-1": "ff", "-128": "80", "-129": "ff7f",
		"-256": "ff00", "123.45": "3039", "-123.45": "cfc7", "0.00": "00", "1e3": "01", "12e-1": "0c",
	} {
		d, err := data.ParseDecimal(text)
		if got := hex.EncodeToString(d.Bytes()); err != nil || got != want {
			t.Errorf("%s: %s, want %s; %v", text, got, want, err)
		}
		if again := data.DecimalOf(d.Bytes(), d.Scale); again.Unscaled.Cmp(d.Unscaled) != 0 {
			t.Errorf("%s came back as %s", text, again)
		}
	}
}

func TestDecimalText(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "0.00": "0.00", "-0.5": "-0.5", ".5": "0.5", "5.": "5", "+7": "7", "1e3": "1000", "-1.5E-3": "-0.0015", "00012.340": "12.340",
	} {
		d, err := data.ParseDecimal(text)
		if err != nil || d.String() != want {
			t.Errorf("%s: %s, want %s; %v", text, d, want, err)
		}
	}
	for _, text := range []string{"", ".", "-", "1.2.3", "1,5", "0x10", "1e", "1e99999999", "--1", "1.-5", "NaN", "Infinity", strings.Repeat("x", 1000)} {
		if d, err := data.ParseDecimal(text); !errors.Is(err, data.ErrData) || len(err.Error()) > 200 {
			t.Errorf("%.20q is %v, %v", text, d, err)
		}
	}
}

// TestDecimalsComeBack with any digits and scales.
func TestDecimalsComeBack(t *testing.T) {
	random := testenv.Rand(t)
	for range 2000 {
		b := make([]byte, 1+random.IntN(20))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		d := data.DecimalOf(b, random.IntN(30)-5)
		if again := data.DecimalOf(d.Bytes(), d.Scale); again.Unscaled.Cmp(d.Unscaled) != 0 {
			t.Fatalf("%x came back as %x", b, again.Bytes())
		}
		text, err := data.ParseDecimal(d.String())
		if err != nil {
			t.Fatal(err)
		}
		if same, err := text.WithScale(max(d.Scale, 0)); err != nil || same.String() != d.String() {
			t.Fatalf("%s is %s, %v", d, same, err)
		}
	}
	if _, err := (data.Decimal{Unscaled: big.NewInt(15), Scale: 1}).WithScale(0); !errors.Is(err, data.ErrData) {
		t.Errorf("1.5 without digits after the point: %v", err)
	}
}

func TestValidate(t *testing.T) {
	row := data.StructOf("row", data.Field{Name: "id", Schema: data.Of(data.Int32)}, data.Field{Name: "note", Schema: data.OptionalOf(data.String)})
	good := data.NewStruct(row)
	if err := errors.Join(good.Set("id", int32(1)), data.Validate(row, good), data.Validate(row.AsOptional(), good), data.Validate(nil, 5)); err != nil {
		t.Fatal(err)
	}
	if good.Get("id") != int32(1) || good.Get("note") != nil || good.Get("other") != nil {
		t.Errorf("%+v", good)
	}
	if err := good.Set("other", 1); !errors.Is(err, data.ErrData) || !strings.Contains(err.Error(), `row has no field "other"`) {
		t.Error(err)
	}
	numbers := &data.Schema{Type: data.Array, Value: data.Of(data.Int64)}
	names := &data.Schema{Type: data.MapType, Key: data.Of(data.String), Value: data.Of(data.Int64)}
	for _, c := range []struct {
		s    *data.Schema
		v    any
		want string
	}{
		{row, nil, "nil for row"},
		{row, data.NewStruct(row), "field id: "},
		{row, &data.Struct{Schema: row}, "0 values for the 2 fields"},
		{row, data.NewStruct(data.StructOf("other")), "a struct of other for row"},
		{data.Of(data.Int32), int64(1), "int64 for int32"},
		{numbers, []any{int64(1), "x"}, "element 1: "},
		{names, &data.Map{Keys: []any{"a"}, Values: []any{nil}}, "entry a: "},
		{data.DecimalSchema(1), []byte{1}, "is a data.Decimal"},
	} {
		if err := data.Validate(c.s, c.v); !errors.Is(err, data.ErrData) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.v, err, c.want)
		}
	}
}

func TestMap(t *testing.T) {
	var m data.Map
	m.Put("a", 1)
	m.Put("b", 2)
	m.Put("a", 3)
	if v, ok := m.Get("a"); v != 3 || !ok || len(m.Keys) != 2 {
		t.Errorf("%+v", m)
	}
	m.Put([]byte{1}, "x")
	if v, ok := m.Get([]byte{1}); v != "x" || !ok {
		t.Errorf("%+v", m)
	}
	if _, ok := m.Get("c"); ok {
		t.Error("there is a c")
	}
}
