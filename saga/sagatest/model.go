package sagatest

import (
	"errors"

	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
)

// ErrModel is wrapped by every error about a model itself.
var ErrModel = errors.New("saga model")

// Model is one saga and the world around it. W is what the participants keep; like the
// saga's state S it is copied and compared as JSON, so what matters must be exported.
//
// All functions must be deterministic: what they return follows from what they are
// given. Fresh event ids and times (of event.New) are the exception, they are replaced
// by the model's own.
type Model[W, S any] struct {
	// Definition to run; of a choreography its Definition(). Required.
	Definition saga.Definition[S]
	// ID of the instance, "1" where empty, and CorrelationID, ID where empty.
	ID, CorrelationID string

	// World is what there is at first; nil is the zero W.
	World func(choose Choose) W
	// Start is the state the saga starts with. Nil for a choreography that begins with
	// the first event it observes.
	Start func(w W) S
	// First are messages under way from the start, such as a choreography's first event.
	First func(w W) []outbox.Message
	// Participants handle the saga's commands or each other's events.
	Participants []Participant[W]
	// Requests come from outside, each once at any moment or not at all.
	Requests []Request[W]
	// Ignored are topics that nobody here handles. A message to any other topic without
	// a receiver fails the model.
	Ignored []string

	// Invariant is checked after every step, Final where nothing is left to happen: no
	// message is under way and no timer runs. Both may be nil, and must not change w.
	// i is zero before a choreography has begun.
	Invariant func(w W, i saga.Instance[S]) error
	Final     func(w W, i saga.Instance[S]) error

	// Duplicates is how many messages of a schedule may be handled a second time, at any
	// later moment.
	Duplicates int
	// Timeouts is how many timers may fire, in any order, while messages are still under
	// way; where none is, they fire anyway.
	Timeouts int
	// Crashes is how often a receiver may crash after it has handled a message, so that
	// the message comes again at once. (Before that, a crash changes nothing: one
	// transaction holds all that handling does.)
	Crashes int
	// Cancels is how often the saga may be cancelled, at any moment that allows it.
	Cancels int
	// Acts is how often an operator may do one of Operator, wherever it is not refused.
	Acts     int
	Operator []saga.ActAction
	// Unordered breaks the order of messages of one topic and key. Those of different
	// topics or keys overtake each other in any case.
	Unordered bool

	// Depth is the longest schedule, in steps; 0 is to the end.
	Depth int
	// MaxStates bounds memory (about 200 bytes each): 2,000,000 where zero. An exploration
	// that needs more fails.
	MaxStates int
	// Source is the Go expression that makes this model, for the printed test. Where
	// empty it is read from the call of Check.
	Source string
}

// Participant is a service that handles messages.
type Participant[W any] struct {
	// Name is unique within the model, and not "saga".
	Name string
	// Topics it handles, without prefix.
	Topics []string
	// Handle changes the world and returns what is sent, in one transaction. Messages
	// that belong to no business transaction yet join that of m.
	Handle func(w *W, m outbox.Message, choose Choose) []outbox.Message
	// Inbox: it never handles a message twice, as behind a Pabal inbox, for as long as
	// that remembers. Leave it out to see what duplicates days later do.
	Inbox bool
	// NoOutbox: its answers are sent after its transaction, so that a crash in between
	// loses them.
	NoOutbox bool
}

// Request comes from outside the saga.
type Request[W any] struct {
	// Name is unique within the model.
	Name string
	// Do changes the world and returns what is sent, in one transaction. Nil, nil where
	// it is refused.
	Do func(w *W, choose Choose) []outbox.Message
}

// Choose returns one of the options; the exploration goes on with each of them.
type Choose func(options ...string) string

// SagaName is the receiver of the messages that the definition's replies read.
const SagaName = "saga"

const (
	defaultID        = "1"
	defaultMaxStates = 2_000_000
)

func (m Model[W, S]) withDefaults() Model[W, S] {
	if m.ID == "" {
		m.ID = defaultID
	}
	if m.CorrelationID == "" {
		m.CorrelationID = m.ID
	}
	if m.MaxStates == 0 {
		m.MaxStates = defaultMaxStates
	}
	if m.World == nil {
		m.World = func(Choose) (w W) { return w }
	}
	return m
}
