package hotel_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/examples/hotel"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/storage"
)

// TestAnyOrderOfMessagesKeepsTheStock lets messages of many reservations be handled in
// any order, repeatedly and with crashes, while members cancel; then replays every
// topic from its beginning.
func TestAnyOrderOfMessagesKeepsTheStock(t *testing.T) {
	random := testenv.Rand(t)
	ends := map[string]int{}
	all := func() bool { return ends["CONFIRMED"] > 0 && ends["FAILED"] > 0 && ends["CANCELLED"] > 0 }
	for round := 0; round < 2 || round < 10 && !all(); round++ {
		s := systemtest.NewSimulation(t, hotel.System(), systemtest.Files(t))
		room := s.REST("POST", "room", "/rooms", `{"name":"Sea view","count":4}`).Int("roomId")
		rooms := []int64{room, room, room, 77}
		days := []string{day20, day21, day22, day23, "2026-11-24"}
		var ids []int64
		for range 40 {
			in := random.IntN(4)
			out := in + 1 + random.IntN(4-in)
			a := s.REST("POST", "reservation", "/reservations", fmt.Sprintf(
				`{"roomId":%d,"memberId":1,"checkInDate":%q,"checkOutDate":%q}`, rooms[random.IntN(4)], days[in], days[out]))
			if a.Status != 202 {
				t.Fatal(a)
			}
			ids = append(ids, a.Int("reservationId"))
		}
		room0, db := s.Services["room"].Env.DB, s.Services["reservation"].Env.DB
		s.Drain(random, func() {
			checkNights(t, room0)
			if random.IntN(6) == 0 {
				a := s.REST("DELETE", "reservation", fmt.Sprint("/reservations/", ids[random.IntN(len(ids))]), "")
				if a.Status != 200 && a.Status != 202 && a.Status != 409 {
					t.Errorf("cancel: %s", a)
				}
			}
		})
		before := checkEnded(t, db, room0)
		s.Replay()
		s.Drain(random, func() { checkNights(t, room0) })
		after := checkEnded(t, db, room0)
		for id, was := range before {
			ends[was[0]]++
			if strings.Join(after[id], " ") != strings.Join(was, " ") {
				t.Errorf("replaying changed reservation %s from %v to %v", id, was, after[id])
			}
		}
		t.Logf("%d messages; so far %v", len(s.Sent), ends)
	}
	if !all() {
		t.Errorf("an end is missing, and the test proves less than it should: %v", ends)
	}
}

// checkEnded holds once no message is under way: every reservation has ended, and has
// what it says; the sagas have ended, too.
func checkEnded(t testing.TB, reservation, room storage.DB) map[string][]string {
	t.Helper()
	checkNights(t, room)
	fit := map[string][]string{"CONFIRMED": {"TAKEN"}, "FAILED": {"REFUSED"}, "CANCELLED": {"GIVEN_BACK", "REFUSED", "OVERTAKEN"}}
	stays := systemtest.Table(t, room, 2, `SELECT CAST(reservation_id AS TEXT), status FROM stays`)
	all := systemtest.Table(t, reservation, 3, `SELECT CAST(id AS TEXT), status, reason FROM reservations`)
	for id, r := range all {
		if s := stays[id]; s == nil || !slices.Contains(fit[r[0]], s[0]) {
			t.Errorf("reservation %s is %s, its stay is %v", id, r[0], s)
		}
	}
	if len(stays) != len(all) {
		t.Errorf("%d reservations, %d stays", len(all), len(stays))
	}
	if n := systemtest.Count(t, reservation, `SELECT COUNT(*) FROM pabal_saga WHERE status IN ('RUNNING', 'COMPENSATING', 'NEEDS_REVIEW')`); n > 0 {
		t.Errorf("%d sagas have not ended", n)
	}
	return all
}
