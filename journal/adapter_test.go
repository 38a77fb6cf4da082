package journal

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// shop is a registry whose events have a history.
func shop(t testing.TB) *Registry {
	t.Helper()
	r, err := registry(t, TypeOf[itemAdded]("Added").Version(3), TypeOf[checkedOut]("Out")).WithAdapters(
		Rename("com.old.Added", "Added"),
		Upcast("Added", 1, 2, func(fields map[string]json.RawMessage) error {
			fields["item"] = fields["product"]
			delete(fields, "product")
			return nil
		}),
		Upcast("Added", 2, 3, func(fields map[string]json.RawMessage) error {
			if _, ok := fields["quantity"]; !ok {
				fields["quantity"] = json.RawMessage("1")
			}
			return nil
		}),
		Split("AddedAndOut", 0, func(p Payload) ([]Payload, error) {
			return []Payload{{p.Serializer, "Added#2", p.Data}, {p.Serializer, "Out", []byte(`{}`)}}, nil
		}),
		Drop("Viewed"),
	)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAdapters(t *testing.T) {
	r := shop(t)
	tests := []struct {
		manifest, data string
		want           []any
	}{
		{"Added#3", `{"item":"a","quantity":2}`, []any{itemAdded{"a", 2}}},
		{"Added#2", `{"item":"a"}`, []any{itemAdded{"a", 1}}},
		{"Added", `{"product":"a"}`, []any{itemAdded{"a", 1}}},
		{"Added#1", `{"product":"a","quantity":4}`, []any{itemAdded{"a", 4}}},
		{"com.old.Added", `{"product":"a"}`, []any{itemAdded{"a", 1}}},
		{"com.old.Added#2", `{"item":"a"}`, []any{itemAdded{"a", 1}}},
		{"AddedAndOut", `{"item":"a"}`, []any{itemAdded{"a", 1}, checkedOut{}}},
		{"AddedAndOut#9", `{"item":"a"}`, []any{itemAdded{"a", 1}, checkedOut{}}},
		{"Viewed", `not even JSON`, []any{}},
		{"Out", `{}`, []any{checkedOut{}}},
	}
	for _, test := range tests {
		got, err := r.Decode(Payload{31, test.manifest, []byte(test.data)})
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s %s: got %#v, %v; want %#v", test.manifest, test.data, got, err, test.want)
		}
	}
	if got, err := r.Decode(Payload{18, "", []byte("\x07\x00\x00\x00\x00\x00\x00\x00")}); err != nil || !reflect.DeepEqual(got, []any{int64(7)}) {
		t.Errorf("a number: %v, %v", got, err)
	}
}

func TestAdaptersGetPlainJSON(t *testing.T) {
	r := shop(t)
	name := strings.Repeat("name ", 200)
	for how, data := range compressed(t, `{"product":"`+name+`"}`) {
		for _, manifest := range []string{"Added", "com.old.Added"} {
			got, err := r.Decode(Payload{31, manifest, data})
			if err != nil || !reflect.DeepEqual(got, []any{itemAdded{name, 1}}) {
				t.Errorf("%s %s: got %.80v, %v", how, manifest, got, err)
			}
		}
	}
}

func TestErrorsOfAdapters(t *testing.T) {
	broken := errors.New("cannot")
	base := registry(t, TypeOf[checkedOut]("Out"))
	r, err := base.WithAdapters(
		Upcast("Fails", 1, 2, func(map[string]json.RawMessage) error { return broken }),
		Rename("Ping", "Pong"), Rename("Pong", "Ping"),
		Split("Grows", 0, func(p Payload) ([]Payload, error) { return []Payload{p, p}, nil }),
		Rename("Lost", "Nowhere"),
	)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		manifest, data string
		want           error
		says           string
	}{
		{"Fails", `{}`, broken, `"Fails"`},
		{"Fails", `[]`, ErrCorrupt, `"Fails"`},
		{"Fails", `null`, ErrCorrupt, `"Fails"`},
		{"Fails", "\x1f\x8b", ErrCorrupt, `"Fails"`},
		{"Ping", `{}`, nil, "do not end"},
		{"Grows", `{}`, nil, "do not end"},
		{"Lost", `{}`, ErrManifest, `"Lost"`},
		{"Lost", `{}`, ErrManifest, `"Nowhere"`},
		{"Out", `{`, ErrCorrupt, `"Out"`},
	}
	for _, test := range tests {
		_, err := r.Decode(Payload{31, test.manifest, []byte(test.data)})
		if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s %q: got %v, want %v with %q", test.manifest, test.data, err, test.want, test.says)
		}
	}
	if _, err := base.Decode(Payload{31, "Ping", []byte(`{}`)}); !errors.Is(err, ErrManifest) {
		t.Errorf("the registry it came from has the adapters too: %v", err)
	}
	change := func(map[string]json.RawMessage) error { return nil }
	for name, adapters := range map[string][]Adapter{
		"two adapters":    {Drop("A"), Rename("A", "B")},
		"version 2":       {Upcast("A", 2, 3, change), Split("A", 2, nil)},
		"has no function": {Split("A", 0, nil)},
		"B\" has no":      {Upcast("B", 1, 2, nil)},
	} {
		if _, err := base.WithAdapters(adapters...); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := r.WithAdapters(Drop("Ping")); err == nil {
		t.Error("a second adapter was added for one manifest")
	}
}

func FuzzDecode(f *testing.F) {
	r := shop(f)
	for _, p := range []Payload{
		{31, "Added#3", []byte(`{"item":"a","quantity":2}`)}, {31, "com.old.Added", []byte(`{"product":"a"}`)}, {31, "AddedAndOut", []byte(`{}`)},
		{31, "Viewed", nil}, {18, "", make([]byte, 8)}, {19, "", make([]byte, 4)}, {20, "", []byte("안녕")}, {35, "", []byte{1}}, {4, "", nil}, {99, "#", nil},
	} {
		f.Add(p.Serializer, p.Manifest, p.Data)
	}
	for _, data := range compressed(f, `{"product":"`+strings.Repeat("a", 100)+`"}`) {
		f.Add(int32(31), "Added", data)
	}
	f.Fuzz(func(t *testing.T, serializer int32, manifest string, data []byte) {
		values, err := r.Decode(Payload{serializer, manifest, data})
		if err != nil {
			if !errors.Is(err, ErrSerializer) && !errors.Is(err, ErrManifest) && !errors.Is(err, ErrCorrupt) {
				t.Errorf("unnamed error: %v", err)
			}
			return
		}
		for _, value := range values {
			again, err := r.Marshal(value)
			if err != nil {
				t.Fatalf("%#v cannot be written: %v", value, err)
			}
			if back, err := r.Unmarshal(again); err != nil || !reflect.DeepEqual(back, value) {
				t.Fatalf("%#v comes back as %#v, %v", value, back, err)
			}
		}
	})
}
