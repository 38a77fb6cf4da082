// Package adapters puts REST, messages, sagas and SQL around package ports.
package adapters

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/examples/hotel/message"
	"github.com/pabal-dev/pabal/examples/hotel/reservation/domain"
	"github.com/pabal-dev/pabal/examples/hotel/reservation/ports"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/examples/service/ids"
	"github.com/pabal-dev/pabal/storage"
)

// store is a ports.Store.
type store struct {
	env   service.Env
	sagas *Sagas
	ids   *ids.Numbers
}

func (s store) Update(ctx context.Context, fn func(ports.Tx) error) error {
	return s.env.Update(ctx, func(t storage.Tx) error { return fn(tx{t, s.env, s.sagas}) })
}

func (s store) NewID(ctx context.Context) (int64, error) { return s.ids.Next(ctx) }

// tx is a ports.Tx.
type tx struct {
	storage.Tx
	env   service.Env
	sagas *Sagas
}

func (t tx) Add(ctx context.Context, r domain.Reservation) (bool, error) {
	n, err := t.Exec(ctx, `INSERT INTO reservations
		(id, room_id, member_id, check_in, check_out, status, reason, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (id) DO NOTHING`,
		r.ID, r.RoomID, r.MemberID, message.DateOf(r.In).String(), message.DateOf(r.Out).String(),
		string(r.Status), r.Reason, t.env.Now().UnixMicro())
	return n == 1, err
}

const columns = `id, room_id, member_id, check_in, check_out, status, reason, created_at, changed_at`

// Lock writes the row: that is the lock that both databases have.
func (t tx) Lock(ctx context.Context, id int64) (domain.Reservation, error) {
	r, err := scan(t.QueryRow(ctx, `UPDATE reservations SET changed_at = changed_at WHERE id = $1 RETURNING `+columns, id))
	return r.Reservation, err
}

func (t tx) Save(ctx context.Context, r domain.Reservation) error {
	_, err := t.Exec(ctx, `UPDATE reservations SET status = $1, reason = $2, changed_at = $3 WHERE id = $4`,
		string(r.Status), r.Reason, t.env.Now().UnixMicro(), r.ID)
	return err
}

func (t tx) Reserve(ctx context.Context, r domain.Reservation) error {
	e := t.env.Event(message.RoomReserve, message.Key(r.ID), request(r)).InTransaction(reserving.correlation(r.ID))
	if err := t.env.Send(ctx, t.Tx, message.RoomReserve, e); err != nil {
		return err
	}
	return t.sagas.start(ctx, t.Tx, t.sagas.reserving, reserving, r)
}

func (t tx) Cancel(ctx context.Context, r domain.Reservation) error {
	e := t.env.Event(message.RoomCancel, message.Key(r.ID), request(r)).InTransaction(cancelling.correlation(r.ID))
	if err := t.env.Send(ctx, t.Tx, message.RoomCancel, e); err != nil {
		return err
	}
	return t.sagas.start(ctx, t.Tx, t.sagas.cancelling, cancelling, r)
}

func request(r domain.Reservation) message.ReservationMessage {
	return message.ReservationMessage{
		ReservationID: r.ID, RoomID: r.RoomID,
		CheckInDate: message.DateOf(r.In), CheckOutDate: message.DateOf(r.Out),
	}
}

// stored is a reservation as its row has it.
type stored struct {
	domain.Reservation
	createdAt, changedAt time.Time
}

func load(ctx context.Context, q storage.Querier, id int64) (stored, error) {
	return scan(q.QueryRow(ctx, `SELECT `+columns+` FROM reservations WHERE id = $1`, id))
}

func scan(row storage.Row) (s stored, err error) {
	var in, out message.Date
	var inText, outText, status string
	var created, changed int64
	err = row.Scan(&s.ID, &s.RoomID, &s.MemberID, &inText, &outText, &status, &s.Reason, &created, &changed)
	if errors.Is(err, sql.ErrNoRows) {
		return s, ports.ErrNoReservation
	}
	if err != nil {
		return s, err
	}
	s.Status = domain.Status(status)
	s.createdAt, s.changedAt = time.UnixMicro(created).UTC(), time.UnixMicro(changed).UTC()
	if in, err = message.ParseDate(inText); err == nil {
		out, err = message.ParseDate(outText)
	}
	s.In, s.Out = in.Time(), out.Time()
	return s, err
}
