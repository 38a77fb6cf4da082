package domain

import "fmt"

// Input is what can happen to an order: PaymentAnswered, ApprovalAnswered or
// CustomerCancelled.
type Input interface{ input() }

// PaymentAnswered is payment's answer to a request or to a cancel.
type PaymentAnswered struct {
	Outcome PaymentOutcome
	// Amount is what was taken or given back.
	Amount int64
	Reason string
}

// PaymentOutcome is the state of the payment when it answered. FAILED and
// CANCELLED are final there: nothing is taken for that order after.
type PaymentOutcome string

// Payment's answers.
const (
	PaymentCompleted PaymentOutcome = "COMPLETED"
	PaymentFailed    PaymentOutcome = "FAILED"
	PaymentCancelled PaymentOutcome = "CANCELLED"
)

// ApprovalAnswered is the restaurant's answer.
type ApprovalAnswered struct {
	Approved bool
	Reason   string
}

// CustomerCancelled is the customer's wish, possible while PENDING.
type CustomerCancelled struct{}

func (PaymentAnswered) input()   {}
func (ApprovalAnswered) input()  {}
func (CustomerCancelled) input() {}

// Effect is a message to send.
type Effect string

// What a decision can ask for.
const (
	RequestPayment  Effect = "request payment"
	CancelPayment   Effect = "cancel payment"
	RequestApproval Effect = "request approval"
)

// Decision is what follows from an input.
type Decision struct {
	Order Order
	Send  []Effect
	// Note is why the saga went on, where the order's own reason does not say it.
	Note string
	// Stale: the input was a late, repeated or impossible answer. The order is
	// as it was and there is nothing to send.
	Stale bool
}

// Begin is the decision about a fresh order.
func Begin(o Order) Decision { return Decision{Order: o, Send: []Effect{RequestPayment}} }

// Decide is the saga. Answers never fail: one that the state has no use for is
// stale, so that repeating a topic from any point changes nothing. The
// customer's cancel fails with ErrTransition unless the order is PENDING.
//
// No refund is lost by that. Once a cancel was sent, payment gives back what it
// took before or during it and takes nothing after, whatever else it had
// answered.
func Decide(o Order, in Input) (Decision, error) {
	switch in := in.(type) {
	case PaymentAnswered:
		return decidePayment(o, in)
	case ApprovalAnswered:
		return decideApproval(o, in)
	case CustomerCancelled:
		if o.Status != Pending { // CANCELLING may become CANCELLED, but not by the customer
			return Decision{Order: o}, fmt.Errorf("%w: the customer cancels order %s, which is %s", ErrTransition, o.ID, o.Status)
		}
		return move(o, Cancelled, AwaitingRefund, "cancelled by the customer", CancelPayment)
	}
	return Decision{}, fmt.Errorf("order %s: unknown input %T", o.ID, in)
}

func decidePayment(o Order, in PaymentAnswered) (Decision, error) {
	switch {
	case o.Status == Pending && in.Outcome == PaymentCompleted:
		return move(o, Paid, AwaitingApproval, "", RequestApproval)
	case o.Status == Pending && in.Outcome == PaymentFailed:
		return move(o, Cancelled, AwaitingNobody, orElse(in.Reason, "payment refused"))
	case o.Status == Pending && in.Outcome == PaymentCancelled:
		// Not asked for by this order, but nothing will be taken any more.
		return move(o, Cancelled, AwaitingNobody, orElse(in.Reason, "payment cancelled"))
	case o.Status == Cancelling && in.Outcome == PaymentCancelled:
		d, err := move(o, Cancelled, AwaitingNobody, "")
		d.Note = refunded(in.Amount)
		return d, err
	case o.Status == Cancelled && o.Awaiting == AwaitingRefund && in.Outcome == PaymentCancelled:
		o.Awaiting = AwaitingNobody
		return Decision{Order: o, Note: refunded(in.Amount)}, nil
	}
	return Decision{Order: o, Stale: true}, nil
}

func decideApproval(o Order, in ApprovalAnswered) (Decision, error) {
	switch {
	case o.Status == Paid && in.Approved:
		return move(o, Approved, AwaitingNobody, "")
	case o.Status == Paid:
		return move(o, Cancelling, AwaitingRefund, orElse(in.Reason, "rejected by the restaurant"), CancelPayment)
	}
	return Decision{Order: o, Stale: true}, nil
}

func move(o Order, next Status, awaiting Awaiting, reason string, send ...Effect) (Decision, error) {
	moved, err := o.to(next, awaiting, reason)
	if err != nil {
		return Decision{Order: o}, err
	}
	return Decision{Order: moved, Send: send}, nil
}

func refunded(amount int64) string {
	if amount == 0 {
		return "nothing had been taken"
	}
	return fmt.Sprintf("%d given back", amount)
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
