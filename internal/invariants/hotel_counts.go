package invariants

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/storage"
)

// HotelCounts are reservations by state. Reserved = Confirmed + Failed + Cancelled +
// Stuck.
type HotelCounts struct {
	Reserved  int64 `json:"reserved"`
	Confirmed int64 `json:"confirmed"`
	Failed    int64 `json:"failed"`
	Cancelled int64 `json:"cancelled"`
	Stuck     int64 `json:"stuck"`
}

// CountHotel counts the reservations made since then.
func CountHotel(ctx context.Context, dbs HotelDatabases, since time.Time) (n HotelCounts, err error) {
	err = each(ctx, dbs.Reservation, `SELECT status, count(*) FROM reservations WHERE created_at >= $1 GROUP BY status`,
		[]any{since.UnixMicro()}, func(r storage.Row) error {
			var status string
			var count int64
			if err := r.Scan(&status, &count); err != nil {
				return err
			}
			n.Reserved += count
			switch status {
			case "CONFIRMED":
				n.Confirmed = count
			case "FAILED":
				n.Failed = count
			case "CANCELLED":
				n.Cancelled = count
			default:
				n.Stuck += count
			}
			return nil
		})
	return n, err
}

// HotelSettled says whether nothing is under way any more; it is cheap while little is.
func HotelSettled(ctx context.Context, dbs HotelDatabases) (bool, error) {
	outbox, waiting, err := UnderWay(ctx, dbs.Services()...)
	if err != nil || outbox+waiting > 0 {
		return false, err
	}
	var open, reservations, confirmed, stays, taken int64
	err = row(ctx, dbs.Reservation, `SELECT
    (SELECT count(*) FROM reservations WHERE status IN ('PENDING', 'CANCELLING')) + (SELECT count(*) FROM pabal_saga WHERE `+openSaga+`),
    (SELECT count(*) FROM reservations), (SELECT count(*) FROM reservations WHERE status = 'CONFIRMED')`, &open, &reservations, &confirmed)
	if err != nil || open > 0 {
		return false, err
	}
	// What was asked for is heard of, and what came too late is given back.
	err = row(ctx, dbs.Room, `SELECT count(*), (SELECT count(*) FROM stays WHERE status = 'TAKEN') FROM stays`, &stays, &taken)
	return err == nil && stays >= reservations && taken == confirmed, err
}
