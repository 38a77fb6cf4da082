// Package saga leads business transactions across services to one of two ends:
// every step done, or every step that was done undone.
//
// A Definition says what the steps are: each sends commands and is told by answers
// how it went; what was done is undone by compensations, the last one first. A
// Choreography sends no commands: it declares whose events are expected, observes
// them, and has the declared compensations sent where one fails or is missing.
//
// Decide is the whole of both: a pure function of an instance and one input, so
// that saga/sagatest can run a definition through every interleaving. A Manager
// applies it: inbox, instance, timers and outgoing messages commit in one
// transaction of the user's database.
//
// Use it where a transaction spans services and must end. Within one database an
// ordinary transaction is simpler; for one thing's history there is package entity.
package saga

import (
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

// Definition is one version of a saga over the user's state S, which is stored as
// JSON. Name and Steps are required.
type Definition[S any] struct {
	// Name of the saga, the same in all versions: letters, digits, '.', '_', '-'.
	Name string
	// Version is 1 where zero. New sagas take the highest that a Manager has, running
	// ones finish on theirs.
	Version int
	// Steps run one after the other.
	Steps []Step[S]
	// Replies say how messages answer steps.
	Replies []Reply[S]
	// Deadline for the whole, from the start until all steps are done; none where zero.
	// After the pivot it parks the saga as NEEDS_REVIEW.
	Deadline time.Duration
	// OnDeadline says what becomes of a saga at its deadline, before the pivot.
	OnDeadline DeadlinePolicy
	// Cancellable refuses a cancel by an error, which Manager.Cancel returns; nil
	// allows it until the pivot has begun. What it refuses must not depend on I/O.
	Cancellable func(c Context, s S) error
	// OnCompensate runs once, when the saga turns to undo; its messages are sent before
	// those of the first compensation. Nil does nothing.
	OnCompensate func(c Context, s *S) []outbox.Message
	// OnEnd runs once, when the saga ends, whichever way.
	OnEnd func(c Context, s *S, end Status) []outbox.Message

	// choreographed sagas begin with the first event observed, see Choreography.
	choreographed bool
}

// DeadlinePolicy says what a passed deadline does.
type DeadlinePolicy int

const (
	// CompensateAtDeadline undoes what was done.
	CompensateAtDeadline DeadlinePolicy = iota
	// ReviewAtDeadline parks the saga as NEEDS_REVIEW; answers go on being taken, and
	// where they complete it, it goes on by itself.
	ReviewAtDeadline
)

// Step is one part of a saga: an action and what undoes it, or branches that run
// side by side. Functions are pure: they build messages and change the state, both
// of which count only if the transaction commits.
type Step[S any] struct {
	// Name is unique within the definition: letters, digits, '.', '_', '-'.
	Name string
	// Action returns the commands; for each attempt it is called again. A step without
	// one only waits for its answer, which counts also where it comes before the step's
	// turn: nobody asked for it, so nobody says it again. The messages need no ids of the
	// saga's: Decide sets correlation and causation, and the header HeaderKey. A message
	// without a topic goes to the one named as its type.
	Action func(c Context, s *S) []outbox.Message
	// Notify steps are done when their messages are sent: there is no answer. One that
	// sends nothing is a step within the state.
	Notify bool
	// Compensation undoes the step; nil where there is nothing to undo. Where it returns
	// no message there was nothing to undo either.
	Compensation func(c Context, s *S) []outbox.Message
	// CompensationNotify: a compensation is done when it is sent.
	CompensationNotify bool
	// Skip leaves the step out where it returns true; asked when its turn comes.
	Skip func(s S) bool

	// Timeout of one attempt; without one only the deadline ends the wait.
	Timeout time.Duration
	// Retry is for attempts that timed out or failed. The zero Retry tries once.
	Retry Retry
	// CompensationTimeout of one attempt; Timeout where zero.
	CompensationTimeout time.Duration
	// CompensationRetry; after the last attempt the saga is parked as NEEDS_REVIEW. The
	// zero value tries 5 times.
	CompensationRetry Retry

	// Pivot: once it has succeeded the saga only goes forward, and nothing is
	// compensated any more. What fails then is parked as NEEDS_REVIEW. While it is under
	// way, or its outcome is unknown, nothing is undone. A definition has one at most,
	// and it is never compensated itself.
	Pivot bool
	// ContinueOnError: refusal, failure or timeout do not stop the saga.
	ContinueOnError bool
	// Abortable steps are compensated while their answer is still awaited, because
	// the participant settles it: whatever the order in which action and compensation
	// reach it, it ends undone, and answers the compensation. Others are waited for.
	Abortable bool
	// OnlySuccess compensates a step whose answer never came only if its success
	// arrives late, even after the saga has ended. Otherwise such a step is
	// compensated with the rest, because it may have been done.
	OnlySuccess bool

	// Parallel are branches, each a sequence of steps (without branches of their own),
	// that run side by side; the saga goes on when all are done. Nothing else but Name
	// is set then.
	Parallel [][]Step[S]

	// optional: a choreography's, see Participant.
	optional bool
}

// Retry bounds attempts. Pauses double from Min to Max.
type Retry struct {
	// Attempts in all, 1 where zero.
	Attempts int
	// Min is 1 s where zero, Max 1 min.
	Min, Max time.Duration
}

// Context is what a function of a definition knows of where it is called.
type Context struct {
	// Saga is the definition's name, ID the instance's.
	Saga, ID string
	// CorrelationID of the business transaction.
	CorrelationID string
	// Step and Attempt (from 1), "" and 0 outside of a step.
	Step    string
	Attempt int
	// Now is when it was decided: UTC, microseconds.
	Now time.Time
	// Reason why the saga turned to undo, "" before.
	Reason string
}

// HeaderKey is the header of every message: saga/instance/step/attempt, where the
// step of a compensation has "~" before its name; "!compensate" stands for OnCompensate,
// "!end" for OnEnd. It is the same each time this attempt is sent, and for all messages
// of the attempt: who is sent several tells them apart by their types.
const HeaderKey = "pabal-idempotency-key"

// Result is how a step went, by an answer.
type Result string

// Results.
const (
	// Succeeded: the action was done.
	Succeeded Result = "SUCCEEDED"
	// Refused: it was not done and will not be, for a reason of business.
	Refused Result = "REFUSED"
	// Failed: it was not done now; trying again may help.
	Failed Result = "FAILED"
	// Undone: the compensation was done, or there was nothing to undo, and the action
	// will not be done any more.
	Undone Result = "UNDONE"
	// UndoFailed: the compensation was not done; trying again may help.
	UndoFailed Result = "UNDO_FAILED"
	// Ignored: the message answers nothing.
	Ignored Result = ""
)

// Answer is what a message says to a saga.
type Answer[S any] struct {
	// ID of the instance; the message's correlation id where empty.
	ID string
	// Step it answers.
	Step   string
	Result Result
	// Reason for people, of anything but a success; cut to 1,000 bytes.
	Reason string
	// Attempt it answers where the message says so; 0 is any.
	Attempt int
	// Apply changes the state, if the answer is not late, repeated or impossible.
	Apply func(s *S)
	// Begins: the message is a choreography's first; Apply then fills the fresh state.
	// Step is "".
	Begins bool
}

// Reply reads the messages of a topic as answers.
type Reply[S any] struct {
	// Topic without the prefix.
	Topic string
	// Read is pure. An error makes the message fail in the inbox: inbox.Permanent
	// where no retry helps.
	Read func(e event.Event) (Answer[S], error)
}

// Choreography declares a saga that nobody leads: services react to each other's
// events, and this one watches. It sends no commands but the declared compensations.
type Choreography[S any] struct {
	Name    string
	Version int
	// Participants whose events are expected, in whatever order.
	Participants []Participant[S]
	// Replies read the events; the first one of a business transaction, whichever it
	// is, begins the instance unless Manager.Start did.
	Replies []Reply[S]
	// Deadline until all participants have succeeded; required.
	Deadline   time.Duration
	OnDeadline DeadlinePolicy
	// OnCompensate and OnEnd as in Definition.
	OnCompensate func(c Context, s *S) []outbox.Message
	OnEnd        func(c Context, s *S, end Status) []outbox.Message
}

// Participant is one whose events a choreography expects.
type Participant[S any] struct {
	// Name is the Step of its answers.
	Name string
	// Compensation is sent once another one failed and this one succeeded, also late.
	Compensation func(c Context, s *S) []outbox.Message
	// CompensationNotify: nothing answers the compensation.
	CompensationNotify bool
	// CompensationTimeout of one attempt, CompensationRetry as in Step.
	CompensationTimeout time.Duration
	CompensationRetry   Retry
	// Optional ones are not waited for and do not fail the saga; where they succeeded,
	// they are compensated like the others.
	Optional bool
}
