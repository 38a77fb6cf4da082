package saga

import (
	"encoding/json"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

// Status of a saga.
type Status string

// Statuses. The last three are ends; only the late success of a step that was
// not compensated leads out of one, from COMPENSATED back to COMPENSATING: an
// OnlySuccess step, or one whose last attempt was said to have failed.
const (
	Running      Status = "RUNNING"
	Compensating Status = "COMPENSATING"
	// NeedsReview waits for a person (see Act), or for the answer it lacks.
	NeedsReview Status = "NEEDS_REVIEW"

	Completed   Status = "COMPLETED"
	Compensated Status = "COMPENSATED"
	// Resolved was ended by a person.
	Resolved Status = "RESOLVED"
)

// Ended says whether it is an end.
func (s Status) Ended() bool { return s == Completed || s == Compensated || s == Resolved }

// Instance is one saga as it stands.
type Instance[S any] struct {
	// Name and Version of its definition; ID is unique within the name.
	Name    string
	ID      string
	Version int
	// Revision counts the transactions that changed it, 1 after the first.
	Revision      int64
	Status        Status
	State         S
	CorrelationID string
	// Reason why it was undone, parked or resolved, for people.
	Reason string
	// Turned is why it turned to undo, which it does once; "" before.
	Turned string
	// Overdue: the deadline passed before all steps were done. Unless it is undone, it
	// stays NEEDS_REVIEW from then to its end, though answers move it on.
	Overdue bool
	// Begun: the state of a choreography was filled, by Manager.Start or an answer
	// that Begins.
	Begun bool
	// Told: OnEnd has run.
	Told bool
	// Steps that have begun, in the order in which they did.
	Steps []StepState
	// Timers to fire, each at most once. One that is not here any more is stale.
	Timers []Timer
	// UTC, microseconds. Ended is zero before the end.
	Started, Changed, Ended time.Time
}

// Step returns a step that has begun.
func (i Instance[S]) Step(name string) (StepState, bool) {
	for _, s := range i.Steps {
		if s.Name == name {
			return s, true
		}
	}
	return StepState{}, false
}

// NextDue is when the earliest timer is due, zero without one.
func (i Instance[S]) NextDue() time.Time {
	var due time.Time
	for _, t := range i.Timers {
		if due.IsZero() || t.Due.Before(due) {
			due = t.Due
		}
	}
	return due
}

// StepState is a step that has begun.
type StepState struct {
	Name  string    `json:"name"`
	Phase StepPhase `json:"phase"`
	// Attempt of the action, from 1; Undo of the compensation. A person's retry counts on.
	Attempt int `json:"attempt"`
	Undo    int `json:"undo,omitempty"`
	// Left are the attempts left of what is under way.
	Left int `json:"left,omitempty"`
	// Unanswered are the action's attempts that timed out.
	Unanswered int `json:"unanswered,omitempty"`
	// Parked: the saga needs review because of this step.
	Parked bool `json:"parked,omitempty"`
	// Command is the id of the last message sent, for people.
	Command string    `json:"command,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Since   time.Time `json:"since"`
}

// StepPhase is where a step stands.
type StepPhase string

// Phases.
const (
	StepRunning   StepPhase = "RUNNING"
	StepSucceeded StepPhase = "SUCCEEDED"
	StepRefused   StepPhase = "REFUSED"
	// StepFailed: the last attempt failed, and each was answered: it was not done.
	StepFailed StepPhase = "FAILED"
	// StepUnknown: an attempt was not answered in time, so it may have been done.
	StepUnknown     StepPhase = "UNKNOWN"
	StepSkipped     StepPhase = "SKIPPED"
	StepUndoing     StepPhase = "UNDOING"
	StepUndone      StepPhase = "UNDONE"
	StepUndoFailed  StepPhase = "UNDO_FAILED"  // parked: the saga needs review
	StepUndoSkipped StepPhase = "UNDO_SKIPPED" // by a person
)

// Timer is a point in time at which the saga decides again.
type Timer struct {
	Kind TimerKind `json:"kind"`
	// Step and its attempt (of a retry: the one that begins); empty for the deadline.
	Step    string    `json:"step,omitempty"`
	Attempt int       `json:"attempt,omitempty"`
	Due     time.Time `json:"due"`
}

// TimerKind says what a timer is for.
type TimerKind string

// Kinds.
const (
	DeadlineTimer TimerKind = "deadline"
	// TimeoutTimer ends an attempt, UndoTimeoutTimer one of a compensation.
	TimeoutTimer     TimerKind = "timeout"
	UndoTimeoutTimer TimerKind = "undo-timeout"
	// RetryTimer begins the next attempt, UndoRetryTimer that of a compensation.
	RetryTimer     TimerKind = "retry"
	UndoRetryTimer TimerKind = "undo-retry"
)

// Input is what a saga decides about; exactly one field is set.
type Input[S any] struct {
	// Start is a fresh state.
	Start *S
	// Answer of a participant, by Event.
	Answer *Answer[S]
	// Timer that is due.
	Timer *Timer
	// Cancel turns the saga to undo, for that reason.
	Cancel *string
	// Act of a person.
	Act *Act
	// Event that caused it; zero where none did.
	Event event.Event
}

// Act is what a person has a saga do.
type Act struct {
	Saga string    `json:"saga"`
	ID   string    `json:"id"`
	Do   ActAction `json:"do"`
	// Step it is about; may be empty where only one step can be meant.
	Step string `json:"step,omitempty"`
	// Reason and Actor are kept in the timeline; Reason is required.
	Reason string `json:"reason"`
	Actor  string `json:"actor,omitempty"`
	// Revision, where not 0, is the one the person saw; another one refuses the act.
	Revision int64 `json:"revision,omitempty"`
}

// ActAction names an act.
type ActAction string

// Acts. Each is refused (ErrRefused) where it makes no sense.
const (
	// Retry sends again what a step waits for or failed at, with all its attempts.
	RetryAct ActAction = "retry"
	// Skip goes on as if the step had not been there: an action counts as not done,
	// a compensation is left out.
	SkipAct ActAction = "skip"
	// Force goes on as if the awaited answer had come and were good: the action counts
	// as done (and is compensated later, if need be), the compensation as done.
	ForceAct ActAction = "force"
	// Resolve ends the saga as RESOLVED. Nothing more is sent but what OnEnd returns.
	ResolveAct ActAction = "resolve"
)

// Decision is what follows from an input.
type Decision[S any] struct {
	// Instance after it.
	Instance Instance[S]
	// Messages to send, in that order; stamped with correlation id, causation and
	// HeaderKey.
	Messages []outbox.Message
	// Entries for the timeline.
	Entries []Entry
	// Stale: the input was late, repeated or impossible. Nothing changes, not even the
	// revision, and there is nothing to send.
	Stale bool
}

// Entry is one line of a saga's timeline.
type Entry struct {
	At   time.Time `json:"at"`
	Kind EntryKind `json:"kind"`
	Step string    `json:"step,omitempty"`
	// Attempt of the step or its compensation.
	Attempt int `json:"attempt,omitempty"`
	// Message sent or received: its id, type and topic (without prefix).
	MessageID string `json:"messageId,omitempty"`
	Type      string `json:"type,omitempty"`
	Topic     string `json:"topic,omitempty"`
	// Status after the entry, where it changed.
	Status Status `json:"status,omitempty"`
	// Note for people: a reason, a result.
	Note string `json:"note,omitempty"`
	// Actor of an act.
	Actor string `json:"actor,omitempty"`
}

// EntryKind names what happened.
type EntryKind string

// Kinds of entries.
const (
	EntryStarted    EntryKind = "started"
	EntryCommand    EntryKind = "command"    // an action's message was sent
	EntryUndo       EntryKind = "undo"       // a compensation's message was sent
	EntryAnswer     EntryKind = "answer"     // an answer was taken
	EntryTimer      EntryKind = "timer"      // a timer fired
	EntryStep       EntryKind = "step"       // a step was skipped or given up
	EntryCancel     EntryKind = "cancel"     // the saga was cancelled
	EntryAct        EntryKind = "act"        // a person acted
	EntryStatus     EntryKind = "status"     // the status changed
	EntryMessage    EntryKind = "message"    // a message of OnCompensate or OnEnd was sent
	EntryLateAnswer EntryKind = "lateAnswer" // a late success was taken
)

// Record is an Instance as a database keeps it.
type Record struct {
	Name          string
	ID            string
	Version       int
	Revision      int64
	Status        Status
	State         json.RawMessage
	CorrelationID string
	Reason        string
	// Current are the names of the steps under way or parked, for people.
	Current string
	// Progress is what else an Instance has, as JSON.
	Progress                json.RawMessage
	Started, Changed, Ended time.Time
	// Due is the earliest timer's, zero without one.
	Due time.Time
	// Entries to add to the timeline; not filled on reading.
	Entries []Entry
}
