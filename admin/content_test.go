package admin

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/journal"
)

func TestContent(t *testing.T) {
	registry, err := journal.NewRegistry(append([]journal.Serializer{journal.JSON(journal.TypeOf[struct{ A int }]("a"))}, journal.Primitives()...)...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := registry.Marshal("한글")
	if err != nil {
		t.Fatal(err)
	}
	number, err := registry.Marshal(int64(7))
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(`{"a":1}`))
	_ = z.Close()
	for _, tt := range []struct {
		name         string
		payload      journal.Payload
		format, text string
		problem      string
	}{
		{"JSON as it is", journal.Payload{Serializer: 31, Manifest: "unknown", Data: []byte(` {"z":1,"a":2.0}`)}, "json", ` {"z":1,"a":2.0}`, ""},
		{"signs", journal.Payload{Serializer: 31, Data: []byte(`{"a":"\u0026\u003cb\u003e\\u0026"}`)}, "json", `{"a":"&<b>\\u0026"}`, ""},
		{"compressed", journal.Payload{Serializer: 31, Data: zipped.Bytes()}, "json", `{"a":1}`, ""},
		{"a string", text, "json", `"한글"`, ""},
		{"a number", number, "json", "7", ""},
		{"another's text", journal.Payload{Serializer: 99, Data: []byte("plain")}, "text", "plain", "99"},
		{"another's bytes", journal.Payload{Serializer: 99, Data: []byte{0, 1}}, "binary", "", "99"},
		{"bytes", journal.Payload{Serializer: 4, Data: []byte{0, 1}}, "binary", "", ""},
		{"nothing", journal.Payload{}, "null", "", ""},
		{"broken JSON", journal.Payload{Serializer: 31, Manifest: "a", Data: []byte(`{"A":`)}, "text", `{"A":`, "corrupt"},
		{"no gzip after all", journal.Payload{Serializer: 99, Data: []byte{0x1f, 0x8b, 1}}, "binary", "", "99"},
	} {
		c := contentOf(registry, tt.payload)
		if c.Format != tt.format || c.Text != tt.text || !strings.Contains(c.Problem, tt.problem) || tt.problem == "" && c.Problem != "" || c.Size != len(tt.payload.Data) || c.Cut {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
	long := contentOf(nil, journal.Payload{Serializer: 31, Data: []byte(`["` + strings.Repeat("é", MaxContent) + `"]`)})
	if !long.Cut || len(long.Text) > MaxContent || long.Size < 2*MaxContent || !strings.HasSuffix(long.Text, "é") {
		t.Errorf("a long one has %d bytes, %v", len(long.Text), long.Cut)
	}
}

// TestContentOfABomb: a few bytes that would become many are not unpacked.
func TestContentOfABomb(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte("[" + strings.Repeat(" ", 4*MaxPage) + "]"))
	_ = z.Close()
	if c := contentOf(nil, journal.Payload{Serializer: 31, Data: zipped.Bytes()}); c.Format != "binary" {
		t.Errorf("it became %s of %d bytes", c.Format, len(c.Text))
	}
}
