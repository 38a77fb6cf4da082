package adapters

import (
	"context"
	"errors"

	"github.com/pabal-dev/pabal/examples/hotel/message"
	"github.com/pabal-dev/pabal/examples/hotel/room/domain"
	"github.com/pabal-dev/pabal/examples/hotel/room/ports"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

// Handlers are for the topics the room service reads. What cannot be done for a
// reason of business is an answer; an error is what cannot be handled, or not now.
func Handlers(env service.Env) map[string]inbox.Handler[storage.Tx] {
	handle := func(do func(ctx context.Context, t tx, m message.ReservationMessage) error) inbox.Handler[storage.Tx] {
		return func(ctx context.Context, t storage.Tx, m inbox.Message) error {
			request, err := service.Payload[message.ReservationMessage](env, m.Event)
			if err != nil {
				return err
			}
			if request.ReservationID <= 0 {
				return inbox.Permanent(errors.New("reservationId is missing or not above 0"))
			}
			return do(ctx, tx{nights: nights{t}, Tx: t, env: env, cause: m.Event}, request)
		}
	}
	return map[string]inbox.Handler[storage.Tx]{
		env.Topic(message.RoomReserve): handle(onReserve),
		env.Topic(message.RoomCancel):  handle(onCancel),
	}
}

func onReserve(ctx context.Context, t tx, m message.ReservationMessage) error {
	if m.CheckInDate == (message.Date{}) || m.CheckOutDate == (message.Date{}) {
		return inbox.Permanent(errors.New("checkInDate or checkOutDate is missing"))
	}
	p := domain.Period{In: m.CheckInDate.Time(), Out: m.CheckOutDate.Time()}
	return ports.Reserve(ctx, t, domain.Request(m.ReservationID, m.RoomID, p))
}

func onCancel(ctx context.Context, t tx, m message.ReservationMessage) error {
	return ports.Cancel(ctx, t, m.ReservationID)
}
