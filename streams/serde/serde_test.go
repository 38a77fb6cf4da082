package serde_test

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/streams/serde"
)

// The bytes are those of Kafka's StringSerializer, IntegerSerializer, LongSerializer and
// DoubleSerializer.
func TestFormats(t *testing.T) {
	formats(t, "string", serde.String(), map[string]string{"": "", "héllo": "68c3a96c6c6f", "a\xff": "61ff"})
	formats(t, "int32", serde.Int32(), map[int32]string{0: "00000000", 1: "00000001", -1: "ffffffff", math.MinInt32: "80000000"})
	formats(t, "int64", serde.Int64(), map[int64]string{0: "0000000000000000", 258: "0000000000000102", -2: "fffffffffffffffe"})
	formats(t, "float64", serde.Float64(), map[float64]string{0: "0000000000000000", 1: "3ff0000000000000", -2.5: "c004000000000000", math.Inf(1): "7ff0000000000000"})
	formats(t, "json", serde.JSON[order](), map[order]string{{ID: "a<&>", Count: 3}: hex.EncodeToString([]byte(`{"id":"a<&>","count":3}`))})
}

type order struct {
	ID    string `json:"id"`
	Count int    `json:"count"`
}

func formats[T comparable](t *testing.T, name string, s serde.Serde[T], want map[T]string) {
	t.Helper()
	for v, bytes := range want {
		got, err := s.Append([]byte("before"), v)
		if err != nil || hex.EncodeToString(got[6:]) != bytes || string(got[:6]) != "before" {
			t.Errorf("%s of %v: got %x, %v; want %s after what was there", name, v, got, err, bytes)
		}
		back, err := s.Decode(got[6:])
		if err != nil || back != v {
			t.Errorf("%s: %v came back as %v, %v", name, v, back, err)
		}
	}
}

func TestErrorsSayWhatWasExpectedAndWhatCame(t *testing.T) {
	check := func(err error, parts ...string) {
		t.Helper()
		if err == nil {
			t.Fatalf("no error; want one with %q", parts)
		}
		for _, p := range parts {
			if !strings.Contains(err.Error(), p) {
				t.Errorf("%q lacks %q", err, p)
			}
		}
	}
	_, err := serde.Int32().Decode([]byte{1, 2, 3})
	check(err, "int32", "expected 4 bytes", "got 3")
	_, err = serde.Int64().Decode(nil)
	check(err, "int64", "expected 8 bytes", "got 0")
	_, err = serde.Float64().Decode(make([]byte, 9))
	check(err, "float64", "expected 8 bytes", "got 9")
	_, err = serde.JSON[order]().Decode([]byte(`{"id":`))
	check(err, "serde_test.order", "got 6 bytes")
	dst, err := serde.JSON[float64]().Append([]byte("kept"), math.NaN())
	check(err, "float64", "NaN")
	if string(dst) != "kept" {
		t.Errorf("after an error dst is %q", dst)
	}
}

// A decoded value does not change with the buffer it was made of.
func TestDecodeDoesNotKeepTheBytes(t *testing.T) {
	data := []byte(`"abc"`)
	s, _ := serde.String().Decode(data)
	b, _ := serde.Bytes().Decode(data)
	raw, _ := serde.JSON[json.RawMessage]().Decode(data)
	clear(data)
	if s != `"abc"` || string(b) != `"abc"` || string(raw) != `"abc"` {
		t.Errorf("got %q, %q and %q after the buffer was cleared", s, b, raw)
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 64)
	check := func(name string, f func()) {
		t.Helper()
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	str, b, i32, i64, f64 := serde.String(), serde.Bytes(), serde.Int32(), serde.Int64(), serde.Float64()
	data := []byte("data")
	check("string", func() { dst, _ = str.Append(dst[:0], "text") })
	check("bytes", func() { dst, _ = b.Append(dst[:0], data) })
	check("int32", func() { dst, _ = i32.Append(dst[:0], 7) })
	check("int64", func() { dst, _ = i64.Append(dst[:0], 7) })
	check("float64", func() { dst, _ = f64.Append(dst[:0], 7) })
}

type perTopic struct {
	serde.Serde[string]
	topic string
	key   bool
}

func (perTopic) ForTopic(topic string, key bool) (serde.Serde[string], error) {
	return perTopic{serde.String(), topic, key}, nil
}

func TestOf(t *testing.T) {
	s, err := serde.Of[string](perTopic{}, "orders", true)
	if got := s.(perTopic); err != nil || got.topic != "orders" || !got.key {
		t.Errorf("got %+v, %v", got, err)
	}
	if s, err := serde.Of(serde.String(), "orders", true); err != nil || s != serde.String() {
		t.Errorf("got %v, %v; want the serde itself", s, err)
	}
}

func FuzzJSON(f *testing.F) {
	f.Add("a", 1)
	f.Fuzz(func(t *testing.T, id string, count int) {
		s := serde.JSON[order]()
		data, err := s.Append(nil, order{id, count})
		if err != nil {
			t.Fatal(err)
		}
		want, _ := json.Marshal(id)
		var normal string // what JSON makes of bytes that are not UTF-8
		if err := json.Unmarshal(want, &normal); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Decode(data); err != nil || got != (order{normal, count}) {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}
