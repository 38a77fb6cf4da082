package ports

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/examples/hotel/reservation/domain"
)

// Reservations is what members do with them.
type Reservations struct{ Store Store }

// Request is what a member wishes for.
type Request struct {
	RoomID, MemberID int64
	In, Out          time.Time
}

// Make stores a reservation and asks for its nights; returns its id.
func (s Reservations) Make(ctx context.Context, q Request) (int64, error) {
	id, err := s.Store.NewID(ctx)
	if err != nil {
		return 0, err
	}
	r := domain.New(id, q.RoomID, q.MemberID, q.In, q.Out)
	return id, s.Store.Update(ctx, func(tx Tx) error {
		added, err := tx.Add(ctx, r)
		if err != nil || !added { // the answer to its commit was lost
			return err
		}
		return tx.Reserve(ctx, r)
	})
}

// Cancel has a reservation's nights given back, once however often it is asked for.
// ErrNoReservation, domain.ErrOver.
func (s Reservations) Cancel(ctx context.Context, id int64) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		r, err := tx.Lock(ctx, id)
		if err != nil {
			return err
		}
		r, changed, err := r.Cancel()
		if err != nil || !changed {
			return err
		}
		if err := tx.Save(ctx, r); err != nil {
			return err
		}
		return tx.Cancel(ctx, r)
	})
}

// Taken is told once a reservation's nights are. ErrNoReservation.
func Taken(ctx context.Context, tx Tx, id int64) error {
	return goOn(ctx, tx, id, domain.Reservation.Confirm)
}

// Refused is told where it gets none, for that reason. ErrNoReservation.
func Refused(ctx context.Context, tx Tx, id int64, reason string) error {
	return goOn(ctx, tx, id, func(r domain.Reservation) (domain.Reservation, bool) { return r.Fail(reason) })
}

// GivenUp is told where people end the wait for an answer. Nobody looks at that answer
// any more, so the nights are given back, also if they are taken only later.
// ErrNoReservation.
func GivenUp(ctx context.Context, tx Tx, id int64, reason string) error {
	r, err := tx.Lock(ctx, id)
	if err != nil {
		return err
	}
	r, changed := r.Fail(reason)
	if !changed {
		return nil
	}
	if err := tx.Save(ctx, r); err != nil {
		return err
	}
	return tx.Cancel(ctx, r)
}

// GivenBack is told once none is taken any more. ErrNoReservation.
func GivenBack(ctx context.Context, tx Tx, id int64) error {
	return goOn(ctx, tx, id, domain.Reservation.GivenBack)
}

func goOn(ctx context.Context, tx Tx, id int64, step func(domain.Reservation) (domain.Reservation, bool)) error {
	r, err := tx.Lock(ctx, id)
	if err != nil {
		return err
	}
	r, changed := step(r)
	if !changed {
		return nil
	}
	return tx.Save(ctx, r)
}
