package invariants

import (
	"context"
	"slices"
	"strconv"

	"github.com/pabal-dev/pabal/storage"
)

// promise is an accepted POST: its reservation, and whether that must be confirmed.
type promise struct {
	id   int64
	must bool
}

// accepted: every reservation that a POST was answered with is there, and those that
// must be confirmed are.
func (c hotelChecker) accepted(ctx context.Context, accepted Accepted, mustBeConfirmed func(key string) bool) error {
	var posts, must, givenUp int64
	err := accepted(500, func(keys, ids []string) error {
		promises := make([]promise, len(ids))
		for i, text := range ids {
			id, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return err
			}
			promises[i] = promise{id, mustBeConfirmed(keys[i])}
			if promises[i].must {
				must++
			}
		}
		posts += int64(len(ids))
		n, err := c.kept(ctx, promises)
		givenUp += n
		return err
	})
	c.summary(HotelAccepted, "%d POSTs accepted, each has its reservation", posts)
	c.summary(HotelConfirmed, "%d reservations had rooms free, %d of them were given up before room answered, all others are confirmed", must, givenUp)
	return err
}

// kept looks for the reservations of a batch.
func (c hotelChecker) kept(ctx context.Context, promises []promise) (givenUp int64, err error) {
	ids := make([]int64, len(promises))
	for i, p := range promises {
		ids[i] = p.id
	}
	status, err := statuses(ctx, c.Reservation, `SELECT id, status FROM reservations WHERE id`, ids)
	if err != nil {
		return 0, err
	}
	var not []int64
	for _, p := range promises {
		switch status[p.id] {
		case "":
			c.violated(HotelAccepted, "reservation %d was accepted and is gone", p.id)
		case "FAILED", "CANCELLED": // what has not ended is another invariant's
			if p.must {
				not = append(not, p.id)
			}
		}
	}
	return c.unconfirmed(ctx, not, status)
}

// waitedTooLong are the states of stays whose reservation may have failed though rooms
// were free: nobody waited for them any more.
var waitedTooLong = []string{"GIVEN_BACK", "OVERTAKEN"}

func (c hotelChecker) unconfirmed(ctx context.Context, ids []int64, status map[int64]string) (givenUp int64, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	stays, err := statuses(ctx, c.Room, `SELECT reservation_id, status FROM stays WHERE reservation_id`, ids)
	for _, id := range ids {
		switch {
		case status[id] == "CANCELLED":
			c.violated(HotelConfirmed, "reservation %d is CANCELLED, which its member never asked for", id)
		case !slices.Contains(waitedTooLong, stays[id]):
			c.violated(HotelConfirmed, "reservation %d FAILED though rooms were free, its stay is %q", id, stays[id])
		default:
			givenUp++
		}
	}
	return givenUp, err
}

// statuses by id, of those ids.
func statuses(ctx context.Context, db Viewer, query string, ids []int64) (map[int64]string, error) {
	all := map[int64]string{}
	places, args := placeholders(ids)
	return all, each(ctx, db, query+` IN (`+places+`)`, args, func(r storage.Row) error {
		var id int64
		var status string
		err := r.Scan(&id, &status)
		all[id] = status
		return err
	})
}
