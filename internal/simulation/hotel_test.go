package simulation_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/examples/hotel"
	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/internal/simulation"
	"github.com/pabal-dev/pabal/storage"
)

// stayAndCancel makes reservations for two nights that overlap, of which one room is
// left, and cancels some.
func stayAndCancel(c *simulation.Client) {
	room := c.Must(201, "POST", "room", "/rooms", `{"name":"Sea view","count":2}`).Int("roomId")
	reserve := func(room int64, in, out string) string {
		body := fmt.Sprintf(`{"roomId":%d,"memberId":1,"checkInDate":%q,"checkOutDate":%q}`, room, in, out)
		return fmt.Sprintf("/reservations/%d", c.Must(202, "POST", "reservation", "/reservations", body).Int("reservationId"))
	}
	first := reserve(room, "2026-11-20", "2026-11-23")
	second := reserve(room, "2026-11-21", "2026-11-22")
	c.Call("DELETE", "reservation", first, "")
	reserve(room, "2026-11-20", "2026-11-24")
	reserve(room, "2026-11-21", "2026-11-23")
	unknown := reserve(77, "2026-11-20", "2026-11-21")
	c.Call("DELETE", "reservation", second, "")
	c.Call("DELETE", "reservation", unknown, "")
	c.Call("DELETE", "reservation", first, "")
}

func checkHotel(ctx context.Context, databases map[string]storage.DB) error {
	dbs := invariants.HotelDatabases{Reservation: databases["reservation"], Room: databases["room"]}
	results, err := invariants.CheckHotel(ctx, dbs, nothingAccepted, nil)
	return verdict(results, err)
}

func TestHotel(t *testing.T) {
	explore(t, simulation.Scenario{System: hotel.System(), Script: stayAndCancel, Check: checkHotel})
}
