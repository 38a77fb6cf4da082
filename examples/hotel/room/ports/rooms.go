package ports

import (
	"context"

	"github.com/pabal-dev/pabal/examples/hotel/room/domain"
)

// Rooms is what people do with rooms.
type Rooms struct{ Store Store }

// Add makes a room and returns its id.
func (r Rooms) Add(ctx context.Context, name string, capacity int64) (int64, error) {
	id, err := r.Store.NewID(ctx)
	if err != nil {
		return 0, err
	}
	return id, r.Store.Update(ctx, func(tx Tx) error {
		return tx.AddRoom(ctx, domain.Room{ID: id, Name: name, Capacity: capacity})
	})
}

// Resize sets how many rooms there are: in the nights of a period or, where it is
// nil, in every night. domain.ErrTaken where more are taken in one of them; then
// nothing is changed.
func (r Rooms) Resize(ctx context.Context, id, capacity int64, p *domain.Period) (domain.Room, error) {
	var room domain.Room
	err := r.Store.Update(ctx, func(tx Tx) (err error) {
		if room, err = tx.LockRoom(ctx, id); err != nil {
			return err
		}
		nights, err := nightsToResize(ctx, tx, room, p)
		if err != nil {
			return err
		}
		for i, n := range nights {
			if nights[i], err = n.Resize(capacity); err != nil {
				return err
			}
		}
		if err := tx.SaveNights(ctx, id, nights); err != nil || p != nil {
			return err
		}
		room.Capacity = capacity
		return tx.SetCapacity(ctx, room)
	})
	return room, err
}

func nightsToResize(ctx context.Context, tx Tx, room domain.Room, p *domain.Period) ([]domain.Night, error) {
	if p != nil {
		return tx.Nights(ctx, room, *p)
	}
	return tx.OwnNights(ctx, room.ID)
}

// Show is a room with the nights of a period; none where it is nil.
func (r Rooms) Show(ctx context.Context, id int64, p *domain.Period) (domain.Room, []domain.Night, error) {
	var room domain.Room
	var nights []domain.Night
	err := r.Store.View(ctx, func(q Nights) (err error) {
		if room, err = q.Room(ctx, id); err != nil || p == nil {
			return err
		}
		nights, err = q.Nights(ctx, room, *p)
		return err
	})
	return room, nights, err
}
