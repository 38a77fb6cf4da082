package message_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/hotel/message"
)

// decoded is a payload as a consumer reads it.
func decoded[T any](t *testing.T, typ, payload string) T {
	t.Helper()
	v, err := event.Decode[T](event.New(typ, "1", json.RawMessage(payload)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func date(t *testing.T, text string) message.Date {
	t.Helper()
	d, err := message.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestReservationMessageDecodes: the wire form of room-reserve and room-cancel.
func TestReservationMessageDecodes(t *testing.T) {
	const wire = `{"reservationId": 1, "roomId": 7, "checkInDate": "2026-11-20",
		"checkOutDate": "2026-11-22"}`
	want := message.ReservationMessage{ReservationID: 1, RoomID: 7, CheckInDate: date(t, "2026-11-20"), CheckOutDate: date(t, "2026-11-22")}
	for _, typ := range []string{message.RoomReserve, message.RoomCancel} {
		if got := decoded[message.ReservationMessage](t, typ, wire); got != want {
			t.Errorf("%s: %+v", typ, got)
		}
	}
	data, err := json.Marshal(want)
	if plain := strings.NewReplacer(" ", "", "\n", "", "\t", "").Replace(wire); err != nil || string(data) != plain {
		t.Errorf("%s, %v; want %s", data, err, plain)
	}
}

// TestReservationMessageResponseDecodes: each of its statuses.
func TestReservationMessageResponseDecodes(t *testing.T) {
	for _, status := range []message.Status{message.Success, message.Failure, message.Cancel} {
		wire := `{"reservationId":9007199254740993,"status":"` + string(status) + `","message":"왜"}`
		want := message.ReservationMessageResponse{ReservationID: 9007199254740993, Status: status, Message: "왜"}
		if got := decoded[message.ReservationMessageResponse](t, message.TransactionResult, wire); got != want {
			t.Errorf("%+v", got)
		}
		if data, err := json.Marshal(want); err != nil || string(data) != wire {
			t.Errorf("%s, %v", data, err)
		}
	}
}

func TestWhatIsNoDate(t *testing.T) {
	for _, text := range []string{"", "2026-11-31", "2026-1-1", "20261120", "2026-11-20T00:00:00Z", "tomorrow", "02026-11-20", "0001-01-01"} {
		if d, err := message.ParseDate(text); err == nil {
			t.Errorf("%q is %s", text, d)
		}
		e := event.New(message.RoomReserve, "1", map[string]any{"checkInDate": text})
		if _, err := event.Decode[message.ReservationMessage](e); !errors.Is(err, event.ErrPayload) {
			t.Errorf("%q: %v", text, err)
		}
	}
	const none = `{"reservationId":1,"roomId":0}`
	if data, err := json.Marshal(message.ReservationMessage{ReservationID: 1}); err != nil || string(data) != none {
		t.Errorf("a message without dates is %s, %v", data, err)
	}
}

func TestDateOfIsTheDayInUTC(t *testing.T) {
	seoul := time.FixedZone("KST", 9*60*60)
	if d := message.DateOf(time.Date(2026, 11, 21, 8, 59, 0, 0, seoul)); d != date(t, "2026-11-20") {
		t.Error(d)
	}
}
