package saga_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// purchase is the state of the saga.
type purchase struct {
	Price   int64
	Payment string
}

type paymentResponse struct{ Status, PaymentID, Reason string }

// purchases are paid for and then approved; a payment that was not approved is
// given back.
func purchases() saga.Definition[purchase] {
	return saga.Definition[purchase]{
		Name: "purchase",
		Steps: []saga.Step[purchase]{{
			Name: "payment",
			Action: func(c saga.Context, p *purchase) []outbox.Message {
				return []outbox.Message{{Topic: "payment-request", Event: event.New("payment-request", c.ID, p.Price)}}
			},
			Compensation: func(c saga.Context, p *purchase) []outbox.Message {
				return []outbox.Message{{Topic: "payment-request", Event: event.New("refund", c.ID, p.Payment)}}
			},
			Timeout: 30 * time.Second, Retry: saga.Retry{Attempts: 3},
		}, {
			Name: "approval",
			Action: func(c saga.Context, p *purchase) []outbox.Message {
				return []outbox.Message{{Topic: "approval-request", Event: event.New("approval-request", c.ID, p.Payment)}}
			},
		}},
		Replies: []saga.Reply[purchase]{
			{Topic: "payment-response", Read: readPayment},
			{Topic: "approval-response", Read: readApproval},
		},
		Deadline: 10 * time.Minute,
	}
}

func readPayment(e event.Event) (saga.Answer[purchase], error) {
	response, err := event.Decode[paymentResponse](e)
	a := saga.Answer[purchase]{ID: e.Key, Step: "payment", Reason: response.Reason}
	switch response.Status {
	case "PAID":
		a.Result = saga.Succeeded
		a.Apply = func(p *purchase) { p.Payment = response.PaymentID }
	case "REFUNDED":
		a.Result = saga.Undone
	default:
		a.Result = saga.Refused
	}
	return a, err
}

func readApproval(e event.Event) (saga.Answer[purchase], error) {
	reason, err := event.Decode[string](e)
	a := saga.Answer[purchase]{ID: e.Key, Step: "approval", Result: saga.Succeeded, Reason: reason}
	if reason != "" {
		a.Result = saga.Refused
	}
	return a, err
}

func Example() {
	ctx := context.Background()
	folder, _ := os.MkdirTemp("", "example")
	defer os.RemoveAll(folder)
	db, err := sqlite.Open(ctx, filepath.Join(folder, "shop.db"), sqlite.Config{})
	if err != nil {
		panic(err)
	}
	defer db.Close()

	// A service starts manager.Service(), which fires the timers.
	manager, err := saga.New(db, saga.Config[*sqlite.Tx, purchase]{Definitions: []saga.Definition[purchase]{purchases()}})
	if err != nil {
		panic(err)
	}

	// The purchase is stored and its saga begins, with its first command, or neither.
	err = db.Update(ctx, func(tx *sqlite.Tx) error {
		_, _, err := manager.Start(ctx, tx, "42", purchase{Price: 1200})
		return err
	})
	if err != nil {
		panic(err)
	}

	// A service gives manager.Handlers() to its inbox.Config.Groups; here the answers
	// are given by hand.
	answers := []event.Event{
		event.New("payment-response", "42", paymentResponse{Status: "PAID", PaymentID: "p7"}),
		event.New("approval-response", "42", "sold out"),
		event.New("payment-response", "42", paymentResponse{Status: "REFUNDED"}),
	}
	for _, answer := range answers {
		err := db.Update(ctx, func(tx *sqlite.Tx) error {
			return manager.Handlers()[answer.Type](ctx, tx, []inbox.Message{{Event: answer, Topic: answer.Type}})
		})
		if err != nil {
			panic(err)
		}
	}

	stored, timeline, err := db.Saga(ctx, "purchase", "42")
	if err != nil {
		panic(err)
	}
	for _, e := range timeline {
		words := strings.Fields(fmt.Sprintln(e.Kind, e.Status, e.Step, e.Type, e.Note))
		fmt.Println(strings.Join(words, " "))
	}
	fmt.Println(stored.Status, stored.Reason)
	// Output:
	// started RUNNING
	// command payment payment-request
	// answer payment payment-response SUCCEEDED
	// command approval approval-request
	// answer approval approval-response REFUSED: sold out
	// status COMPENSATING sold out
	// undo payment refund
	// answer payment payment-response UNDONE
	// status COMPENSATED sold out
	// COMPENSATED sold out
}

// Rents are watched: book and member react to each other's events. Here the book was
// given to the member, who is refused; so the book is to be taken back.
func ExampleChoreography() {
	rents := saga.Choreography[rent]{
		Name: "rent",
		Participants: []saga.Participant[rent]{
			{Name: "book", Compensation: takeBack, CompensationTimeout: 30 * time.Second},
			{Name: "member"},
		},
		Replies:  []saga.Reply[rent]{{Topic: "rental-result", Read: readResult}},
		Deadline: time.Minute,
	}.Definition()
	if err := rents.Validate(); err != nil {
		panic(err)
	}
	// A Manager would do this, in the transaction of the inbox.
	seen := saga.Instance[rent]{ID: "r1", CorrelationID: "r1"}
	for _, e := range []event.Event{
		event.New("rental-result", "r1", result{Of: "book", Item: 7, OK: true}),
		event.New("rental-result", "r1", result{Of: "member", Item: 7, Reason: "owes a fee"}),
		event.New("rental-result", "r1", result{Of: "book", Item: 7, Undone: true}),
	} {
		answer, err := readResult(e)
		if err != nil {
			panic(err)
		}
		decision, err := rents.Decide(seen, saga.Input[rent]{Answer: &answer, Event: e}, time.Now())
		if err != nil {
			panic(err)
		}
		seen = decision.Instance
		fmt.Print(seen.Status)
		for _, m := range decision.Messages {
			fmt.Print(", sends ", m.Type, " ", string(m.Payload), " ", m.Headers[saga.HeaderKey])
		}
		fmt.Println()
	}
	// Output:
	// RUNNING
	// COMPENSATING, sends rent-cancel 7 rent/r1/~book/1
	// COMPENSATED
}

type rent struct{ Item int64 }

type result struct {
	Of         string
	Item       int64
	OK, Undone bool
	Reason     string
}

func takeBack(c saga.Context, r *rent) []outbox.Message {
	return []outbox.Message{{Topic: "rent-cancel", Event: event.New("rent-cancel", c.ID, r.Item)}}
}

func readResult(e event.Event) (saga.Answer[rent], error) {
	r, err := event.Decode[result](e)
	a := saga.Answer[rent]{ID: e.Key, Step: r.Of, Result: saga.Refused, Reason: r.Reason}
	// Any event may be the first, so each tells all that a compensation needs.
	a.Apply = func(s *rent) { s.Item = r.Item }
	switch {
	case r.Undone:
		a.Result = saga.Undone
	case r.OK:
		a.Result = saga.Succeeded
	}
	return a, err
}
