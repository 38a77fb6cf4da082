package adapters

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/examples/hotel/message"
	"github.com/pabal-dev/pabal/examples/hotel/reservation/domain"
	"github.com/pabal-dev/pabal/examples/hotel/reservation/ports"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/examples/service/ids"
	"github.com/pabal-dev/pabal/storage"
)

type api struct {
	env          service.Env
	reservations ports.Reservations
}

// Routes is the REST side.
func Routes(sagas *Sagas) func(service.Env, *service.Router) {
	return func(env service.Env, r *service.Router) {
		a := api{env, ports.Reservations{Store: store{env, sagas, ids.New(env, "reservations")}}}
		r.Handle("POST /reservations", a.make)
		r.Handle("GET /reservations/{id}", a.show)
		r.Handle("DELETE /reservations/{id}", a.cancel)
	}
}

type makeRequest struct {
	RoomID       int64  `json:"roomId"`
	MemberID     int64  `json:"memberId"`
	CheckInDate  string `json:"checkInDate"`
	CheckOutDate string `json:"checkOutDate"`
}

type makeResponse struct {
	ReservationID int64 `json:"reservationId"`
}

func (q makeRequest) check() (ports.Request, error) {
	var v service.Validation
	v.Check(q.RoomID > 0, "roomId", "is required, a number above 0")
	v.Check(q.MemberID > 0, "memberId", "is required, a number above 0")
	in, errIn := message.ParseDate(q.CheckInDate)
	v.Check(errIn == nil, "checkInDate", "%v", errIn)
	out, errOut := message.ParseDate(q.CheckOutDate)
	v.Check(errOut == nil, "checkOutDate", "%v", errOut)
	if errIn == nil && errOut == nil {
		err := domain.CheckPeriod(in.Time(), out.Time())
		v.Check(err == nil, "checkOutDate", "%v", err)
	}
	return ports.Request{RoomID: q.RoomID, MemberID: q.MemberID, In: in.Time(), Out: out.Time()}, v.Err()
}

func (a api) make(ctx context.Context, r *http.Request) (service.Response, error) {
	body, err := service.Decode[makeRequest](r)
	if err != nil {
		return service.Response{}, err
	}
	request, err := body.check()
	if err != nil {
		return service.Response{}, err
	}
	id, err := a.reservations.Make(ctx, request)
	return service.Response{Status: http.StatusAccepted, Body: makeResponse{id}, Location: fmt.Sprintf("/reservations/%d", id)}, err
}

// cancel is answered with 202 while the room service is told, with 200 after that.
func (a api) cancel(ctx context.Context, r *http.Request) (service.Response, error) {
	id, err := reservationID(r)
	if err != nil {
		return service.Response{}, err
	}
	if err := a.reservations.Cancel(ctx, id); err != nil {
		if errors.Is(err, domain.ErrOver) {
			err = service.Refuse(http.StatusConflict, "reservation %d is FAILED; there is nothing to cancel", id)
		}
		return service.Response{}, orNotFound(err, id)
	}
	body, err := a.read(ctx, id)
	status := http.StatusOK
	if body.Status == string(domain.Cancelling) {
		status = http.StatusAccepted
	}
	return service.Response{Status: status, Body: body}, err
}

type view struct {
	ReservationID int64        `json:"reservationId"`
	RoomID        int64        `json:"roomId"`
	MemberID      int64        `json:"memberId"`
	CheckInDate   message.Date `json:"checkInDate"`
	CheckOutDate  message.Date `json:"checkOutDate"`
	Status        string       `json:"status"`
	Reason        string       `json:"reason,omitempty"`
	CreatedAt     time.Time    `json:"createdAt"`
	ChangedAt     time.Time    `json:"changedAt"`
}

func (a api) show(ctx context.Context, r *http.Request) (service.Response, error) {
	id, err := reservationID(r)
	if err != nil {
		return service.Response{}, err
	}
	body, err := a.read(ctx, id)
	return service.Response{Status: http.StatusOK, Body: body}, orNotFound(err, id)
}

func (a api) read(ctx context.Context, id int64) (v view, err error) {
	err = a.env.DB.View(ctx, func(q storage.Querier) error {
		s, err := load(ctx, q, id)
		v = view{
			ReservationID: s.ID, RoomID: s.RoomID, MemberID: s.MemberID,
			CheckInDate: message.DateOf(s.In), CheckOutDate: message.DateOf(s.Out),
			Status: string(s.Status), Reason: s.Reason, CreatedAt: s.createdAt, ChangedAt: s.changedAt,
		}
		return err
	})
	return v, err
}

func reservationID(r *http.Request) (int64, error) {
	text := r.PathValue("id")
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, noReservation(text)
	}
	return id, nil
}

func orNotFound(err error, id int64) error {
	if errors.Is(err, ports.ErrNoReservation) {
		return noReservation(message.Key(id))
	}
	return err
}

func noReservation(id string) error {
	return service.Refuse(http.StatusNotFound, "there is no reservation %q", id)
}
