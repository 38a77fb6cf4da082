package api

import (
	"context"
	"encoding/json"
	"time"
)

// Lens finds a business transaction in the log and in the services' stores.
type Lens interface {
	// Search returns the newest transactions that match: a correlation id, a
	// key or an event id, whole or its beginning; empty finds the latest.
	Search(ctx context.Context, q TraceQuery) (Page[TraceSummary], error)
	// Trace draws the transaction of that correlation id, key (the newest one of
	// it) or event id. ErrNotFound where neither log nor stores know it.
	Trace(ctx context.Context, id string) (Trace, error)
	// State is how far the index has come.
	State(ctx context.Context) (LensState, error)
	// Violations are the cross-layer invariants that do not hold now.
	Violations(ctx context.Context) ([]Violation, error)
}

// TraceQuery searches transactions.
type TraceQuery struct{ PageQuery }

// TraceSummary is a line of the list.
type TraceSummary struct {
	CorrelationID string `json:"correlationId"`
	// Key of its first event.
	Key    string    `json:"key,omitempty"`
	First  string    `json:"first"` // type of its first event
	Last   string    `json:"last"`  // type of its latest
	Begin  time.Time `json:"begin"`
	End    time.Time `json:"end"`
	Events int       `json:"events"`
}

// Trace is a business transaction: its hops, in causal order.
type Trace struct {
	Query         string    `json:"query"`
	CorrelationID string    `json:"correlationId"`
	Keys          []string  `json:"keys"`
	Begin         time.Time `json:"begin"`
	End           time.Time `json:"end"`
	// Complete says that no hop is under way, failed or missing, and every saga ended.
	Complete bool  `json:"complete"`
	Hops     []Hop `json:"hops"`
	// Sagas that lead or watch the transaction.
	Sagas []Saga `json:"sagas,omitempty"`
	// Stuck is the first hop that does not go on; nil where none does.
	Stuck *Stuck `json:"stuck,omitempty"`
	// Gaps are parts of the log the index skipped; hops may be missing there.
	Gaps []Gap `json:"gaps,omitempty"`
	// Notes tell what could not be asked, for example a service that is away.
	Notes []string `json:"notes,omitempty"`
}

// HopKind is what happens in a hop.
type HopKind string

// Kinds of hops. An event goes request/consume -> outbox -> record -> consume.
const (
	// HopRequest is what came from outside and made the first event.
	HopRequest HopKind = "request"
	// HopOutbox is an outbox row until it is published.
	HopOutbox HopKind = "outbox"
	// HopRecord is the event in the log.
	HopRecord HopKind = "record"
	// HopConsume is one consumer's handling of it.
	HopConsume HopKind = "consume"
	// HopAnswer is an answer that a consumer owes and has not sent.
	HopAnswer HopKind = "answer"
)

// HopState is how far a hop is.
type HopState string

// States of hops.
const (
	Done HopState = "done"
	// InFlight: not yet, and not for long.
	InFlight HopState = "in-flight"
	// Stalled: not yet, for longer than it should take.
	Stalled HopState = "stalled"
	// Failing: tried, failed, to be tried again.
	Failing HopState = "failing"
	// Dead: given up: a FAILED row or a dead letter.
	Dead HopState = "dead"
	// Missing: it should be there and is not.
	Missing HopState = "missing"
	// Unknown: nobody can tell, for example because the service is away.
	Unknown HopState = "unknown"
)

// Hop is one step of a transaction.
type Hop struct {
	// ID within the trace; Parents are the hops that led here.
	ID      string   `json:"id"`
	Parents []string `json:"parents,omitempty"`
	Kind    HopKind  `json:"kind"`
	State   HopState `json:"state"`
	// Service or consumer that does it, "" where it is not known.
	Service  string `json:"service,omitempty"`
	Consumer string `json:"consumer,omitempty"`
	Event    *Event `json:"event,omitempty"`
	// Where it is: Partition and Offset in the log, Row in the outbox.
	Topic     string `json:"topic,omitempty"`
	Partition *int32 `json:"partition,omitempty"`
	Offset    *int64 `json:"offset,omitempty"`
	Row       int64  `json:"row,omitempty"`
	// At is when it was done, zero where it is not; LatencyMicros is the time
	// since its parent was, -1 where it is not known.
	At            time.Time `json:"at,omitzero"`
	LatencyMicros int64     `json:"latencyMicros"`
	Attempts      int       `json:"attempts,omitempty"`
	// Detail in plain words, such as the handler's last error.
	Detail string `json:"detail,omitempty"`
}

// Cause is why a hop does not go on.
type Cause string

// Causes, in the order they are looked for.
const (
	CauseServiceAway  Cause = "service-away"
	CauseRelayStopped Cause = "relay-stopped"
	CauseRowFailed    Cause = "row-failed"
	CauseRowRefused   Cause = "row-refused"
	CauseKafkaAway    Cause = "kafka-away"
	CauseLag          Cause = "consumer-lag"
	CauseHandlerError Cause = "handler-error"
	CauseBehind       Cause = "behind-another"
	CauseParked       Cause = "parked"
	CauseDeadLetter   Cause = "dead-letter"
	CauseNoAnswer     Cause = "no-answer"
	CauseSagaReview   Cause = "saga-needs-review"
	CauseSagaWaits    Cause = "saga-waits"
	CauseUnknown      Cause = "unknown"
)

// Stuck names the first stalled hop, why, and one safe action.
type Stuck struct {
	// Hop is "" where it is a saga that waits, and its message is not among the hops.
	Hop string `json:"hop"`
	// Saga that does not go on with it, nil for none.
	Saga  *Saga     `json:"saga,omitempty"`
	Since time.Time `json:"since,omitzero"`
	Cause Cause     `json:"cause"`
	// Explanation in plain words, one or two sentences.
	Explanation string  `json:"explanation"`
	Action      *Action `json:"action,omitempty"`
}

// Action is something one click or command does: a request of this API.
type Action struct {
	// Label such as "Resume the relay of payment".
	Label  string          `json:"label"`
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Body   json.RawMessage `json:"body,omitempty"`
	Role   Role            `json:"role"`
	// Safe says why nothing is lost or done twice by it.
	Safe string `json:"safe"`
	// Command is the same on the command line.
	Command string `json:"command,omitempty"`
}

// Gap is a part of a partition that the index skipped.
type Gap struct {
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	From      int64     `json:"from"`
	To        int64     `json:"to"`
	At        time.Time `json:"at"`
}

// LensState is how far the index has come.
type LensState struct {
	Events int64 `json:"events"`
	Bytes  int64 `json:"bytes"`
	// Oldest event it holds; Behind counts records not read yet.
	Oldest    time.Time `json:"oldest,omitzero"`
	Behind    int64     `json:"behind"`
	PerSecond float64   `json:"perSecond"`
	Gaps      []Gap     `json:"gaps,omitempty"`
	Problem   string    `json:"problem,omitempty"`
}

// Violation is a cross-layer invariant that does not hold.
type Violation struct {
	// Rule such as "row-unpublished-too-long" or "offset-ahead-of-inbox".
	Rule    string `json:"rule"`
	Service string `json:"service,omitempty"`
	// What in plain words, with figures.
	What   string    `json:"what"`
	Since  time.Time `json:"since,omitzero"`
	Action *Action   `json:"action,omitempty"`
}
