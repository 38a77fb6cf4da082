package hotel_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/systemtest"
)

const goodStay = `{"roomId":1,"memberId":1,"checkInDate":"2026-11-20","checkOutDate":"2026-11-22"}`

// TestBadRequestsAreProblemsThatNameTheField: every refusal is RFC 9457 problem JSON
// with the field at fault, and stores nothing.
func TestBadRequestsAreProblemsThatNameTheField(t *testing.T) {
	s := newSystem(t, embedded)
	s.All()
	room := fmt.Sprintf("/rooms/%d", s.room(3))
	stay := func(old, new string) string { return strings.Replace(goodStay, old, new, 1) }
	for _, test := range []struct {
		service, method, path, body string
		status                      int
		fields                      string // "" where no field is at fault
	}{
		{"reservation", "POST", "/reservations", stay(`"roomId":1,`, ``), 400, "roomId"},
		{"reservation", "POST", "/reservations", stay(`"roomId":1`, `"roomId":0`), 400, "roomId"},
		{"reservation", "POST", "/reservations", stay(`"roomId":1`, `"roomId":"1"`), 400, "roomId"},
		{"reservation", "POST", "/reservations", stay(`"roomId":1`, `"roomId":1.5`), 400, "roomId"},
		{"reservation", "POST", "/reservations", stay(`"roomId":1`, `"roomId":9223372036854775808`), 400, "roomId"},
		{"reservation", "POST", "/reservations", stay(`"memberId":1`, `"memberId":-1`), 400, "memberId"},
		{"reservation", "POST", "/reservations", stay(`2026-11-20`, `2026-11-31`), 400, "checkInDate"},
		{"reservation", "POST", "/reservations", stay(`2026-11-20`, `2026-11-20T00:00:00Z`), 400, "checkInDate"},
		{"reservation", "POST", "/reservations", stay(`"2026-11-20"`, `20261120`), 400, "checkInDate"},
		{"reservation", "POST", "/reservations", `{"roomId":1,"memberId":1,"checkInDate":"0001-01-01","checkOutDate":"0001-01-02"}`, 400, "checkInDate"},
		{"reservation", "POST", "/reservations", stay(`,"checkOutDate":"2026-11-22"`, ``), 400, "checkOutDate"},
		{"reservation", "POST", "/reservations", stay(`2026-11-22`, `2026-11-20`), 400, "checkOutDate"},
		{"reservation", "POST", "/reservations", stay(`2026-11-22`, `2026-11-19`), 400, "checkOutDate"},
		{"reservation", "POST", "/reservations", stay(`2026-11-22`, `2027-11-22`), 400, "checkOutDate"},
		{"reservation", "POST", "/reservations", `{}`, 400, "roomId,memberId,checkInDate,checkOutDate"},
		{"reservation", "POST", "/reservations", stay(`{`, `{"colour":"red",`), 400, "colour"},
		{"reservation", "POST", "/reservations", goodStay + goodStay, 400, ""},
		{"reservation", "POST", "/reservations", goodStay[:20], 400, ""},
		{"reservation", "POST", "/reservations", "", 400, ""},
		{"reservation", "GET", "/reservations/1", "", 404, ""},
		{"reservation", "GET", "/reservations/one", "", 404, ""},
		{"reservation", "DELETE", "/reservations/1", "", 404, ""},
		{"reservation", "DELETE", "/reservations/9223372036854775808", "", 404, ""},
		{"reservation", "PUT", "/reservations/1", goodStay, 405, ""},
		{"room", "POST", "/rooms", `{"count":1}`, 400, "name"},
		{"room", "POST", "/rooms", `{"name":"a\nb","count":1}`, 400, "name"},
		{"room", "POST", "/rooms", `{"name":"Sea view"}`, 400, "count"},
		{"room", "POST", "/rooms", `{"name":"Sea view","count":-1}`, 400, "count"},
		{"room", "POST", "/rooms", `{"name":"Sea view","count":1000001}`, 400, "count"},
		{"room", "POST", "/rooms", `{"name":"Sea view","count":1,"stars":5}`, 400, "stars"},
		{"room", "PUT", room + "/stock", `{}`, 400, "count"},
		{"room", "PUT", room + "/stock", `{"count":-1}`, 400, "count"},
		{"room", "PUT", room + "/stock", `{"count":1,"from":"2026-11-20"}`, 400, "to"},
		{"room", "PUT", room + "/stock", `{"count":1,"from":"x","to":"2026-11-21"}`, 400, "from"},
		{"room", "PUT", room + "/stock", `{"count":1,"from":"2026-11-20","to":"2026-11-20"}`, 400, "to"},
		{"room", "PUT", room + "/stock", `{"stock":1}`, 400, "stock"},
		{"room", "PUT", "/rooms/77/stock", `{"count":1}`, 404, ""},
		{"room", "GET", room + "?from=2026-11-20", "", 400, "to"},
		{"room", "GET", room + "?from=2026-11-20&to=2028-11-20", "", 400, "to"},
		{"room", "GET", room + "?since=2026-11-20", "", 400, "since"},
		{"room", "GET", "/rooms/77", "", 404, ""},
		{"room", "GET", "/rooms/sea", "", 404, ""},
	} {
		var body any
		if test.body != "" || test.method == "POST" {
			body = test.body
		}
		a := s.Call(test.method, test.service, test.path, body)
		name := fmt.Sprintf("%s %s %.90s", test.method, test.path, test.body)
		if a.Status != test.status || a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s (%s), want a problem %d", name, a, a.Header.Get("Content-Type"), test.status)
			continue
		}
		if a.Body["status"] != float64(test.status) || a.Body["type"] != "about:blank" || a.Body["title"] == "" || a.Body["detail"] == "" {
			t.Errorf("%s: %s is not a whole problem", name, a)
		}
		if got := a.Fields(); got != test.fields {
			t.Errorf("%s: fields at fault %q, want %q", name, got, test.fields)
		}
	}
	if n := systemtest.Count(t, s.DB("reservation"), `SELECT COUNT(*) FROM reservations`); n != 0 {
		t.Errorf("%d reservations were stored", n)
	}
}

// TestStockIsNeverBelowWhatIsTaken: fewer rooms than are taken in a night are refused,
// and change nothing.
func TestStockIsNeverBelowWhatIsTaken(t *testing.T) {
	onEach(t, func(t *testing.T, s system) {
		s.All()
		room := s.room(2)
		path := fmt.Sprintf("/rooms/%d/stock", room)
		put := func(status int, body string) answer { t.Helper(); return s.Must(status, "PUT", "room", path, body) }
		s.is(s.reserve(room, day20, day22), "CONFIRMED")
		s.is(s.reserve(room, day20, day21), "CONFIRMED")
		s.hasFree(room, day20, day23, "0 1 2")

		if a := put(409, `{"count":1}`); a.Fields() != "count" || !strings.Contains(a.Text, "2 in the night of 2026-11-20") {
			t.Errorf("too few: %s", a)
		}
		put(409, `{"count":0,"from":"2026-11-21","to":"2026-11-23"}`)
		s.hasFree(room, day20, day23, "0 1 2")

		if a := put(200, `{"count":1,"from":"2026-11-21","to":"2026-11-23"}`); free(a) != "0 1" || a.Int("count") != 2 {
			t.Errorf("one room in two nights: %s", a)
		}
		s.hasFree(room, day20, "2026-11-24", "0 0 1 2")
		if a := s.is(s.reserve(room, day21, day22), "FAILED"); !strings.Contains(a.Text, day21) {
			t.Errorf("reason %s", a)
		}
		if a := put(200, `{"count":5}`); a.Int("count") != 5 {
			t.Errorf("five rooms: %s", a)
		}
		s.hasFree(room, day20, "2026-11-24", "3 4 5 5")
	})
}

// TestRoomWithoutDatesHasNoNights, and one without rooms is possible.
func TestRoomWithoutDatesHasNoNights(t *testing.T) {
	s := newSystem(t, embedded)
	s.All()
	room := s.room(0)
	a := s.Must(200, "GET", "room", fmt.Sprint("/rooms/", room), nil)
	if want := fmt.Sprintf(`{"roomId":%d,"name":"Sea view","count":0,"nights":[]}`, room); a.Text != want {
		t.Errorf("%s, want %s", a.Text, want)
	}
	s.hasFree(room, day20, day22, "0 0")
}
