package invariants

import (
	"context"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/storage"
)

// HotelDatabases are those of the hotel's two services.
type HotelDatabases struct{ Reservation, Room Viewer }

// Services names them.
func (dbs HotelDatabases) Services() []Named {
	return []Named{{"reservation", dbs.Reservation}, {"room", dbs.Room}}
}

// Names of the hotel's invariants.
const (
	HotelNights       = "hotel nights"       // each night's stock = capacity - confirmed stays
	HotelStays        = "hotel stays"        // each reservation has the nights that it says
	HotelReservations = "hotel reservations" // every reservation and saga has ended
	HotelAccepted     = "hotel accepted"     // every accepted POST has its reservation
	HotelConfirmed    = "hotel confirmed"    // what had rooms free is confirmed
	HotelMessages     = "hotel messages"     // none waits, none failed, none is dead
)

// CheckHotel computes all of them, like Check. The keys of what was accepted are for
// mustBeConfirmed: only customers know whether rooms were free.
func CheckHotel(ctx context.Context, dbs HotelDatabases, accepted Accepted, mustBeConfirmed func(key string) bool) ([]Result, error) {
	c := hotelChecker{dbs, newFindings(HotelNights, HotelStays, HotelReservations, HotelAccepted, HotelConfirmed, HotelMessages), map[night]int64{}}
	for _, step := range []func(context.Context) error{
		c.reservations, c.nights, c.sagas,
		func(ctx context.Context) error { return c.accepted(ctx, accepted, mustBeConfirmed) },
		func(ctx context.Context) error { return c.leftovers(ctx, HotelMessages, dbs.Services()) },
	} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("read the hotel's databases: %w", err)
		}
	}
	return c.results(), nil
}

type hotelChecker struct {
	HotelDatabases
	findings
	// confirmed is how many confirmed stays have a night; as many as there are nights
	// that anybody has.
	confirmed map[night]int64
}

type night struct {
	room int64
	date string
}

// reservation is what the reservation service says of one, stay what the room service
// says.
type (
	reservation struct {
		id, room        int64
		in, out, status string
	}
	stay reservation
)

// Keys sort as the ids do.
func (r reservation) key() string { return fmt.Sprintf("%019d", r.id) }
func (s stay) key() string        { return reservation(s).key() }

// fits says which states of a stay a reservation's may have.
var fits = map[string][]string{
	"CONFIRMED": {"TAKEN"},
	"FAILED":    {"REFUSED", "GIVEN_BACK", "OVERTAKEN"},
	"CANCELLED": {"REFUSED", "GIVEN_BACK", "OVERTAKEN"},
}

// reservations walks through both databases at once, in the order of the ids.
func (c hotelChecker) reservations(ctx context.Context) error {
	ends := map[string]int64{}
	err := c.merge(ctx, func(r *reservation, s *stay) error {
		switch {
		case r == nil:
			c.violated(HotelStays, "the stay %d has no reservation", s.id)
			return nil
		case fits[r.status] == nil:
			c.violated(HotelReservations, "reservation %d is %s", r.id, r.status)
		case s == nil:
			c.violated(HotelStays, "reservation %d is %s, and room knows nothing of it", r.id, r.status)
		case !slices.Contains(fits[r.status], s.status):
			c.violated(HotelStays, "reservation %d is %s, its stay %s", r.id, r.status, s.status)
		case s.status != "OVERTAKEN" && (s.room != r.room || s.in != r.in || s.out != r.out):
			c.violated(HotelStays, "reservation %d is for room %d from %s to %s, its stay for room %d from %s to %s", r.id, r.room, r.in, r.out, s.room, s.in, s.out)
		}
		ends[r.status]++
		if r.status == "CONFIRMED" {
			return c.count(r)
		}
		return nil
	})
	c.summary(HotelReservations, "%d confirmed, %d failed, %d cancelled, %d not final", ends["CONFIRMED"], ends["FAILED"], ends["CANCELLED"], ends["PENDING"]+ends["CANCELLING"])
	c.summary(HotelStays, "%d confirmed reservations have their nights, no other has", ends["CONFIRMED"])
	return err
}

// count notes the nights of a confirmed stay.
func (c hotelChecker) count(r *reservation) error {
	in, out, err := days(r.in, r.out)
	if err != nil {
		return fmt.Errorf("reservation %d: %w", r.id, err)
	}
	for ; in.Before(out); in = in.AddDate(0, 0, 1) {
		c.confirmed[night{r.room, in.Format("2006-01-02")}]++
	}
	return nil
}

func (c hotelChecker) nights(ctx context.Context) error {
	var nights, taken int64
	err := each(ctx, c.Room, `SELECT room_id, night, capacity, stock FROM nights`, nil, func(r storage.Row) error {
		var n night
		var capacity, stock int64
		if err := r.Scan(&n.room, &n.date, &capacity, &stock); err != nil {
			return err
		}
		confirmed := c.confirmed[n]
		delete(c.confirmed, n)
		nights, taken = nights+1, taken+confirmed
		if stock != capacity-confirmed || stock < 0 {
			c.violated(HotelNights, "room %d has %d, %d confirmed stays and %d free in the night of %s", n.room, capacity, confirmed, stock, n.date)
		}
		return nil
	})
	for n, confirmed := range c.confirmed {
		c.violated(HotelNights, "room %d has %d confirmed stays in the night of %s, and nothing was taken", n.room, confirmed, n.date)
	}
	c.summary(HotelNights, "%d nights, stock = capacity - %d taken by confirmed stays", nights, taken)
	return err
}

func (c hotelChecker) sagas(ctx context.Context) error {
	return c.openSagas(ctx, HotelReservations, c.Reservation, nil)
}

func (c hotelChecker) merge(ctx context.Context, fn func(*reservation, *stay) error) error {
	return c.Reservation.View(ctx, func(rq storage.Querier) error {
		return c.Room.View(ctx, func(sq storage.Querier) error {
			rs, err := openStream(ctx, rq, `SELECT id, room_id, check_in, check_out, status FROM reservations ORDER BY id`, readReservation)
			if err != nil {
				return err
			}
			defer rs.close()
			ss, err := openStream(ctx, sq, `SELECT reservation_id, room_id, check_in, check_out, status FROM stays ORDER BY reservation_id`, readStay)
			if err != nil {
				return err
			}
			defer ss.close()
			return merge(rs, ss, fn)
		})
	})
}

func readReservation(row storage.Row, _ *reservation) (r reservation, more bool, err error) {
	err = row.Scan(&r.id, &r.room, &r.in, &r.out, &r.status)
	return r, false, err
}

func readStay(row storage.Row, _ *stay) (s stay, more bool, err error) {
	err = row.Scan(&s.id, &s.room, &s.in, &s.out, &s.status)
	return s, false, err
}
