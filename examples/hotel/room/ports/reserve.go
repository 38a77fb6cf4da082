package ports

import (
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/examples/hotel/room/domain"
)

// Reserve takes the nights of a stay, all or none, at most once per reservation, and
// answers in any case. The stay's row comes first: whoever adds it is the one to
// take, everybody else answers with what it says.
func Reserve(ctx context.Context, tx Tx, asked domain.Stay) error {
	added, err := tx.AddStay(ctx, asked)
	if err != nil {
		return err
	}
	if !added { // a replay, or a request that its cancel had overtaken
		known, err := tx.LockStay(ctx, asked.ReservationID)
		if err != nil {
			return err
		}
		return tx.AnswerReserve(ctx, known)
	}
	after, err := take(ctx, tx, asked)
	if err != nil {
		return err
	}
	return tx.AnswerReserve(ctx, after)
}

func take(ctx context.Context, tx Tx, s domain.Stay) (domain.Stay, error) {
	if s.Status != domain.Taken {
		return s, nil
	}
	room, err := tx.LockRoom(ctx, s.RoomID)
	if errors.Is(err, ErrNoRoom) {
		s = s.Refuse(fmt.Sprintf("unknown room %d", s.RoomID))
		return s, tx.SaveStay(ctx, s)
	}
	if err != nil {
		return s, err
	}
	nights, err := tx.Nights(ctx, room, s.Period)
	if err != nil {
		return s, err
	}
	s, nights = s.Take(nights)
	if s.Status != domain.Taken {
		return s, tx.SaveStay(ctx, s)
	}
	return s, tx.SaveNights(ctx, s.RoomID, nights)
}

// Cancel gives back the nights that a reservation has taken, once, and answers in any
// case. Where the request has not come yet, the row left behind keeps it from taking.
func Cancel(ctx context.Context, tx Tx, reservationID int64) error {
	s := domain.NeverAsked(reservationID)
	added, err := tx.AddStay(ctx, s)
	if err != nil {
		return err
	}
	if !added {
		if s, err = giveBack(ctx, tx, reservationID); err != nil {
			return err
		}
	}
	return tx.AnswerCancel(ctx, s)
}

func giveBack(ctx context.Context, tx Tx, reservationID int64) (domain.Stay, error) {
	s, err := tx.LockStay(ctx, reservationID)
	if err != nil {
		return s, err
	}
	after, changed := s.Cancel()
	if !changed {
		return s, nil
	}
	room, err := tx.LockRoom(ctx, s.RoomID)
	if err != nil {
		return s, err
	}
	// What the stay took, whatever the cancel says.
	nights, err := tx.Nights(ctx, room, s.Period)
	if err != nil {
		return s, err
	}
	if nights, err = domain.GiveBack(nights); err != nil {
		return s, fmt.Errorf("reservation %d: %w", reservationID, err)
	}
	if err := tx.SaveNights(ctx, s.RoomID, nights); err != nil {
		return s, err
	}
	return after, tx.SaveStay(ctx, after)
}
