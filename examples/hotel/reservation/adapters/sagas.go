package adapters

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/hotel/message"
	"github.com/pabal-dev/pabal/examples/hotel/reservation/domain"
	"github.com/pabal-dev/pabal/examples/hotel/reservation/ports"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

// Settings of the service.
var (
	ReserveTimeout = service.Duration{
		Name: "reserve-timeout", Default: time.Minute,
		Help: "How long to wait for the room service before a reservation fails; nights that it takes later are given back.",
	}
	CancelTimeout = service.Duration{
		Name: "cancel-timeout", Default: time.Minute,
		Help: "How long a cancel may take before it is shown to operators as NEEDS_REVIEW; it goes on all the same.",
	}
)

// kind is one of the two business transactions of a reservation. It names the saga, and
// begins the correlation id of its messages, by which answers are told apart.
type kind string

const (
	reserving  kind = "reservation"
	cancelling kind = "cancellation"
)

func (k kind) correlation(id int64) string { return string(k) + "-" + message.Key(id) }

func (k kind) owns(e event.Event) bool { return strings.HasPrefix(e.CorrelationID, string(k)+"-") }

// room is the one participant of both.
const room = "room"

type manager = saga.Manager[storage.Tx, message.ReservationMessage]

// Sagas watch over the two. They lead nothing: the services react to each other's
// messages, and a reservation follows what its sagas have seen.
type Sagas struct {
	env                   service.Env
	reserving, cancelling *manager
}

// NewSagas makes the managers.
func NewSagas(env service.Env) (*Sagas, error) {
	s := &Sagas{env: env}
	var errReserving, errCancelling error
	s.reserving, errReserving = s.manager(s.reservation(), s.reserved)
	s.cancelling, errCancelling = s.manager(s.cancellation(), s.cancelled)
	return s, errors.Join(errReserving, errCancelling)
}

// All are both.
func (s *Sagas) All() []service.Saga { return []service.Saga{s.reserving, s.cancelling} }

func (s *Sagas) manager(c saga.Choreography[message.ReservationMessage], changed func(context.Context, tx, change) error) (*manager, error) {
	return saga.New(s.env.DB, saga.Config[storage.Tx, message.ReservationMessage]{
		Definitions: []saga.Definition[message.ReservationMessage]{c.Definition()},
		Changed: func(ctx context.Context, t storage.Tx, changes []change) ([]outbox.Message, error) {
			for _, c := range changes {
				if err := changed(ctx, tx{t, s.env, s}, c); err != nil {
					return nil, fmt.Errorf("reservation %s: %w", c.After.ID, err)
				}
			}
			return nil, nil
		},
		Retention: -1, // reservations and topics are kept for ever, so an answer may always come, or come again
		Clock:     s.env.Now, Logger: s.env.Log, Metrics: s.env.Metrics,
	})
}

type change = saga.Change[message.ReservationMessage]

// reservation: the room service takes the nights, or refuses. Where its answer does
// not come in time, the reservation fails, and nights that were taken all the same are
// given back once that is heard of.
func (s *Sagas) reservation() saga.Choreography[message.ReservationMessage] {
	return saga.Choreography[message.ReservationMessage]{
		Name: string(reserving),
		Participants: []saga.Participant[message.ReservationMessage]{{
			Name: room,
			Compensation: func(c saga.Context, m *message.ReservationMessage) []outbox.Message {
				return []outbox.Message{s.env.To(message.RoomCancel, s.env.Event(message.RoomCancel, message.Key(m.ReservationID), *m))}
			},
			CompensationTimeout: s.env.Duration(CancelTimeout),
		}},
		Replies:  []saga.Reply[message.ReservationMessage]{{Topic: s.env.Topic(message.TransactionResult), Read: s.readReserved}},
		Deadline: s.env.Duration(ReserveTimeout),
	}
}

// cancellation: the room service gives back the nights, whatever it has taken.
func (s *Sagas) cancellation() saga.Choreography[message.ReservationMessage] {
	return saga.Choreography[message.ReservationMessage]{
		Name:         string(cancelling),
		Participants: []saga.Participant[message.ReservationMessage]{{Name: room}},
		Replies:      []saga.Reply[message.ReservationMessage]{{Topic: s.env.Topic(message.TransactionResult), Read: s.readCancelled}},
		Deadline:     s.env.Duration(CancelTimeout),
		OnDeadline:   saga.ReviewAtDeadline,
	}
}

// readReserved takes a CANCEL only as the answer to the compensation.
func (s *Sagas) readReserved(e event.Event) (saga.Answer[message.ReservationMessage], error) {
	m, a, err := s.read(e)
	switch {
	case err != nil:
	case m.Status == message.Success:
		a.Result = saga.Succeeded
	case m.Status == message.Failure:
		a.Result = saga.Refused
	case reserving.owns(e):
		a.Result = saga.Undone
	}
	return a, err
}

func (s *Sagas) readCancelled(e event.Event) (saga.Answer[message.ReservationMessage], error) {
	m, a, err := s.read(e)
	if err == nil && m.Status == message.Cancel && !reserving.owns(e) {
		a.Result = saga.Succeeded
	}
	return a, err
}

func (s *Sagas) read(e event.Event) (message.ReservationMessageResponse, saga.Answer[message.ReservationMessage], error) {
	m, err := decode(s.env, e)
	return m, saga.Answer[message.ReservationMessage]{ID: message.Key(m.ReservationID), Step: room, Reason: m.Message}, err
}

func (s *Sagas) start(ctx context.Context, t storage.Tx, m *manager, k kind, r domain.Reservation) error {
	_, _, err := m.Start(ctx, t, message.Key(r.ID), request(r), saga.InCorrelation(k.correlation(r.ID)))
	return err
}

func (s *Sagas) reserved(ctx context.Context, t tx, c change) error {
	id, err := reservationOf(c)
	switch {
	case err != nil:
		return err
	case c.After.Status == saga.Completed:
		return ports.Taken(ctx, t, id)
	case c.After.Status == saga.Running || c.After.Status == saga.NeedsReview:
		return nil
	case c.After.Status == saga.Resolved:
		return ports.GivenUp(ctx, t, id, c.After.Reason)
	}
	return ports.Refused(ctx, t, id, c.After.Reason)
}

func (s *Sagas) cancelled(ctx context.Context, t tx, c change) error {
	id, err := reservationOf(c)
	if err != nil || !c.After.Status.Ended() {
		return err
	}
	return ports.GivenBack(ctx, t, id)
}
