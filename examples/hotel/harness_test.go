package hotel_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/hotel"
	"github.com/pabal-dev/pabal/examples/hotel/message"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/saga"
)

type (
	obj    = systemtest.Obj
	answer = systemtest.Answer
)

var embedded = systemtest.Embedded

// system is the two services, or one of them.
type system struct {
	*systemtest.System
	t *testing.T
}

func newSystem(t *testing.T, b systemtest.Backend) system {
	return system{systemtest.New(t, b, hotel.System()), t}
}

// onEach runs a test on both backends.
func onEach(t *testing.T, test func(t *testing.T, s system)) {
	systemtest.OnEach(t, hotel.System(), func(t *testing.T, s *systemtest.System) { test(t, system{s, t}) })
}

func (s system) room(count int64) (id int64) {
	s.t.Helper()
	return s.Must(201, "POST", "room", "/rooms", obj{"name": "Sea view", "count": count}).Int("roomId")
}

func stay(room int64, in, out string) obj {
	return obj{"roomId": room, "memberId": 1, "checkInDate": in, "checkOutDate": out}
}

func (s system) reserve(room int64, in, out string) (id int64) {
	s.t.Helper()
	return s.Must(202, "POST", "reservation", "/reservations", stay(room, in, out)).Int("reservationId")
}

func (s system) reservation(id int64) answer {
	s.t.Helper()
	return s.Must(200, "GET", "reservation", fmt.Sprint("/reservations/", id), nil)
}

func (s system) cancel(id int64) answer {
	s.t.Helper()
	return s.Call("DELETE", "reservation", fmt.Sprint("/reservations/", id), nil)
}

// is waits until a reservation has a status.
func (s system) is(id int64, status string) answer {
	s.t.Helper()
	var a answer
	s.Wait(fmt.Sprintf("reservation %d is %s", id, status), func() bool {
		a = s.reservation(id)
		return a.Body["status"] == status
	})
	return a
}

// free is the stock of each night of a room, such as "2 2 1".
func (s system) free(room int64, from, to string) string {
	s.t.Helper()
	return free(s.Must(200, "GET", "room", fmt.Sprintf("/rooms/%d?from=%s&to=%s", room, from, to), nil))
}

func free(a answer) string {
	var all []string
	nights, _ := a.Body["nights"].([]any)
	for _, n := range nights {
		all = append(all, fmt.Sprint(n.(obj)["stock"]))
	}
	return strings.Join(all, " ")
}

func (s system) hasFree(room int64, from, to, want string) {
	s.t.Helper()
	if got := s.free(room, from, to); got != want {
		s.t.Errorf("from %s until %s there are free: %s, want %s", from, to, got, want)
	}
}

func date(t testing.TB, text string) message.Date {
	t.Helper()
	d, err := message.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// request is what the reservation service would send.
func request(t testing.TB, typ string, id, room int64, in, out string) event.Event {
	t.Helper()
	return event.New(typ, message.Key(id), message.ReservationMessage{
		ReservationID: id, RoomID: room, CheckInDate: date(t, in), CheckOutDate: date(t, out),
	}).InTransaction("reservation-" + message.Key(id))
}

// results are what the room service answered about a reservation, such as
// "SUCCESS CANCEL"; the test fails where there are not as many.
func (s system) results(id int64, n int) string {
	s.t.Helper()
	var all []string
	for _, r := range s.About(message.TransactionResult, message.Key(id), n) {
		all = append(all, r.Value["status"].(string))
	}
	return strings.Join(all, " ")
}

func resultOf(id int64, status message.Status) event.Event {
	return event.New(message.TransactionResult, message.Key(id), message.ReservationMessageResponse{ReservationID: id, Status: status})
}

// act has a person act on a saga, as the console does.
func (s system) act(a saga.Act) {
	s.t.Helper()
	client, err := admin.NewClient(admin.ClientConfig{URL: "http://" + s.Running["reservation"].Addr() + "/admin"})
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := client.ActOnSaga(s.t.Context(), a); err != nil {
		s.t.Fatal(err)
	}
}
