package adapters

import (
	"cmp"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/library/rental/domain"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

// Settings of the service.
var (
	AnswerTimeout = service.Duration{
		Name: "answer-timeout", Default: time.Minute,
		Help: "How long book and member may take to answer before a transaction is shown to operators as NEEDS_REVIEW; their answers count all the same.",
	}
	CancelTimeout = service.Duration{
		Name: "cancel-timeout", Default: 30 * time.Second,
		Help: "How long a compensation may take before it is sent again.",
	}
)

// Names of the sagas.
const (
	rentSaga    = "rent"
	returnSaga  = "return"
	overdueSaga = "overdue"
	loanSaga    = "loan"
	// lentStep of a loan is answered when the item comes back.
	lentStep = "lent"
)

// Transaction is what a saga knows of its business transaction.
type Transaction struct {
	IDName message.IDName `json:"idName"`
	Item   message.Item   `json:"item,omitzero"`
	Point  int64          `json:"point"`
	// RentalID is the loan that it is about; "" of a late fee.
	RentalID string `json:"rentalId,omitempty"`
}

type manager = saga.Manager[storage.Tx, Transaction]

// Sagas watch over rents, returns and late fees, and wait for items to be due. The
// first three lead nothing: book and member react to the rental service's events.
type Sagas struct {
	env                            service.Env
	rents, returns, overdue, loans *manager
}

// NewSagas makes the managers.
func NewSagas(env service.Env) (*Sagas, error) {
	s := &Sagas{env: env}
	var problems [4]error
	s.rents, problems[0] = s.watch(RentSaga(env))
	s.returns, problems[1] = s.watch(ReturnSaga(env))
	s.overdue, problems[2] = s.watch(OverdueSaga(env))
	s.loans, problems[3] = s.manager(LoanSaga(), s.due)
	return s, errors.Join(problems[:]...)
}

func (s *Sagas) watch(c saga.Choreography[Transaction]) (*manager, error) {
	return s.manager(c.Definition(), s.changed(c))
}

func (s *Sagas) manager(d saga.Definition[Transaction], changed changed) (*manager, error) {
	return saga.New(s.env.DB, saga.Config[storage.Tx, Transaction]{
		Definitions: []saga.Definition[Transaction]{d}, Changed: changed,
		Retention: -1, // rents and topics are kept for ever, so a result may always come, or come again
		Clock:     s.env.Now, Logger: s.env.Log, Metrics: s.env.Metrics,
	})
}

// All are the sagas, for the service.
func (s *Sagas) All() []service.Saga { return []service.Saga{s.rents, s.returns, s.overdue, s.loans} }

// RentSaga: the book is given to the member, who gets points. Where one of the two
// refuses, the other undoes its part.
func RentSaga(env service.Env) saga.Choreography[Transaction] {
	return choreography(env, rentSaga, message.Rent,
		participant(env, message.Book, message.RentCancel, cancelOf(env, message.RentCancel)),
		participant(env, message.Member, message.PointUse, pointUseOf(env, message.Rent)),
	)
}

// ReturnSaga: the book is taken from the member, who gets points.
func ReturnSaga(env service.Env) saga.Choreography[Transaction] {
	return choreography(env, returnSaga, message.Return,
		participant(env, message.Book, message.ReturnCancel, cancelOf(env, message.ReturnCancel)),
		participant(env, message.Member, message.PointUse, pointUseOf(env, message.Return)),
	)
}

// OverdueSaga: the member's points pay the late fee.
func OverdueSaga(env service.Env) saga.Choreography[Transaction] {
	return choreography(env, overdueSaga, message.Overdue,
		participant(env, message.Member, message.PointUse, pointUseOf(env, message.Overdue)),
	)
}

// LoanSaga waits until an item is due, or comes back before.
func LoanSaga() saga.Definition[Transaction] {
	return saga.Definition[Transaction]{Name: loanSaga, Steps: []saga.Step[Transaction]{{
		Name: lentStep, Timeout: domain.LoanPeriod, ContinueOnError: true,
		// It waits for nobody, and there is nothing to undo.
		Abortable: true, Compensation: func(saga.Context, *Transaction) []outbox.Message { return nil },
	}}}
}

func choreography(env service.Env, name string, of message.EventType, participants ...saga.Participant[Transaction]) saga.Choreography[Transaction] {
	return saga.Choreography[Transaction]{
		Name: name, Participants: participants,
		Replies:  []saga.Reply[Transaction]{{Topic: env.Topic(message.RentalResult), Read: read(env, of)}},
		Deadline: env.Duration(AnswerTimeout), OnDeadline: saga.ReviewAtDeadline,
	}
}

// participant is one whose compensation is a message to a topic. It answers it, with
// a result whose Compensation is set.
func participant(env service.Env, p message.Participant, topic string, compensation func(Transaction) event.Event) saga.Participant[Transaction] {
	return saga.Participant[Transaction]{
		Name: string(p),
		Compensation: func(_ saga.Context, t *Transaction) []outbox.Message {
			return []outbox.Message{env.To(topic, compensation(*t))}
		},
		CompensationTimeout: env.Duration(CancelTimeout),
	}
}

func cancelOf(env service.Env, typ string) func(Transaction) event.Event {
	return func(t Transaction) event.Event { return cancel(env, typ, t, message.Book) }
}

func cancel(env service.Env, typ string, t Transaction, p message.Participant) event.Event {
	return env.Event(typ, t.IDName.ID, message.CancelCommand{IDName: t.IDName, Item: t.Item, Point: t.Point, Participant: p})
}

func pointUseOf(env service.Env, of message.EventType) func(Transaction) event.Event {
	return func(t Transaction) event.Event {
		return env.Event(message.PointUse, t.IDName.ID, message.PointUseCommand{IDName: t.IDName, Point: t.Point, EventType: of})
	}
}

// read takes the results of one kind of transaction.
func read(env service.Env, of message.EventType) func(event.Event) (saga.Answer[Transaction], error) {
	return func(e event.Event) (saga.Answer[Transaction], error) {
		r, err := decode(env, e)
		if err != nil || r.EventType != of {
			return saga.Answer[Transaction]{}, err
		}
		a := saga.Answer[Transaction]{ID: transactionOf(e), Step: string(r.Participant), Reason: r.Reason}
		switch {
		case r.Compensation && r.Success:
			a.Result = saga.Undone
		case r.Compensation:
			a.Result = saga.UndoFailed
		case r.Success:
			a.Result = saga.Succeeded
		default:
			a.Result = saga.Refused
		}
		return a, nil
	}
}

// transactionOf is the business transaction that a message belongs to.
func transactionOf(e event.Event) string { return cmp.Or(e.CorrelationID, e.ID) }
