package state_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// TestChangelogFormats: keys, values and timestamps of changelogs are Kafka Streams'.
func TestChangelogFormats(t *testing.T) {
	str, num := serde.String(), serde.Int32()
	tests := []struct {
		name  string
		def   state.Definition
		do    func(any) error
		wants []string // key, value and timestamp of each record
	}{
		{"key-value", state.KeyValue("s", str, num), func(s any) error {
			return s.(state.KeyValueStore[string, int32]).Put("k", 7)
		}, []string{"6b 00000007 77"}},
		{"timestamped", state.TimestampedKeyValue("s", str, num), func(s any) error {
			kv := s.(state.TimestampedStore[string, int32])
			if _, _, err := kv.DeleteAt("l", 55); err != nil {
				return err
			}
			return kv.Put("k", state.Timestamped[int32]{Value: 7, Timestamp: 44})
		}, []string{"6c null 55", "6b 00000007 44"}},
		{"window", state.Windows("s", time.Second, 0, str, num), func(s any) error {
			w := s.(state.WindowStore[string, int32])
			if err := w.Delete("l", 256); err != nil {
				return err
			}
			return w.Put("k", 256, 7)
		}, []string{"6c" + "0000000000000100" + "00000000 null 77", "6b" + "0000000000000100" + "00000000 00000007 77"}},
		{"duplicates", state.Windows("s", time.Second, 0, str, num, state.RetainDuplicates()), func(s any) error {
			w := s.(state.WindowStore[string, int32])
			if err := w.Put("k", 256, 7); err != nil {
				return err
			}
			return w.Put("k", 256, 7)
		}, []string{"6b" + "0000000000000100" + "00000001 00000007 77", "6b" + "0000000000000100" + "00000002 00000007 77"}},
		{"timestamped window", state.TimestampedWindow("s", time.Second, 0, str, num), func(s any) error {
			return s.(state.WindowStore[string, state.Timestamped[int32]]).Put("k", 256, state.Timestamped[int32]{Value: 7, Timestamp: 300})
		}, []string{"6b" + "0000000000000100" + "00000000 00000007 300"}},
		{"session", state.Session("s", 0, str, num), func(s any) error {
			return s.(state.SessionStore[string, int32]).Put(state.Windowed[string]{Key: "k", Window: state.Window{Start: 1, End: 256}}, 7)
		}, []string{"6b" + "0000000000000100" + "0000000000000001 00000007 77"}},
		{"versioned", state.Versioned("s", time.Hour, str, num), func(s any) error {
			v := s.(state.VersionedStore[string, int32])
			if _, _, err := v.Put("k", 7, 300); err != nil {
				return err
			}
			_, _, err := v.Delete("k", 200)
			return err
		}, []string{"6b 00000007 300", "6b null 200"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHarness(t, test.def)
			h.time = 77
			h.must(test.do(h.store))
			h.must(h.store.Log())
			var got []string
			for _, r := range h.pending {
				got = append(got, show(r))
			}
			if strings.Join(got, ", ") != strings.Join(test.wants, ", ") {
				t.Errorf("logged %v, want %v", got, test.wants)
			}
			n := len(h.pending)
			if h.must(h.store.Log()); len(h.pending) != n {
				t.Errorf("a second Log sent %d records more", len(h.pending)-n)
			}
		})
	}
}

func show(r *kgo.Record) string {
	value := "null"
	if r.Value != nil {
		value = hex.EncodeToString(r.Value)
	}
	return fmt.Sprintf("%x %s %d", r.Key, value, r.Timestamp.UnixMilli())
}

// TestWindowedSerdes: the bytes are those of TimeWindowedSerializer and SessionWindowedSerializer.
func TestWindowedSerdes(t *testing.T) {
	w := state.Windowed[string]{Key: "k", Window: state.Window{Start: 1, End: 1001}}
	for _, test := range []struct {
		s    serde.Serde[state.Windowed[string]]
		want string
	}{
		{state.TimeWindowedSerde(serde.String(), time.Second), "6b0000000000000001"},
		{state.SessionWindowedSerde(serde.String()), "6b00000000000003e90000000000000001"},
	} {
		data, err := test.s.Append(nil, w)
		if err != nil || hex.EncodeToString(data) != test.want {
			t.Errorf("got %x, %v; want %s", data, err, test.want)
		}
		if back, err := test.s.Decode(data); err != nil || back != w {
			t.Errorf("came back as %v, %v", back, err)
		}
		if _, err := test.s.Decode(data[:5]); err == nil || !strings.Contains(err.Error(), "got 5 bytes") {
			t.Errorf("of 5 bytes: %v", err)
		}
	}
	endless := state.TimeWindowedSerde(serde.String(), 0)
	if back, err := endless.Decode([]byte("k\x00\x00\x00\x00\x00\x00\x00\x01")); err != nil || back.Window.End != math.MaxInt64 {
		t.Errorf("without a size: %v, %v", back, err)
	}
}

// TestCorruptChangelogs: the error names store, place and key, and what is wrong.
func TestCorruptChangelogs(t *testing.T) {
	str, num := serde.String(), serde.Int32()
	tests := []struct {
		name string
		def  state.Definition
		rec  *kgo.Record
		want string
	}{
		{"no key", state.KeyValue("orders", str, num), &kgo.Record{Value: []byte("1")}, "no key"},
		{"window", state.Windows("orders", time.Second, 0, str, num), &kgo.Record{Key: []byte("abc"), Value: []byte("1")}, "12 bytes of times, got 3 bytes"},
		{"negative", state.Windows("orders", time.Second, 0, str, num), &kgo.Record{Key: []byte("\xff2345678abcd"), Value: []byte("1")}, "negative"},
		{"session", state.Session("orders", 0, str, num), &kgo.Record{Key: []byte("abc"), Value: []byte("1")}, "16 bytes of times, got 3 bytes"},
		{"version", state.Versioned("orders", time.Hour, str, num), &kgo.Record{Key: []byte("abc"), Timestamp: time.UnixMilli(-5)}, "negative"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHarness(t, test.def)
			test.rec.Topic, test.rec.Offset = "app-orders-changelog", 42
			err := test.def.Plan().Restored(h.batch, h.space, []*kgo.Record{test.rec})
			contains(t, err, "store orders", "app-orders-changelog/0 at offset 42", hex.EncodeToString(test.rec.Key), test.want)
		})
	}
}

// TestCorruptValues are said when they are read, by the store and by views.
func TestCorruptValues(t *testing.T) {
	window := []byte("k\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00")
	tests := []struct {
		name   string
		def    state.Definition
		key    []byte
		read   func(any) error
		expect []string
	}{
		{"key-value", state.TimestampedKeyValue("orders", serde.String(), serde.Int32()), []byte("k"), func(s any) error {
			_, _, err := s.(state.ReadOnlyKeyValue[string, state.Timestamped[int32]]).Get("k")
			return err
		}, []string{"store orders", "key k", "expected 4 bytes, got 3"}},
		{"all", state.KeyValue("orders", serde.String(), serde.Int32()), []byte("k"), func(s any) error {
			for _, err := range s.(state.ReadOnlyKeyValue[string, int32]).All() {
				return err
			}
			return nil
		}, []string{"store orders", "key k", "expected 4 bytes, got 3"}},
		{"window", state.Windows("orders", time.Second, 0, serde.String(), serde.Int32()), window, func(s any) error {
			_, _, err := s.(state.ReadOnlyWindow[string, int32]).Fetch("k", 1)
			return err
		}, []string{"store orders", "key k, window of 1", "expected 4 bytes, got 3"}},
		{"windows of a key", state.Windows("orders", time.Second, 0, serde.String(), serde.Int32()), window, func(s any) error {
			for _, err := range s.(state.ReadOnlyWindow[string, int32]).FetchRange("k", 0, 9) {
				return err
			}
			return nil
		}, []string{"store orders", "key k, window of 1", "expected 4 bytes, got 3"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHarness(t, test.def)
			h.log = []*kgo.Record{{Topic: "c", Key: test.key, Value: []byte{1, 2, 3}, Timestamp: time.UnixMilli(1)}}
			h.restore(1)
			contains(t, test.read(h.store), test.expect...)
			v, done := h.view()
			defer done()
			contains(t, test.read(v), test.expect...)
		})
	}
}

func contains(t *testing.T, err error, parts ...string) {
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
