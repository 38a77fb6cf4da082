package adapters

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/hotel/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

// Groups are for the topic the service reads, before its sagas.
func Groups(env service.Env) map[string]inbox.GroupHandler[storage.Tx] {
	return map[string]inbox.GroupHandler[storage.Tx]{env.Topic(message.TransactionResult): checkResults(env)}
}

// checkResults refuses answers that nobody here can have asked for, before the sagas
// see them: nights may have been taken, and a person must look.
func checkResults(env service.Env) inbox.GroupHandler[storage.Tx] {
	return func(ctx context.Context, t storage.Tx, ms []inbox.Message) error {
		asked := map[int64]bool{}
		for _, m := range ms {
			result, err := decode(env, m.Event)
			if err != nil {
				return err
			}
			asked[result.ReservationID] = false
		}
		if err := markKnown(ctx, t, asked); err != nil {
			return err
		}
		for id, known := range asked {
			if !known {
				return inbox.Permanent(fmt.Errorf("the result of reservation %d, which is unknown here", id))
			}
		}
		return nil
	}
}

func decode(env service.Env, e event.Event) (message.ReservationMessageResponse, error) {
	m, err := service.Payload[message.ReservationMessageResponse](env, e)
	if err != nil {
		return m, err
	}
	switch m.Status {
	case message.Success, message.Failure, message.Cancel:
	default:
		return m, inbox.Permanent(fmt.Errorf("reservation %d: unknown status %q", m.ReservationID, m.Status))
	}
	if m.ReservationID <= 0 {
		return m, inbox.Permanent(errors.New("reservationId is missing or not above 0"))
	}
	return m, nil
}

// markKnown sets those that are there.
func markKnown(ctx context.Context, q storage.Querier, asked map[int64]bool) error {
	var places []string
	var args []any
	for id := range asked {
		args = append(args, id)
		places = append(places, "$"+strconv.Itoa(len(args)))
	}
	rows, err := q.Query(ctx, `SELECT id FROM reservations WHERE id IN (`+strings.Join(places, ", ")+`)`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		asked[id] = true
	}
	return rows.Err()
}

func reservationOf(c change) (int64, error) { return strconv.ParseInt(c.After.ID, 10, 64) }
