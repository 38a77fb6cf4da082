package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/examples/hotel/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/internal/traffic"
	"github.com/pabal-dev/pabal/internal/traffic/hotel"
)

// hotelScenario: members reserve rooms.
type hotelScenario struct {
	stage
	tracker *traffic.Tracker
	ledger  *traffic.Ledger
	watcher *traffic.Watcher
	traffic *hotel.Traffic
	values  *service.Payloads
}

func (s *hotelScenario) prepare(ctx context.Context, on stage) (err error) {
	s.stage, s.tracker = on, traffic.NewTrackerOf(hotel.MustBeRefused)
	if s.ledger, err = on.ledger("accepted-hotel.log"); err != nil {
		return err
	}
	if s.values, err = on.payloads(message.Schemas()); err != nil {
		return err
	}
	if s.watcher, err = traffic.Watch(ctx, on.cluster, message.TransactionResult, s.see()); err != nil {
		return err
	}
	s.traffic = hotel.New(hotel.Config{
		Reservation: on.url("reservation"), Room: on.url("room"), Seed: on.seed, Rate: on.rate, MaxOpen: on.maxOpen,
		Tracker: s.tracker, Ledger: s.ledger,
	})
	return s.traffic.Prepare(ctx)
}

// see takes reservations' ends from the room service's answers, and ignores what it cannot read.
func (s *hotelScenario) see() func(value []byte, now time.Time) {
	values, see := service.SerdeOf[message.ReservationMessageResponse](s.values, message.TransactionResult), hotel.See(s.tracker)
	return func(value []byte, now time.Time) {
		if result, err := values.Decode(value); err == nil {
			see(result.ReservationID, string(result.Status), now)
		}
	}
}

func (s *hotelScenario) run(ctx context.Context, stop <-chan struct{}) { s.traffic.Run(ctx, stop) }

func (s *hotelScenario) first() (<-chan struct{}, string) {
	return s.tracker.FirstApproved(), "First reservation confirmed"
}

func (s *hotelScenario) progress() progress {
	n := s.tracker.Counts()
	return progress{
		name: "hotel", ended: n.Approved + n.Cancelled, lastEnd: s.tracker.LastEnd(), latency: s.tracker.Latency(),
		counts: []count{
			{"reserved", n.Placed}, {"confirmed", n.Approved}, {"failed", n.Cancelled}, {"cancels", s.traffic.Stats().CancelsTaken}, {"under way", n.Open()},
		},
	}
}

func (s *hotelScenario) settled(ctx context.Context) (bool, error) {
	if s.tracker.Open() > 0 {
		return false, nil
	}
	return invariants.HotelSettled(ctx, s.databases())
}

func (s *hotelScenario) databases() invariants.HotelDatabases {
	return invariants.HotelDatabases{Reservation: s.dbs.of("reservation"), Room: s.dbs.of("room")}
}

func (s *hotelScenario) report(ctx context.Context, r *Report) error {
	n, err := invariants.CountHotel(ctx, s.databases(), s.begun)
	if err != nil {
		return err
	}
	r.Hotel = &n
	results, err := invariants.CheckHotel(ctx, s.databases(), s.ledger.Read, hotel.MustBeConfirmed)
	r.Invariants = append(append(r.Invariants, results...), s.results()...)
	return err
}

func (s *hotelScenario) results() []invariants.Result {
	n, stats := s.tracker.Counts(), s.traffic.Stats()
	mustFail := n.ByKind[hotel.UnknownRoom] + n.ByKind[hotel.FullHouse]
	refusals := invariants.Result{
		Name: "hotel refusals", OK: n.WronglyApproved == 0,
		Detail: fmt.Sprintf("%d reservations had to be refused, %d of them were confirmed", mustFail, n.WronglyApproved),
	}
	return []invariants.Result{refusals, requests("hotel requests", stats.Repeats, stats.Failed, s.ledger.UnknownCount(), stats.FirstFailure,
		fmt.Sprintf("%d of %d cancels were of reservations that had not failed, ", stats.CancelsTaken, stats.Cancels))}
}

func (s *hotelScenario) try() []string {
	return []string{
		fmt.Sprintf(`curl -s %s/reservations -H 'Content-Type: application/json' -d '{"roomId":%d,"memberId":1,"checkInDate":"2030-12-30","checkOutDate":"2031-01-02"}'`,
			s.url("reservation"), s.traffic.SomeRoom()),
		fmt.Sprintf(`curl -s '%s/rooms/%d?from=2030-12-29&to=2031-01-03'`, s.url("room"), s.traffic.SomeRoom()),
	}
}

func (s *hotelScenario) close() error {
	return errors.Join(closeBoth(s.watcher, s.ledger), s.values.Close())
}
