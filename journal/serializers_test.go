package journal

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/pierrec/lz4/v4"
)

type itemAdded struct {
	Item     string `json:"item"`
	Quantity int    `json:"quantity"`
}

type checkedOut struct {
	At string `json:"at,omitempty"`
}

func registry(t testing.TB, types ...Type) *Registry {
	t.Helper()
	r, err := NewRegistry(append(Primitives(), JSON(types...))...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPrimitivesArePekkos holds the bytes to those its PrimitiveSerializers write.
func TestPrimitivesArePekkos(t *testing.T) {
	r := registry(t)
	tests := []struct {
		value any
		id    int32
		data  string
	}{
		{[]byte{1, 0, 255}, 4, "\x01\x00\xff"},
		{[]byte{}, 4, ""},
		{int64(0), 18, "\x00\x00\x00\x00\x00\x00\x00\x00"},
		{int64(1), 18, "\x01\x00\x00\x00\x00\x00\x00\x00"},
		{int64(-2), 18, "\xfe\xff\xff\xff\xff\xff\xff\xff"},
		{int64(0x0102030405060708), 18, "\x08\x07\x06\x05\x04\x03\x02\x01"},
		{int64(math.MinInt64), 18, "\x00\x00\x00\x00\x00\x00\x00\x80"},
		{int32(1), 19, "\x01\x00\x00\x00"},
		{int32(-1), 19, "\xff\xff\xff\xff"},
		{int32(0x01020304), 19, "\x04\x03\x02\x01"},
		{int32(math.MinInt32), 19, "\x00\x00\x00\x80"},
		{"", 20, ""},
		{"안녕 😀", 20, "안녕 😀"},
		{true, 35, "\x01"},
		{false, 35, "\x00"},
	}
	for _, test := range tests {
		p, err := r.Marshal(test.value)
		if err != nil || p.Serializer != test.id || p.Manifest != "" || string(p.Data) != test.data {
			t.Errorf("%#v: got %+v, %v; want %d, %q", test.value, p, err, test.id, test.data)
		}
		if got, err := r.Unmarshal(p); err != nil || !reflect.DeepEqual(got, test.value) {
			t.Errorf("%#v comes back as %#v, %v", test.value, got, err)
		}
	}
	if got, err := r.Unmarshal(Payload{Serializer: 21, Data: []byte{7}}); err != nil || !reflect.DeepEqual(got, []byte{7}) {
		t.Errorf("a ByteString: %#v, %v", got, err)
	}
}

func TestCorruptPrimitives(t *testing.T) {
	r := registry(t)
	for _, p := range []Payload{
		{18, "", make([]byte, 7)}, {18, "", make([]byte, 9)}, {18, "", nil}, {19, "", make([]byte, 3)}, {19, "", make([]byte, 8)},
		{20, "", []byte("\xff")}, {35, "", []byte{2}}, {35, "", nil}, {35, "", []byte{0, 0}},
	} {
		if v, err := r.Unmarshal(p); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%+v: got %v, %v; want ErrCorrupt", p, v, err)
		}
	}
	if _, err := r.Marshal("\xff"); err == nil {
		t.Error("a string that is not UTF-8 was written")
	}
}

func TestBytesAreCopied(t *testing.T) {
	r := registry(t)
	value := []byte("abc")
	p, err := r.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	value[0] = 'x'
	back, err := r.Unmarshal(p)
	p.Data[1] = 'x'
	if err != nil || string(back.([]byte)) != "abc" {
		t.Errorf("got %q, %v", back, err)
	}
}

func TestJSONIsJacksons(t *testing.T) {
	r := registry(t, TypeOf[itemAdded]("shop.Cart$ItemAdded", "cart.ItemAdded", "Added"), TypeOf[checkedOut]("shop.Cart$CheckedOut").Version(2))
	p, err := r.Marshal(itemAdded{"책", 2})
	want := Payload{31, "shop.Cart$ItemAdded", []byte(`{"item":"책","quantity":2}`)}
	if err != nil || !reflect.DeepEqual(p, want) {
		t.Errorf("got %+v, %v; want %+v", p, err, want)
	}
	if p, err = r.Marshal(checkedOut{"now"}); err != nil || p.Manifest != "shop.Cart$CheckedOut#2" {
		t.Errorf("got %+v, %v; want the version in the manifest", p, err)
	}

	// Jackson's classes ignore what they do not know, and so do we.
	data := []byte(`{"quantity":2,"item":"책","note":null}`)
	for _, manifest := range []string{"shop.Cart$ItemAdded", "cart.ItemAdded", "Added", "Added#1", "cart.ItemAdded#7"} {
		if got, err := r.Unmarshal(Payload{31, manifest, data}); err != nil || got != any(itemAdded{"책", 2}) {
			t.Errorf("%s: got %#v, %v", manifest, got, err)
		}
	}
}

// TestWithoutTypeInManifest: Pekko's setting type-in-manifest = off.
func TestWithoutTypeInManifest(t *testing.T) {
	r := registry(t, TypeOf[checkedOut]("").Version(3))
	if p, err := r.Marshal(checkedOut{}); err != nil || p.Manifest != "#3" {
		t.Errorf("got %+v, %v", p, err)
	}
	if _, err := r.Unmarshal(Payload{31, "#3", []byte(`{}`)}); err != nil {
		t.Error(err)
	}
}

func compressed(t testing.TB, data string) map[string][]byte {
	t.Helper()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write([]byte(data)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	block := make([]byte, lz4.CompressBlockBound(len(data)))
	n, err := lz4.CompressBlock([]byte(data), block, nil)
	if err != nil || n == 0 {
		t.Fatal(n, err)
	}
	head := []byte{0x87, 0xd9, 0x6d, 0xf6, 0, 0, byte(len(data) >> 8), byte(len(data))}
	return map[string][]byte{"gzip": zipped.Bytes(), "lz4": append(head, block[:n]...)}
}

func TestCompressedByPekko(t *testing.T) {
	r := registry(t, TypeOf[itemAdded]("Added"))
	name := strings.Repeat("a very long name ", 2500)
	for how, data := range compressed(t, `{"item":"`+name+`","quantity":3}`) {
		if got, err := r.Unmarshal(Payload{31, "Added", data}); err != nil || got != any(itemAdded{name, 3}) {
			t.Errorf("%s: got %.60v, %v", how, got, err)
		}
		for _, n := range []int{8, 9, 20, len(data) / 2, len(data) - 1} {
			if got, err := r.Unmarshal(Payload{31, "Added", data[:n]}); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s cut to %d bytes: got %.60v, %v; want ErrCorrupt", how, n, got, err)
			}
		}
	}
	// Seven literals, spelled out: 0x70 is how a block begins that has nothing else.
	spelled := append([]byte{0x87, 0xd9, 0x6d, 0xf6, 0, 0, 0, 14, 0xe0}, `{"quantity":5}`...)
	if got, err := r.Unmarshal(Payload{31, "Added", spelled}); err != nil || got != any(itemAdded{"", 5}) {
		t.Errorf("lz4 by hand: %v, %v", got, err)
	}
	huge := append([]byte{0x87, 0xd9, 0x6d, 0xf6, 0xff, 0xff, 0xff, 0xff}, spelled[8:]...)
	if _, err := r.Unmarshal(Payload{31, "Added", huge}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("lz4 of 4 GiB: %v, want ErrCorrupt", err)
	}
}

func TestErrorsOfARegistry(t *testing.T) {
	r := registry(t, TypeOf[itemAdded]("Added"), TypeOf[checkedOut]("Out").Version(2))
	tests := []struct {
		p    Payload
		want error
		says []string
	}{
		{Payload{99, "Added", nil}, ErrSerializer, []string{"99", "Added", "register"}},
		{Payload{33, "Added", nil}, ErrSerializer, []string{"33"}},
		{Payload{31, "Removed", []byte(`{}`)}, ErrManifest, []string{"31", "Removed", "TypeOf"}},
		{Payload{31, "Out", []byte(`{}`)}, ErrManifest, []string{"Out", "version 1", "Upcast"}},
		{Payload{31, "Out#3", []byte(`{}`)}, ErrManifest, []string{"Out", "version 3", "update"}},
		{Payload{31, "Added", []byte(`{"item":`)}, ErrCorrupt, []string{"31", "Added"}},
		{Payload{31, "Added", []byte(`{"quantity":"two"}`)}, ErrCorrupt, []string{"31", "Added", "quantity"}},
		{Payload{31, "Added", nil}, ErrCorrupt, []string{"31", "Added"}},
	}
	for _, test := range tests {
		_, err := r.Unmarshal(test.p)
		if !errors.Is(err, test.want) {
			t.Errorf("%+v: got %v, want %v", test.p, err, test.want)
			continue
		}
		for _, part := range test.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%+v: %q does not say %q", test.p, err, part)
			}
		}
	}
	for _, value := range []any{nil, 1, &itemAdded{}, struct{}{}} {
		if _, err := r.Marshal(value); !errors.Is(err, ErrSerializer) {
			t.Errorf("%#v: got %v, want ErrSerializer", value, err)
		}
	}
	unwritable := registry(t, TypeOf[chan int]("Channel"))
	if _, err := unwritable.Marshal(make(chan int)); err == nil || !strings.Contains(err.Error(), "chan int") {
		t.Errorf("a channel: %v", err)
	}
}

func TestRegistryChecks(t *testing.T) {
	for name, serializers := range map[string][]Serializer{
		"same number":        {JSON(), JSON()},
		"two manifests":      {JSON(TypeOf[itemAdded]("A"), TypeOf[itemAdded]("B"))},
		"`names both`":       {JSON(TypeOf[itemAdded]("A"), TypeOf[checkedOut]("A"))},
		"names both":         {JSON(TypeOf[itemAdded]("A", "B"), TypeOf[checkedOut]("B"))},
		"set its Version":    {JSON(TypeOf[itemAdded]("A#2"))},
		"1 or more":          {JSON(TypeOf[itemAdded]("A").Version(0))},
		"not made by TypeOf": {JSON(Type{})},
	} {
		if _, err := NewRegistry(serializers...); err == nil || !strings.Contains(err.Error(), strings.Trim(name, "`")) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestOwnSerializer: a format that Pabal has no library for takes one line.
func TestOwnSerializer(t *testing.T) {
	reversed := func(data []byte) []byte {
		out := bytes.Clone(data)
		for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i], out[j] = out[j], out[i]
		}
		return out
	}
	marshal := func(v any) ([]byte, error) {
		data, err := json.Marshal(v)
		return reversed(data), err
	}
	unmarshal := func(data []byte, v any) error { return json.Unmarshal(reversed(data), v) }
	r, err := NewRegistry(Typed(FirstOwnSerializer, marshal, unmarshal, TypeOf[itemAdded]("Added")), JSON(TypeOf[checkedOut]("Out")))
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Marshal(itemAdded{"a", 1})
	if err != nil || p.Serializer != 41 {
		t.Fatalf("%+v, %v", p, err)
	}
	if got, err := r.Unmarshal(p); err != nil || got != any(itemAdded{"a", 1}) {
		t.Errorf("got %v, %v", got, err)
	}
	// Its bytes are its own: they are not taken for gzip.
	if _, err := r.Unmarshal(Payload{41, "Added", []byte("\x1f\x8b")}); !errors.Is(err, ErrCorrupt) || strings.Contains(err.Error(), "gzip") {
		t.Errorf("got %v", err)
	}
}
