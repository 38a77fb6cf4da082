package registry_test

import (
	"testing"

	"github.com/twmb/avro"

	"github.com/pabal-dev/pabal/console/registry"
)

// TestUUIDsAreText, in a union, too.
func TestUUIDsAreText(t *testing.T) {
	s := avro.MustParse(`{"type": "record", "name": "R", "fields": [
		{"name": "a", "type": {"type": "fixed", "name": "UUID", "size": 16, "logicalType": "uuid"}}, {"name": "b", "type": ["UUID", "string"]}, {"name": "c", "type": ["UUID", "string"]}]}`)
	id := [16]byte{0x01, 0x93, 0xa3, 0xf0, 0x7b, 0x1c, 0x7d, 0xef, 0x8a, 0xbc, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab}
	b, err := s.Encode(map[string]any{"a": id, "b": id, "c": "x"})
	if err != nil {
		t.Fatal(err)
	}
	const text = `"0193a3f0-7b1c-7def-8abc-0123456789ab"`
	if got, err := registry.TextOf(s, b); err != nil || got != `{"a":`+text+`,"b":`+text+`,"c":"x"}` {
		t.Errorf("%s, %v", got, err)
	}
}
