package sagatest_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/saga/sagatest"
)

type (
	trip  struct{ Seat string }
	hotel struct{ Reserved int }
)

// tripModel books a room for a trip. A duplicate of the command must not book twice.
func tripModel(remembers bool) sagatest.Model[hotel, trip] {
	return sagatest.Model[hotel, trip]{
		Definition: saga.Definition[trip]{
			Name: "trip",
			Steps: []saga.Step[trip]{{
				Name:    "room",
				Timeout: time.Minute,
				Action: func(c saga.Context, s *trip) []outbox.Message {
					return []outbox.Message{{Event: event.New("reserve", c.ID, s.Seat)}}
				},
			}},
			Replies: []saga.Reply[trip]{{Topic: "reserved", Read: func(event.Event) (saga.Answer[trip], error) {
				return saga.Answer[trip]{Step: "room", Result: saga.Succeeded}, nil
			}}},
		},
		Start: func(hotel) trip { return trip{Seat: "12A"} },
		Participants: []sagatest.Participant[hotel]{{
			Name: "hotel", Topics: []string{"reserve"},
			Handle: func(w *hotel, m outbox.Message, _ sagatest.Choose) []outbox.Message {
				if w.Reserved == 0 || !remembers {
					w.Reserved++
				}
				return []outbox.Message{{Event: event.New("reserved", m.Key, nil).CausedBy(m.Event)}}
			},
		}},
		Invariant: func(w hotel, _ saga.Instance[trip]) error {
			if w.Reserved > 1 {
				return errors.New("two rooms for one trip")
			}
			return nil
		},
		Duplicates: 1,
	}
}

// In a test, Check fails it and prints a test that repeats the failure.
func Example() {
	_, err := sagatest.Explore(tripModel(false))
	var failure *sagatest.Failure
	if errors.As(err, &failure) {
		fmt.Println(failure.Err)
		for _, words := range failure.Words {
			fmt.Println("-", words)
		}
	}
	report, err := sagatest.Explore(tripModel(true))
	fmt.Println(report, err)
	// Output:
	// two rooms for one trip
	// - it begins, sends room/1 (reserve "12A"); the saga is RUNNING
	// - hotel handles room/1 (reserve "12A"), sends room/1.hotel (reserved null)
	// - hotel handles room/1 again (reserve "12A"), sends room/1.hotel#2 (reserved null)
	// 9 states, 4 schedules of up to 5 steps; ends: COMPLETED 2 <nil>
}
