package streams

import (
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/serde"
)

// What Kafka Streams 4.3.1 makes of these.
func TestHash128(t *testing.T) {
	for _, c := range []struct {
		text   string
		h1, h2 uint64
	}{
		{"", 0x9d2764a018e32942, 0x8c3cf3b035938518},
		{"a", 0x3361634e7e0f5188, 0xe9c7dda24eae326b},
		{"hello", 0x30bfb4f39919e764, 0x566aea857401d1c6},
		{"12345678", 0xddec8f9026074d66, 0x5e35523e4a34fe8c},
		{"123456789", 0x5a3e531c14a5f700, 0xfaf8cf22625f37e7},
		{"0123456789abcdef", 0x1a6e941ec6a76967, 0xd7d82808f505d6b1},
		{"0123456789abcdef0", 0x85e3069a748c16b6, 0xbc8c0a283538abb8},
		{"The quick brown fox jumps over the lazy dog", 0xe74c5921af0f99c8, 0xb7f85ec81df06726},
	} {
		if h1, h2 := hash128([]byte(c.text)); h1 != c.h1 || h2 != c.h2 {
			t.Errorf("%q: %x %x, want %x %x", c.text, h1, h2, c.h1, c.h2)
		}
	}
}

// The messages and entries are byte by byte those of Kafka Streams 4.3.1.
func TestFormatsOfWhatWaits(t *testing.T) {
	ask := subscription{of: hashOf([]byte("q")), instruc: subscribeIfFound, key: []byte("a")}
	gone := subscription{of: valueHash{none: true}, instruc: unsubscribeAndDelete, key: []byte("a")}
	for _, c := range []struct {
		s    subscription
		want string
	}{
		{ask, "01035b6b30baabb2be08961748cd445c96056100000000"},
		{gone, "81016100000000"},
	} {
		got, err := subscriptionSerde{}.Append(nil, c.s)
		same(t, got, c.want, err)
		back, err := subscriptionSerde{}.Decode(got)
		if err != nil || !reflect.DeepEqual(back, c.s) {
			t.Errorf("%v is read as %v, %v", c.s, back, err)
		}
	}
	responses := responseSerde[string]{serde.String()}
	for _, c := range []struct {
		r    response[string]
		want string
	}{
		{response[string]{of: ask.of, value: "Q", hasValue: true}, "005b6b30baabb2be08961748cd445c960551"},
		{response[string]{of: valueHash{none: true}}, "80"},
	} {
		got, err := responses.Append(nil, c.r)
		same(t, got, c.want, err)
		back, err := responses.Decode(got)
		if err != nil || back != c.r {
			t.Errorf("%v is read as %v, %v", c.r, back, err)
		}
	}
	same(t, combined(nil, []byte("q"), []byte("a")), "000000017161", nil)
	same(t, appendToList(appendToList(nil, 1, []byte("a")), 1, []byte("bc")), "010000000200000002016100000003016263", nil)
}

func TestSuppressedEntries(t *testing.T) {
	for want, s := range map[string]suppressed{
		"000000000000000b000000000000000000000001730000000000000000ffffffffffffffff0000000176000000000000000f": {
			timestamp: 11, topic: "s", latest: []byte("v"), until: 15},
		"000000000000000c000000000000000100000001730000000000000000ffffffff0000000176000000027677000000000000000f": {
			timestamp: 12, offset: 1, topic: "s", old: []byte("v"), latest: []byte("vw"), until: 15},
		"000000000000000c0000000000000001000000017300000000000000010000000168ffffffff0000000176fffffffeffffffff000000000000000f": {
			timestamp: 12, offset: 1, topic: "s", headers: []kgo.RecordHeader{{Key: "h"}}, prior: []byte("v"), old: []byte("v"), until: 15},
	} {
		got := s.append(nil)
		same(t, got, want, nil)
		back, err := parseSuppressed(got)
		if err != nil || !reflect.DeepEqual(back, s) {
			t.Errorf("%+v is read as %+v, %v", s, back, err)
		}
		for i := range got {
			if _, err := parseSuppressed(got[:i]); err == nil {
				t.Errorf("the first %d bytes of %s are no error", i, want)
			}
		}
	}
}

func TestShortMessages(t *testing.T) {
	for _, data := range []string{"", "01", "0103", "010300", "8101", "810100", "0203"} {
		b, _ := hex.DecodeString(data)
		if _, err := (subscriptionSerde{}).Decode(b); err == nil {
			t.Errorf("subscription %q is no error", data)
		}
	}
	for _, data := range []string{"", "00", "0000", "0180"} {
		b, _ := hex.DecodeString(data)
		if _, err := (responseSerde[string]{serde.String()}).Decode(b); err == nil {
			t.Errorf("response %q is no error", data)
		}
	}
	for _, data := range []string{"", "0100000001", "010000000100000005", strings.Repeat("00", 6)} {
		b, _ := hex.DecodeString(data)
		if err := eachInList(b, func([]byte) error { return nil }); err == nil && data != "0100000001" {
			t.Errorf("list %q is no error", data)
		}
	}
}

func same(t *testing.T, got []byte, want string, err error) {
	t.Helper()
	if hex.EncodeToString(got) != want || err != nil {
		t.Errorf("%x, %v, want %s", got, err, want)
	}
}
