package hotel_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/examples/hotel/message"
)

const (
	day20 = "2026-11-20"
	day21 = "2026-11-21"
	day22 = "2026-11-22"
	day23 = "2026-11-23"
)

// TestStays: one that is confirmed and cancelled, one that gets no room.
func TestStays(t *testing.T) {
	onEach(t, func(t *testing.T, s system) {
		s.All()
		room := s.room(1)
		id := s.reserve(room, day20, day22)
		a := s.is(id, "CONFIRMED")
		for name, want := range map[string]any{
			"reservationId": float64(id), "roomId": float64(room), "memberId": 1.0, "checkInDate": day20, "checkOutDate": day22,
		} {
			if a.Body[name] != want {
				t.Errorf("%s is %v, want %v", name, a.Body[name], want)
			}
		}
		s.hasFree(room, "2026-11-19", day23, "1 0 0 1")

		none := s.reserve(room, day21, day23)
		if a := s.is(none, "FAILED"); a.Body["reason"] != "no room is free in the night of 2026-11-21" {
			t.Errorf("reason %v", a.Body["reason"])
		}
		s.hasFree(room, "2026-11-19", day23, "1 0 0 1")
		if a := s.cancel(none); a.Status != 409 {
			t.Errorf("cancel of a failed reservation: %s", a)
		}

		if a := s.cancel(id); a.Status != 202 || a.Body["status"] != "CANCELLING" {
			t.Errorf("cancel: %s", a)
		}
		s.is(id, "CANCELLED")
		s.hasFree(room, "2026-11-19", day23, "1 1 1 1")
		if a := s.cancel(id); a.Status != 200 || a.Body["status"] != "CANCELLED" {
			t.Errorf("another cancel: %s", a)
		}
		s.is(s.reserve(room, day21, day23), "CONFIRMED")
		s.hasFree(room, "2026-11-19", day23, "1 1 0 0")
	})
}

// TestUnknownRoomIsRefused as a matter of business.
func TestUnknownRoomIsRefused(t *testing.T) {
	s := newSystem(t, embedded)
	s.All()
	if a := s.is(s.reserve(77, day20, day21), "FAILED"); a.Body["reason"] != "unknown room 77" {
		t.Errorf("reason %v", a.Body["reason"])
	}
}

// TestMessagesOnTheWire: names, keys, values, and the ids that tie messages together.
func TestMessagesOnTheWire(t *testing.T) {
	s := newSystem(t, embedded)
	s.All()
	room := s.room(1)
	id := s.reserve(room, day20, day22)
	s.is(id, "CONFIRMED")
	s.cancel(id)
	s.is(id, "CANCELLED")
	key := message.Key(id)
	reserve, cancel := s.About(message.RoomReserve, key, 1)[0], s.About(message.RoomCancel, key, 1)[0]
	wire := fmt.Sprintf(`{"reservationId":%d,"roomId":%d,"checkInDate":"2026-11-20","checkOutDate":"2026-11-22"}`, id, room)
	if string(reserve.Payload) != wire || string(cancel.Payload) != wire {
		t.Errorf("%s and %s, want %s", reserve.Payload, cancel.Payload, wire)
	}
	results := s.About(message.TransactionResult, key, 2)
	for i, want := range []string{
		fmt.Sprintf(`{"reservationId":%d,"status":"SUCCESS","message":""}`, id),
		fmt.Sprintf(`{"reservationId":%d,"status":"CANCEL","message":"cancelled"}`, id),
	} {
		r, cause := results[i], []string{reserve.ID, cancel.ID}[i]
		if string(r.Payload) != want || r.CausationID != cause || r.ID == cause {
			t.Errorf("%s, id %s, caused by %s; want %s, by %s", r.Payload, r.ID, r.CausationID, want, cause)
		}
		if correlation := []string{"reservation-", "cancellation-"}[i] + key; r.CorrelationID != correlation {
			t.Errorf("correlation id %s, want %s", r.CorrelationID, correlation)
		}
		if !strings.HasSuffix(r.Source, "/room") {
			t.Errorf("source %s", r.Source)
		}
	}
}
