// Package adapters puts REST, messages and SQL around package ports.
package adapters

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/hotel/message"
	"github.com/pabal-dev/pabal/examples/hotel/room/domain"
	"github.com/pabal-dev/pabal/examples/hotel/room/ports"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/examples/service/ids"
	"github.com/pabal-dev/pabal/storage"
)

// store is a ports.Store.
type store struct {
	env   service.Env
	rooms *ids.Numbers
}

func (s store) Update(ctx context.Context, fn func(ports.Tx) error) error {
	return s.env.Update(ctx, func(t storage.Tx) error { return fn(tx{nights: nights{t}, Tx: t, env: s.env}) })
}

func (s store) View(ctx context.Context, fn func(ports.Nights) error) error {
	return s.env.DB.View(ctx, func(q storage.Querier) error { return fn(nights{q}) })
}

func (s store) NewID(ctx context.Context) (int64, error) { return s.rooms.Next(ctx) }

// tx is a ports.Tx.
type tx struct {
	nights
	storage.Tx
	env service.Env
	// cause is the message that the transaction handles, if it does.
	cause event.Event
}

func (t tx) AddRoom(ctx context.Context, r domain.Room) error {
	_, err := t.Exec(ctx, `INSERT INTO rooms (id, name, capacity, changes, created_at) VALUES ($1, $2, $3, 0, $4)
		ON CONFLICT (id) DO NOTHING`, r.ID, r.Name, r.Capacity, t.env.Now().UnixMicro())
	return err
}

// LockRoom writes the row: that is the lock that both databases have.
func (t tx) LockRoom(ctx context.Context, id int64) (domain.Room, error) {
	r := domain.Room{ID: id}
	err := t.QueryRow(ctx, `UPDATE rooms SET changes = changes + 1 WHERE id = $1 RETURNING name, capacity`, id).Scan(&r.Name, &r.Capacity)
	return r, orNoRoom(err)
}

func (t tx) SetCapacity(ctx context.Context, r domain.Room) error {
	_, err := t.Exec(ctx, `UPDATE rooms SET capacity = $1 WHERE id = $2`, r.Capacity, r.ID)
	return err
}

func (t tx) AddStay(ctx context.Context, s domain.Stay) (bool, error) {
	n, err := t.Exec(ctx, `INSERT INTO stays (reservation_id, room_id, check_in, check_out, status, reason, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (reservation_id) DO NOTHING`,
		s.ReservationID, s.RoomID, dayOf(s.In), dayOf(s.Out), string(s.Status), s.Reason, t.env.Now().UnixMicro())
	return n == 1, err
}

func (t tx) LockStay(ctx context.Context, reservationID int64) (domain.Stay, error) {
	s := domain.Stay{ReservationID: reservationID}
	var in, out, status string
	err := t.QueryRow(ctx, `UPDATE stays SET changed_at = changed_at WHERE reservation_id = $1
		RETURNING room_id, check_in, check_out, status, reason`, reservationID).Scan(&s.RoomID, &in, &out, &status, &s.Reason)
	if err != nil {
		return s, fmt.Errorf("stay of reservation %d: %w", reservationID, err)
	}
	s.Status = domain.Status(status)
	s.In, err = parseDay(in)
	if err == nil {
		s.Out, err = parseDay(out)
	}
	return s, err
}

func (t tx) SaveStay(ctx context.Context, s domain.Stay) error {
	_, err := t.Exec(ctx, `UPDATE stays SET status = $1, reason = $2, changed_at = $3 WHERE reservation_id = $4`,
		string(s.Status), s.Reason, t.env.Now().UnixMicro(), s.ReservationID)
	return err
}

func (t tx) AnswerReserve(ctx context.Context, s domain.Stay) error {
	status := message.Failure
	if s.Status == domain.Taken {
		status = message.Success
	}
	return t.answer(ctx, s, status)
}

func (t tx) AnswerCancel(ctx context.Context, s domain.Stay) error {
	return t.answer(ctx, s, message.Cancel)
}

func (t tx) answer(ctx context.Context, s domain.Stay, status message.Status) error {
	e := t.env.Event(message.TransactionResult, message.Key(s.ReservationID), message.ReservationMessageResponse{
		ReservationID: s.ReservationID, Status: status, Message: s.Reason,
	})
	return t.env.Send(ctx, t.Tx, message.TransactionResult, e.CausedBy(t.cause))
}

func orNoRoom(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ports.ErrNoRoom
	}
	return err
}
