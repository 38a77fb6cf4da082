package converters_test

import (
	"math"
	"reflect"
	"testing"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/plugin/converters"
)

func find(t testing.TB, class string) plugin.ConverterPlugin {
	t.Helper()
	for _, p := range converters.Plugins() {
		if p.Class == class {
			return p
		}
	}
	t.Fatalf("there is no %s", class)
	return plugin.ConverterPlugin{}
}

func newConverter(t testing.TB, class string, settings map[string]string) converter.Converter {
	t.Helper()
	p := find(t, class)
	values, err := p.Config.Must(settings)
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.New(values, false)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestScalars(t *testing.T) {
	const prefix = "org.apache.kafka.connect.converters."
	for class, v := range map[string]any{
		"ShortConverter": int16(-2), "IntegerConverter": int32(math.MinInt32), "LongConverter": int64(1 << 40),
		"FloatConverter": float32(1.5), "DoubleConverter": math.Pi, "BooleanConverter": true, "ByteArrayConverter": []byte{7},
	} {
		c := newConverter(t, prefix+class, nil)
		b, err := c.Encode("t", nil, v)
		if err != nil {
			t.Fatal(err)
		}
		s, again, err := c.Decode("t", b)
		if err != nil || !reflect.DeepEqual(v, again) || !s.Optional {
			t.Errorf("%s: %v came back as %v; %v", class, v, again, err)
		}
		if b, err := c.Encode("t", nil, nil); b != nil || err != nil {
			t.Errorf("%s: nil is %x, %v", class, b, err)
		}
		if _, err := c.Encode("t", nil, "text"); err == nil {
			t.Errorf("%s takes text", class)
		}
		if _, _, err := c.Decode("t", []byte{1, 2, 3}); err == nil && class != "ByteArrayConverter" {
			t.Errorf("%s reads three bytes", class)
		}
	}
}

func TestJSONOptions(t *testing.T) {
	s := data.StructOf("", data.Field{Name: "a", Schema: &data.Schema{Type: data.Int32, Optional: true, Default: int32(1)}}, data.Field{Name: "d", Schema: data.DecimalSchema(1)})
	d, err := data.ParseDecimal("1.5")
	if err != nil {
		t.Fatal(err)
	}
	v := &data.Struct{Schema: s, Values: []any{nil, d}}
	for want, settings := range map[string]map[string]string{
		`{"a":1,"d":"Dw=="}`: {"schemas.enable": "false"},
		`{"a":null,"d":1.5}`: {"schemas.enable": "false", "decimal.format": "numeric", "replace.null.with.default": "false", "schemas.cache.size": "1"},
		`{"schema":{"type":"struct","fields":[{"type":"int32","optional":true,"default":1,"field":"a"},{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"1"},"field":"d"}],"optional":false},"payload":{"a":1,"d":"Dw=="}}`: nil,
	} {
		if b, err := newConverter(t, "org.apache.kafka.connect.json.JsonConverter", settings).Encode("t", s, v); string(b) != want || err != nil {
			t.Errorf("%s, want %s; %v", b, want, err)
		}
	}
	_, problems := find(t, "org.apache.kafka.connect.storage.StringConverter").Config.Parse(map[string]string{"converter.encoding": "UTF-16"})
	if len(problems) != 1 || problems[0].Key != "converter.encoding" {
		t.Error(problems)
	}
}

func TestHeaders(t *testing.T) {
	for _, p := range converters.Headers() {
		v, err := p.Config.Must(nil)
		if err != nil {
			t.Fatal(err)
		}
		c, err := p.New(v)
		if err != nil {
			t.Fatal(err)
		}
		h, err := c.DecodeHeader("t", "k", nil)
		if err != nil || h.Key != "k" || h.Value != nil {
			t.Errorf("%s: nil is %+v, %v", p.Class, h, err)
		}
		if b, err := c.EncodeHeader("t", plugin.Header{Key: "k"}); b != nil || err != nil {
			t.Errorf("%s: nil is %q, %v", p.Class, b, err)
		}
	}
	simple := converters.Simple{}
	for text, v := range map[string]any{"42": int8(42), "x": "x", "true": true, `{"a":1}`: &data.Map{Keys: []any{"a"}, Values: []any{int8(1)}}} {
		b, err := simple.EncodeHeader("t", plugin.Header{Value: v})
		if string(b) != text || err != nil {
			t.Errorf("%v is %s, %v", v, b, err)
		}
		if h, err := simple.DecodeHeader("t", "k", b); !reflect.DeepEqual(h.Value, v) || err != nil {
			t.Errorf("%s is %v, %v", b, h.Value, err)
		}
	}
}
