package adapters

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

// Groups are for the topic the service reads, before its sagas.
func Groups(env service.Env) map[string]inbox.GroupHandler[storage.Tx] {
	return map[string]inbox.GroupHandler[storage.Tx]{env.Topic(message.RentalResult): checkResults(env)}
}

// checkResults refuses results that nobody here can have asked for, before the sagas
// see them: something was done, and a person must look.
func checkResults(env service.Env) inbox.GroupHandler[storage.Tx] {
	return func(ctx context.Context, tx storage.Tx, ms []inbox.Message) error {
		asked := map[string]bool{}
		for _, m := range ms {
			result, err := decode(env, m.Event)
			if err != nil {
				return err
			}
			if result.EventType != message.Use { // it belongs to whoever used the points
				asked[transactionOf(m.Event)] = false
			}
		}
		if len(asked) == 0 {
			return nil
		}
		if err := markKnown(ctx, tx, asked); err != nil {
			return err
		}
		for id, known := range asked {
			if !known {
				return inbox.Permanent(fmt.Errorf("a result of transaction %s, which is unknown here", id))
			}
		}
		return nil
	}
}

func decode(env service.Env, e event.Event) (message.EventResult, error) {
	r, err := service.Payload[message.EventResult](env, e)
	if err != nil {
		return r, err
	}
	switch r.EventType {
	case message.Rent, message.Return, message.Overdue, message.Use:
	default:
		return r, inbox.Permanent(fmt.Errorf("eventType %q is none of RENT, RETURN and OVERDUE", r.EventType))
	}
	if r.Participant == "" {
		r.Participant = participantOf(e.Source)
	}
	if r.Participant == "" {
		return r, inbox.Permanent(errors.New("participant is missing, and the source is neither of book nor of member"))
	}
	return r, nil
}

// participantOf is whose event it is, where the event does not say.
func participantOf(source string) message.Participant {
	switch {
	case strings.HasSuffix(source, "/book"):
		return message.Book
	case strings.HasSuffix(source, "/member"):
		return message.Member
	}
	return ""
}

// markKnown sets those that are there.
func markKnown(ctx context.Context, q storage.Querier, asked map[string]bool) error {
	var places []string
	var args []any
	for id := range asked {
		args = append(args, id)
		places = append(places, "$"+strconv.Itoa(len(args)))
	}
	in := " IN (" + strings.Join(places, ", ") + ")"
	rows, err := q.Query(ctx, `SELECT id FROM rentals WHERE id`+in+
		` UNION ALL SELECT id FROM returns WHERE id`+in+` UNION ALL SELECT id FROM clearings WHERE id`+in, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		asked[id] = true
	}
	return rows.Err()
}
