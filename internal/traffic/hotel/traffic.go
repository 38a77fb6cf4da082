// Package hotel behaves as the members of the hotel system: it reserves and cancels at
// a rate, over REST and without knowing the services' code, among them stays that must
// be refused.
package hotel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/internal/traffic"
)

// Config says what traffic to make.
type Config struct {
	// Reservation and Room are the base URLs of the services.
	Reservation, Room string
	Seed              uint64
	// Rate is in reservations per second.
	Rate float64
	// MaxOpen is how many reservations may be under way; further ones wait.
	MaxOpen int
	// Connections bounds the requests under way; 128 by default.
	Connections int
	// GiveUp bounds one request with its repeats; traffic.GiveUp by default.
	GiveUp time.Duration
	// Tracker and Ledger learn of every accepted reservation and of its kind.
	Tracker *traffic.Tracker
	Ledger  *traffic.Ledger
}

// Traffic is a source of requests; Run runs it once.
type Traffic struct {
	Config
	client *traffic.Client
	gate   traffic.Gate

	mu    sync.RWMutex
	rooms [rooms]int64 // their ids

	repeats, failed, cancels, cancelled, resized atomic.Int64
	firstError                                   atomic.Pointer[string]
}

// Stats are counts since the start.
type Stats struct {
	// Repeats are requests sent again because no answer came. A reservation asked for
	// again is another one.
	Repeats int64
	// Failed requests were answered wrongly or never; FirstFailure is one.
	Failed       int64
	FirstFailure string
	// Cancels were asked for by members; CancelsTaken were of reservations that had
	// not failed.
	Cancels, CancelsTaken int64
	// Resized is how often a room's stock was changed.
	Resized int64
}

// New returns traffic that does not flow yet.
func New(c Config) *Traffic {
	if c.Connections == 0 {
		c.Connections = 128
	}
	if c.GiveUp == 0 {
		c.GiveUp = traffic.GiveUp
	}
	t := &Traffic{Config: c}
	t.client = traffic.NewClient(c.Connections, c.GiveUp, func() { t.repeats.Add(1) })
	return t
}

// Stats may be called at any time.
func (t *Traffic) Stats() Stats {
	s := Stats{
		Repeats: t.repeats.Load(), Failed: t.failed.Load(), Cancels: t.cancels.Load(), CancelsTaken: t.cancelled.Load(), Resized: t.resized.Load(),
	}
	if first := t.firstError.Load(); first != nil {
		s.FirstFailure = *first
	}
	return s
}

// Prepare makes the rooms.
func (t *Traffic) Prepare(ctx context.Context) error {
	for room := range rooms {
		if err := t.addRoom(ctx, room, countOf(room)); err != nil {
			return fmt.Errorf("make rooms: %w", err)
		}
	}
	return nil
}

// SomeRoom is the id of one that has much free, after Prepare.
func (t *Traffic) SomeRoom() int64 { return t.room(0) }

// Run makes requests until stop is closed, then waits for the answers under way. The
// end of ctx gives those up.
func (t *Traffic) Run(ctx context.Context, stop <-chan struct{}) {
	defer t.client.Close()
	plan := NewPlan(t.Seed)
	traffic.Flow[job]{
		Rate: t.Rate, Workers: t.Connections, Full: t.full, Freed: t.Tracker.Freed(), Do: t.do,
		Counts: func(j job) bool { return j.IsReservation() },
		Next: func() job {
			j := job{plan.Next(), time.Now()}
			if j.IsReservation() {
				t.gate.Enter()
			}
			return j
		},
	}.Run(ctx, stop)
}

// job is an intent and when it was due.
type job struct {
	Intent
	due time.Time
}

func (t *Traffic) full() bool {
	return t.MaxOpen > 0 && t.Tracker.Open()+t.gate.Inside() >= t.MaxOpen
}

func (t *Traffic) do(ctx context.Context, j job) {
	if err := t.perform(ctx, j); err != nil && !errors.Is(err, context.Canceled) {
		t.failed.Add(1)
		text := err.Error()
		t.firstError.CompareAndSwap(nil, &text)
	}
}

func (t *Traffic) perform(ctx context.Context, j job) error {
	switch j.Kind {
	case NewRoom:
		return t.addRoom(ctx, j.Room, j.Count)
	case NewStock:
		return t.resize(ctx, j.Room, j.Count)
	}
	id, err := t.reserve(ctx, j)
	if err != nil || !j.cancels() {
		return err
	}
	if err := traffic.Wait(ctx, j.CancelAfter); err != nil {
		return err
	}
	if j.Kind != CancelTwice {
		return t.cancel(ctx, id)
	}
	var twin error
	var both sync.WaitGroup
	both.Go(func() { twin = t.cancel(ctx, id) })
	err = t.cancel(ctx, id)
	both.Wait()
	return errors.Join(err, twin)
}

// unknownRoom is one that never exists.
const unknownRoom = 1 << 50

func (t *Traffic) reserve(ctx context.Context, j job) (string, error) {
	defer t.gate.Leave()
	room := t.room(j.Room)
	if j.Kind == UnknownRoom {
		room = unknownRoom
	}
	body := map[string]any{
		"roomId": room, "memberId": j.Member,
		"checkInDate": j.In.Format(time.DateOnly), "checkOutDate": j.In.AddDate(0, 0, j.Nights).Format(time.DateOnly),
	}
	var answer struct {
		ReservationID int64 `json:"reservationId"`
	}
	err := t.client.Call(ctx, http.MethodPost, t.Reservation+"/reservations", "", body, &answer)
	if err == nil && answer.ReservationID == 0 {
		err = errors.New("POST /reservations: the answer has no reservationId")
	}
	id := strconv.FormatInt(answer.ReservationID, 10)
	if err != nil {
		t.Ledger.Unknown(id)
		return "", err
	}
	t.Tracker.Placed(id, j.Kind, j.due)
	return id, t.Ledger.Accepted(string(j.Kind), id)
}

// cancel asks for it; a reservation that has failed refuses.
func (t *Traffic) cancel(ctx context.Context, id string) error {
	t.cancels.Add(1)
	err := t.client.Call(ctx, http.MethodDelete, t.Reservation+"/reservations/"+id, "", nil, nil)
	if traffic.StatusOf(err) == http.StatusConflict {
		return nil
	}
	if err == nil {
		t.cancelled.Add(1)
	}
	return err
}

// addRoom puts a new room in the place of the old one.
func (t *Traffic) addRoom(ctx context.Context, room int, count int64) error {
	var answer struct {
		RoomID int64 `json:"roomId"`
	}
	body := map[string]any{"name": fmt.Sprintf("Room %d", room+1), "count": count}
	if err := t.client.Call(ctx, http.MethodPost, t.Config.Room+"/rooms", "", body, &answer); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rooms[room] = answer.RoomID
	return nil
}

// resize changes the stock; fewer than are taken are refused.
func (t *Traffic) resize(ctx context.Context, room int, count int64) error {
	where := fmt.Sprintf("%s/rooms/%d/stock", t.Config.Room, t.room(room))
	err := t.client.Call(ctx, http.MethodPut, where, "", map[string]any{"count": count}, nil)
	if traffic.StatusOf(err) == http.StatusConflict {
		return nil
	}
	if err == nil {
		t.resized.Add(1)
	}
	return err
}

func (t *Traffic) room(number int) int64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.rooms[number]
}

// See takes the end of a reservation's first step from what the room service answers.
func See(k *traffic.Tracker) func(reservationID int64, status string, now time.Time) {
	return func(reservationID int64, status string, now time.Time) {
		if status == "SUCCESS" || status == "FAILURE" {
			k.Ended(strconv.FormatInt(reservationID, 10), status == "SUCCESS", now)
		}
	}
}
