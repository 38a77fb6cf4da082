package task

import (
	"encoding/base64"
	"reflect"
	"testing"
)

func TestMetadata(t *testing.T) {
	for _, m := range []metadata{{time: -1}, {time: 1_600_000_000_000}, {time: 5, values: map[string]int64{"a": -1, "KSTREAM-AGGREGATE-0000000003": 1 << 40}}} {
		got, err := decodeMetadata(m.encode())
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%v became %v, %v", m, got, err)
		}
	}
}

// TestMetadataOfKafkaStreams: version, time, and optionally count, length, name, number, all
// big-endian.
func TestMetadataOfKafkaStreams(t *testing.T) {
	for encoded, want := range map[string]metadata{
		"": {time: -1},
		base64.StdEncoding.EncodeToString([]byte("\x01\x00\x00\x00\x00\x00\x00\x00\x07")):                                                                   {time: 7},
		base64.StdEncoding.EncodeToString([]byte("\x02\x00\x00\x00\x00\x00\x00\x00\x07")):                                                                   {time: 7},
		base64.StdEncoding.EncodeToString([]byte("\x02\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x01\x00\x00\x00\x02ab\x00\x00\x00\x00\x00\x00\x00\x09")): {time: 7, values: map[string]int64{"ab": 9}},
	} {
		if got, err := decodeMetadata(encoded); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %v, %v", encoded, got, err)
		}
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add(metadata{time: 5, values: map[string]int64{"a": 1}}.encode())
	f.Add("AgAAAAAAAAAHAAAAAQAAAAI=")
	f.Add("not base64")
	f.Fuzz(func(t *testing.T, s string) {
		m, err := decodeMetadata(s)
		if err != nil && m.time != -1 {
			t.Errorf("an error and time %d", m.time)
		}
	})
}
