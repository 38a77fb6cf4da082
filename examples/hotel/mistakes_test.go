package hotel_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/hotel"
	"github.com/pabal-dev/pabal/examples/hotel/message"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// The mistakes that hotel systems of this kind are known for, each with the right
// behaviour.

// TestCancelGivesBackEachNightOnce: one that uses the check-in date twice gives back
// none or one. What was taken counts, whatever the cancel says.
func TestCancelGivesBackEachNightOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s system) {
		s.Start("room")
		room, other := s.room(3), s.room(3)
		s.Publish(message.RoomReserve, request(t, message.RoomReserve, 1, room, day20, day23), request(t, message.RoomReserve, 2, room, day21, day22))
		s.results(1, 1)
		s.results(2, 1)
		s.hasFree(room, "2026-11-19", "2026-11-24", "3 2 1 2 3")
		s.Publish(message.RoomCancel,
			request(t, message.RoomCancel, 1, other, day20, day20),
			request(t, message.RoomCancel, 1, room, day20, day21),
			request(t, message.RoomCancel, 1, room, day20, day23))
		if got := s.results(1, 4); got != "SUCCESS CANCEL CANCEL CANCEL" {
			t.Errorf("answers %s", got)
		}
		s.hasFree(room, "2026-11-19", "2026-11-24", "3 3 2 3 3")
		s.hasFree(other, "2026-11-19", "2026-11-24", "3 3 3 3 3")
	})
}

// TestNothingIsPublishedBeforeCommit: the message of a reservation whose transaction
// is given up is sent with the one that commits, and only then.
func TestNothingIsPublishedBeforeCommit(t *testing.T) {
	s := systemtest.NewSimulation(t, hotel.System(), systemtest.Files(t))
	gone := errors.New("given up")
	env := s.Services["reservation"].Env
	sent := func() int {
		rows, err := env.DB.Pending(t.Context(), 0, outbox.Exclusion{}, 10, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		return len(rows)
	}
	err := env.DB.Update(t.Context(), func(tx storage.Tx) error {
		e := request(t, message.RoomReserve, 9, 1, day20, day21)
		return errors.Join(env.Send(t.Context(), tx, message.RoomReserve, e), gone)
	})
	if !errors.Is(err, gone) || sent() != 0 {
		t.Fatalf("%v; %d messages of a transaction that was rolled back", err, sent())
	}
	room := s.REST("POST", "room", "/rooms", `{"name":"Sea view","count":1}`).Int("roomId")
	body := fmt.Sprintf(`{"roomId":%d,"memberId":1,"checkInDate":"2026-11-20","checkOutDate":"2026-11-22"}`, room)
	if a := s.Ask("POST", "reservation", "/reservations", body); a.Status != 202 || sent() != 1 {
		t.Fatalf("%s; %d messages", a, sent())
	}
	// The answer of a room service that crashes before its commit is not sent either,
	// and no night is taken.
	s.REST("GET", "reservation", "/reservations/1", "")
	s.Deliver(true, s.UnderWay[0])
	if len(s.UnderWay) != 1 {
		t.Errorf("%d messages under way after a crash", len(s.UnderWay))
	}
	if got := free(s.REST("GET", "room", fmt.Sprintf("/rooms/%d?from=2026-11-20&to=2026-11-22", room), "")); got != "1 1" {
		t.Errorf("after a crash there are free: %s", got)
	}
}

// TestRedeliveryTakesNightsOnce: neither the same message again nor another one about
// the same reservation takes a second time.
func TestRedeliveryTakesNightsOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s system) {
		s.Start("room")
		room := s.room(5)
		again := request(t, message.RoomReserve, 1, room, day20, day22)
		s.Publish(message.RoomReserve, again, again, request(t, message.RoomReserve, 1, room, day20, day22), again)
		s.Publish(message.RoomReserve, request(t, message.RoomReserve, 1, room, day20, day23))
		// The inbox drops what has the same id; the others get the same answer.
		if got := s.results(1, 3); got != "SUCCESS SUCCESS SUCCESS" {
			t.Errorf("answers %s", got)
		}
		s.hasFree(room, day20, "2026-11-24", "4 4 5 5")
	})
}

// TestMessagesAreKeyedByReservation: so that a cancel never overtakes its reserve
// within the log, and answers come in their order.
func TestMessagesAreKeyedByReservation(t *testing.T) {
	onEach(t, func(t *testing.T, s system) {
		s.All()
		room := s.room(100)
		ids := map[string]bool{}
		for range 20 {
			id := s.reserve(room, day20, day21)
			ids[message.Key(id)] = true
			s.cancel(id)
			s.is(id, "CANCELLED")
		}
		for _, topic := range []string{message.RoomReserve, message.RoomCancel, message.TransactionResult} {
			partitions := map[string]int32{}
			for _, r := range s.Log(topic) {
				if !ids[r.Key] || r.Key != fmt.Sprint(r.Value["reservationId"]) {
					t.Errorf("%s: key %q of %s", topic, r.Key, r.Payload)
				}
				if first, ok := partitions[r.Key]; ok && first != r.Partition {
					t.Errorf("%s: reservation %s is in the partitions %d and %d", topic, r.Key, first, r.Partition)
				}
				partitions[r.Key] = r.Partition
			}
		}
		s.hasFree(room, day20, day21, "100")
	})
}

// TestCancelThatOvertakesItsReserveWins: they are on two topics, so it can. The room
// service remembers it, and the reserve takes nothing.
func TestCancelThatOvertakesItsReserveWins(t *testing.T) {
	onEach(t, func(t *testing.T, s system) {
		s.Start("room")
		room := s.room(1)
		s.Publish(message.RoomCancel, request(t, message.RoomCancel, 1, room, day20, day22))
		if got := s.results(1, 1); got != "CANCEL" {
			t.Errorf("answer %s", got)
		}
		s.Publish(message.RoomReserve, request(t, message.RoomReserve, 1, room, day20, day22))
		if got := s.results(1, 2); got != "CANCEL FAILURE" {
			t.Errorf("answers %s", got)
		}
		s.hasFree(room, day20, day22, "1 1")
	})
}

// TestCancelOfWhatWasNotTakenAddsNoStock: of a refused stay, and of one that nobody
// asked for.
func TestCancelOfWhatWasNotTakenAddsNoStock(t *testing.T) {
	s := newSystem(t, embedded)
	s.Start("room")
	room := s.room(1)
	s.Publish(message.RoomReserve, request(t, message.RoomReserve, 1, room, day20, day22))
	s.results(1, 1)
	s.Publish(message.RoomReserve, request(t, message.RoomReserve, 2, room, day21, day23))
	s.results(2, 1)
	s.Publish(message.RoomCancel, request(t, message.RoomCancel, 2, room, day21, day23), request(t, message.RoomCancel, 3, room, day20, day23))
	if got := s.results(2, 2) + ", " + s.results(3, 1); got != "FAILURE CANCEL, CANCEL" {
		t.Errorf("answers %s", got)
	}
	s.hasFree(room, "2026-11-19", "2026-11-24", "1 0 0 1 1")
}

// TestOnlyRefusalsAreFailures: what is no matter of business is never answered with
// FAILURE. A message that cannot be handled becomes a dead letter, and the next one of
// its key is handled.
func TestOnlyRefusalsAreFailures(t *testing.T) {
	onEach(t, func(t *testing.T, s system) {
		s.Start("room")
		room := s.room(1)
		bad := func(id int64, payload string) event.Event {
			e := request(t, message.RoomReserve, id, room, day20, day21)
			e.Payload = []byte(payload)
			return e
		}
		events := []event.Event{
			bad(1, `{`), bad(2, `{"reservationId":"2"}`), bad(3, `{"reservationId":3,"roomId":1,"checkInDate":"2026-02-30","checkOutDate":"2026-03-01"}`),
			bad(4, `{"roomId":1,"checkInDate":"2026-11-20","checkOutDate":"2026-11-21"}`), bad(5, `{"reservationId":5,"roomId":1}`),
		}
		for i, e := range events {
			s.Publish(message.RoomReserve, e, request(t, message.RoomReserve, int64(i+1), 77, day20, day21))
		}
		for i, e := range events {
			id := int64(i + 1)
			answer := s.About(message.TransactionResult, message.Key(id), 1)[0]
			if answer.Value["status"] != "FAILURE" || answer.Value["message"] != "unknown room 77" || answer.CausationID == e.ID {
				t.Errorf("reservation %d: %s, caused by %s", id, answer.Payload, answer.CausationID)
			}
		}
		dead := s.deadLetters("room", len(events))
		for _, e := range events {
			if dead[e.ID] == nil {
				t.Errorf("%s is no dead letter", e.Payload)
			}
		}
	})
}

// deadLetters waits for that many messages that a service could not handle, and
// returns their ids.
func (s system) deadLetters(service string, n int) map[string][]string {
	s.t.Helper()
	var dead map[string][]string
	s.Wait("dead letters", func() bool {
		dead = systemtest.Table(s.t, s.DB(service), 2, `SELECT id, outcome FROM pabal_inbox WHERE outcome = 'dead'`)
		return len(dead) >= n
	})
	return dead
}

// TestOutageOfTheDatabaseIsNoFailure: what the database gives up is done again, and
// then answered as it is.
func TestOutageOfTheDatabaseIsNoFailure(t *testing.T) {
	s := systemtest.NewSimulation(t, hotel.System(), systemtest.Files(t))
	room := s.REST("POST", "room", "/rooms", `{"name":"Sea view","count":1}`).Int("roomId")
	m := outbox.Message{Topic: message.RoomReserve, Event: request(t, message.RoomReserve, 1, room, day20, day21)}
	for range 3 {
		s.Deliver(true, m)
	}
	if len(s.Sent) != 0 {
		t.Fatalf("%d answers of transactions that were given up", len(s.Sent))
	}
	s.Deliver(false, m)
	if len(s.Sent) != 1 || !strings.Contains(string(s.Sent[0].Payload), "SUCCESS") {
		t.Errorf("answers %v", s.Sent)
	}
}

// TestConcurrentStaysNeverOversell: handlers that do not take turns, cancels and
// people who change the stock, all at the same time.
func TestConcurrentStaysNeverOversell(t *testing.T) {
	for _, b := range []systemtest.Backend{systemtest.Embedded, systemtest.Real} {
		t.Run(b.Name, func(t *testing.T) {
			_, database := b.Start(t)
			s := systemtest.NewSimulation(t, hotel.System(), database)
			room := s.REST("POST", "room", "/rooms", `{"name":"Sea view","count":50}`).Int("roomId")
			days := []string{day20, day21, day22, day23}
			var all sync.WaitGroup
			for worker := range int64(8) {
				all.Go(func() {
					for i := range int64(25) {
						id := worker*100 + i + 1
						in, out := days[i%3], days[3]
						s.Handle(outbox.Message{Topic: message.RoomReserve, Event: request(t, message.RoomReserve, id, room, in, out)})
						if i%5 == 0 {
							s.Handle(outbox.Message{Topic: message.RoomCancel, Event: request(t, message.RoomCancel, id, room, in, out)})
						}
						if i%5 == 1 {
							count := 50 + (worker+i)%7
							a := s.Ask("PUT", "room", fmt.Sprintf("/rooms/%d/stock", room), fmt.Sprintf(`{"count":%d}`, count))
							if a.Status != 200 && a.Status != 409 {
								t.Errorf("stock %d: %s", count, a)
							}
						}
					}
				})
			}
			all.Wait()
			db := s.Services["room"].Env.DB
			checkNights(t, db)
			if refused := systemtest.Count(t, db, `SELECT COUNT(*) FROM stays WHERE status = 'REFUSED'`); refused == 0 {
				t.Error("no stay was refused: the rooms never ran out, and the test proves nothing")
			}
		})
	}
}

// checkNights: of each night there are as many free as are not taken.
func checkNights(t testing.TB, db storage.DB) {
	t.Helper()
	if n := systemtest.Count(t, db, `SELECT COUNT(*) FROM nights n WHERE stock < 0 OR stock <> capacity - (
		SELECT COUNT(*) FROM stays s WHERE s.room_id = n.room_id AND s.status = 'TAKEN' AND s.check_in <= n.night AND n.night < s.check_out)`); n > 0 {
		t.Errorf("%d nights whose stock does not fit their stays", n)
	}
	if n := systemtest.Count(t, db, `SELECT COUNT(*) FROM stays s WHERE status = 'TAKEN'
		AND NOT EXISTS (SELECT 1 FROM nights n WHERE n.room_id = s.room_id AND n.night = s.check_in)`); n > 0 {
		t.Errorf("%d stays without their nights", n)
	}
}
