//go:build unix

package faults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing/fstest"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

// A trip is a flight, and then a hotel and a car at the same time. How the sellers
// answer is in its number, see manner.
const (
	trips  = "trips"
	book   = "book"
	unbook = "unbook"
	booked = "booked"
)

type (
	order struct {
		Trip string `json:"trip"`
		N    int    `json:"n"`
	}
	// itinerary is the saga's state.
	itinerary struct {
		N    int      `json:"n"`
		Done []string `json:"done"`
	}
	// wish is a command.
	wish struct {
		order
		Step    string `json:"step"`
		Attempt int    `json:"attempt"`
	}
	confirmation struct {
		wish
		Result saga.Result `json:"result"`
	}
)

// manner is how the sellers deal with a trip.
type manner int

const (
	plain      manner = iota
	noCar             // the car is refused
	silentOnce        // the flight is booked, and its first answer missing
	poisonOnce        // the hotel is booked, and its first answer no answer
	failsOnce         // the car fails at first
	noHotel           // the hotel is refused
	undoFails         // the car is refused, the hotel cannot be taken back at first
	late              // the car is booked, and its answer comes when the test sends it
	manners
)

func mannerOf(n int) manner { return manner(n) % manners }

// mayComplete says whether it comes to a good end where nothing takes too long.
func (m manner) mayComplete() bool {
	return m == plain || m == silentOnce || m == poisonOnce || m == failsOnce
}

func tripSaga() saga.Definition[itinerary] {
	step := func(name string) saga.Step[itinerary] {
		send := func(topic string) func(saga.Context, *itinerary) []outbox.Message {
			return func(c saga.Context, s *itinerary) []outbox.Message {
				w := wish{order{c.ID, s.N}, name, c.Attempt}
				return []outbox.Message{{Topic: topic, Event: event.New(topic, c.ID+"/"+name, w)}}
			}
		}
		return saga.Step[itinerary]{
			Name: name, Action: send(book), Compensation: send(unbook),
			Timeout: 700 * time.Millisecond, Retry: saga.Retry{Attempts: 4, Min: 50 * time.Millisecond, Max: 200 * time.Millisecond},
			CompensationRetry: saga.Retry{Attempts: 1 << 20, Min: 50 * time.Millisecond, Max: 500 * time.Millisecond},
		}
	}
	car := step("car")
	car.OnlySuccess = true
	return saga.Definition[itinerary]{
		Name: "trip", Deadline: 30 * time.Second,
		Steps:   []saga.Step[itinerary]{step("flight"), {Name: "there", Parallel: [][]saga.Step[itinerary]{{step("hotel")}, {car}}}},
		Replies: []saga.Reply[itinerary]{{Topic: booked, Read: readConfirmation}},
	}
}

func readConfirmation(e event.Event) (saga.Answer[itinerary], error) {
	c, err := event.Decode[confirmation](e)
	if err != nil {
		return saga.Answer[itinerary]{}, err
	}
	return saga.Answer[itinerary]{ID: c.Trip, Step: c.Step, Result: c.Result, Attempt: c.Attempt, Apply: func(s *itinerary) {
		if c.Result == saga.Succeeded {
			s.Done = append(s.Done, c.Step)
		}
	}}, nil
}

func startTrip(m *lead) inbox.Handler[storage.Tx] {
	return func(ctx context.Context, tx storage.Tx, msg inbox.Message) error {
		o, err := event.Decode[order](msg.Event)
		if err != nil {
			return err
		}
		_, _, err = m.Start(ctx, tx, o.Trip, itinerary{N: o.N}, saga.CausedBy(msg.Event))
		return err
	}
}

// tripTables: commands shows what was done twice, since nobody looks whether it is
// there. bookings are what the sellers know of a trip.
var tripTables = fstest.MapFS{"0001_trips.sql": {Data: []byte(`
CREATE TABLE commands (k TEXT NOT NULL, trip TEXT NOT NULL, step TEXT NOT NULL, kind TEXT NOT NULL);
CREATE TABLE bookings (trip TEXT NOT NULL, step TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (trip, step));`)}}

func carryOut(ctx context.Context, tx storage.Tx, m inbox.Message, kind string) (w wish, err error) {
	if w, err = event.Decode[wish](m.Event); err != nil {
		return w, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO commands (k, trip, step, kind) VALUES ($1, $2, $3, $4)`, m.Headers[saga.HeaderKey], w.Trip, w.Step, kind)
	return w, err
}

// sell books, unless the trip was cancelled before.
func sell(ctx context.Context, tx storage.Tx, m inbox.Message) error {
	w, err := carryOut(ctx, tx, m, book)
	if err != nil {
		return err
	}
	how := mannerOf(w.N)
	switch {
	case w.Step == "car" && (how == noCar || how == undoFails), w.Step == "hotel" && how == noHotel:
		return confirm(ctx, tx, w, saga.Refused)
	case w.Step == "car" && how == failsOnce && w.Attempt == 1:
		return confirm(ctx, tx, w, saga.Failed)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO bookings (trip, step, state) VALUES ($1, $2, 'booked') ON CONFLICT (trip, step) DO NOTHING`, w.Trip, w.Step); err != nil {
		return err
	}
	// It also locks, in case it is cancelled at the moment.
	still, err := tx.Exec(ctx, `UPDATE bookings SET state = 'booked' WHERE trip = $1 AND step = $2 AND state = 'booked'`, w.Trip, w.Step)
	switch {
	case err != nil:
		return err
	case still == 0:
		return confirm(ctx, tx, w, saga.Refused)
	case w.Step == "car" && how == late, w.Step == "flight" && how == silentOnce && w.Attempt == 1:
		return nil
	case w.Step == "hotel" && how == poisonOnce && w.Attempt == 1:
		return outbox.Enqueue(ctx, tx, event.New(booked, w.Trip, json.RawMessage(`"poison"`)))
	}
	return confirm(ctx, tx, w, saga.Succeeded)
}

// takeBack cancels; what comes to be sold later is refused then.
func takeBack(ctx context.Context, tx storage.Tx, m inbox.Message) error {
	w, err := carryOut(ctx, tx, m, unbook)
	if err != nil {
		return err
	}
	if w.Step == "hotel" && mannerOf(w.N) == undoFails && w.Attempt == 1 {
		return confirm(ctx, tx, w, saga.UndoFailed)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO bookings (trip, step, state) VALUES ($1, $2, 'cancelled')
		ON CONFLICT (trip, step) DO UPDATE SET state = 'cancelled'`, w.Trip, w.Step); err != nil {
		return err
	}
	return confirm(ctx, tx, w, saga.Undone)
}

func confirm(ctx context.Context, tx storage.Tx, w wish, result saga.Result) error {
	return outbox.Enqueue(ctx, tx, event.New(booked, w.Trip, confirmation{w, result}))
}

func tripID(n int) string { return fmt.Sprintf("trip-%05d", n) }
