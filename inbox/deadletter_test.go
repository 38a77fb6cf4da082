package inbox

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
)

var testUndertaker = undertaker{planner: testPlanner, topic: "me.dead-letters", maxBytes: 10_000}

var testDeath = death{reason: "no such\x00 customer", attempts: 5, at: time.Unix(100, 0)}

func TestDeadLetterSaysWhatHappened(t *testing.T) {
	i := testItem(42, "id-1", "key-1", event.Header{Key: "ce_correlationid", Value: []byte("corr")},
		event.Header{Key: "shop", Value: []byte("north")}, event.Header{Key: RedriveHeader, Value: []byte("me")})
	m := testUndertaker.letter(i, testDeath)
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	if m.Topic != "me.dead-letters" || m.ID != "id-1" || m.Type != "test" || m.Key != "key-1" || m.CorrelationID != "corr" || string(m.Payload) != "value" {
		t.Errorf("the letter is %+v", m)
	}
	for name, want := range map[string]string{
		HeaderError: "no such? customer", HeaderConsumer: "me", HeaderTopic: "orders", HeaderPartition: "3", HeaderOffset: "42",
		HeaderAttempts: "5", HeaderTime: "1970-01-01T00:01:40Z", "shop": "north", RedriveHeader: "",
	} {
		if got := m.Headers[name]; got != want {
			t.Errorf("header %s is %q, want %q", name, got, want)
		}
	}
}

func TestOversizedDeadLetterNamesItsSource(t *testing.T) {
	i := testItem(42, "id-1", "key-1")
	i.value = make([]byte, 20_000)
	m := testUndertaker.letter(i, testDeath)
	if string(m.Payload) != `{"topic":"orders","partition":3,"offset":42}` || m.Headers[HeaderOmitted] != "value" {
		t.Errorf("payload %s, headers %v", m.Payload, m.Headers)
	}
	i.headers = append(i.headers, event.Header{Key: "huge", Value: make([]byte, 20_000)})
	if m := testUndertaker.letter(i, testDeath); m.Headers["huge"] != "" || m.Headers[HeaderOffset] != "42" || m.Key != "key-1" {
		t.Errorf("headers %v", m.Headers)
	}
	i.key = make([]byte, 20_000)
	i.fault = errors.New("malformed")
	if m := testUndertaker.letter(i, testDeath); m.Key != "" || m.Validate() != nil {
		t.Errorf("key of %d bytes, %v", len(m.Key), m.Validate())
	}
}

func TestMalformedRecordsKeepTheirBytes(t *testing.T) {
	i := newItem(42, []event.Header{{Key: "ce_time", Value: []byte("yesterday")}, {Key: "bin", Value: []byte{0xff}}}, []byte{0xfe}, []byte{1, 2}, time.Unix(50, 0))
	m := testUndertaker.letter(i, death{reason: i.fault.Error(), at: time.Unix(100, 0)})
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	if m.ID != "aa/3/42" || m.Type != MalformedType || string(m.Payload) != "\x01\x02" || m.Key != "" || !m.Time.Equal(time.Unix(50, 0)) {
		t.Errorf("the letter is %+v", m)
	}
	for name, want := range map[string]string{
		HeaderRawKey: "/g==", HeaderRaw + "ce_time": "yesterday", HeaderRaw + "bin": "base64:/w==", HeaderAttempts: "0",
	} {
		if got := m.Headers[name]; got != want {
			t.Errorf("header %s is %q, want %q", name, got, want)
		}
	}
}

// Whatever a foreign producer sends, its dead letter can be stored and sent.
func TestDeadLettersAreAlwaysValid(t *testing.T) {
	random := testenv.Rand(t)
	names := []string{"ce_id", "ce_type", "ce_source", "ce_specversion", "ce_time", "ce_correlationid", "ce_traceparent",
		"content-type", "", "\xff", "x\x00", RedriveHeader, HeaderError, "shop"}
	values := []string{"", "1.0", "ok", "\xff", "\x00", "a\nb", strings.Repeat("long", 100), "2020-01-01T00:00:00Z", "me", strings.Repeat("x", 9000)}
	for range 20_000 {
		var headers []event.Header
		for range random.IntN(8) {
			headers = append(headers, event.Header{Key: names[random.IntN(len(names))], Value: []byte(values[random.IntN(len(values))])})
		}
		i := newItem(1, headers, []byte(values[random.IntN(len(values))]), []byte(values[random.IntN(len(values))]), time.Unix(random.Int64N(3), 0))
		m := testUndertaker.letter(i, testDeath)
		if err := m.Validate(); err != nil {
			t.Fatalf("%q, key %q: %v", headers, i.key, err)
		}
		if !isText(m.Key) || !isText(fmt.Sprint(m.Headers)) {
			t.Fatalf("%q, key %q: not text: %+v", headers, i.key, m)
		}
		size := len(m.Key) + len(m.Payload)
		for _, h := range m.RecordHeaders() {
			size += len(h.Key) + len(h.Value)
		}
		if size > testUndertaker.maxBytes {
			t.Fatalf("%q, key %q: %d bytes", headers, i.key, size)
		}
	}
}

func TestRedriveMakesTheMessageAgain(t *testing.T) {
	i := testItem(42, "id-1", "key-1", event.Header{Key: "shop", Value: []byte("north")})
	m, err := Redrive(testUndertaker.letter(i, testDeath).Event)
	if err != nil {
		t.Fatal(err)
	}
	if m.Topic != "orders" || m.ID != "id-1" || m.Key != "key-1" || string(m.Payload) != "value" ||
		fmt.Sprint(m.Headers) != fmt.Sprint(map[string]string{RedriveHeader: "me", "shop": "north"}) {
		t.Errorf("redriven as %+v", m)
	}
	large := testItem(42, "id-1", "key-1")
	large.value = make([]byte, 20_000)
	for _, dead := range []event.Event{{}, testUndertaker.letter(large, testDeath).Event, testUndertaker.letter(malformed(1, "k"), death{at: time.Now()}).Event} {
		if _, err := Redrive(dead); !errors.Is(err, ErrNotRedrivable) {
			t.Errorf("%+v: %v", dead.Headers, err)
		}
	}
}
