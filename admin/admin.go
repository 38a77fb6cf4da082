// Package admin is how people and the console look into a service and act on its
// stores. The service mounts one Handler and announces its address; credentials of
// its database never leave it.
//
// API is what can be asked and done. Local answers from the stores in this
// process, Client over HTTP from another one.
package admin

import (
	"context"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// API is a service seen from its operator. Errors wrap one of those below.
type API interface {
	// Status is how the service is.
	Status(ctx context.Context) (Status, error)

	// Rows returns outbox rows that match, ascending by id.
	Rows(ctx context.Context, q outbox.RowQuery) (RowPage, error)
	// Replay sets FAILED rows back to STARTED: those ids, or all where none are
	// given. It returns how many.
	Replay(ctx context.Context, ids ...int64) (int64, error)
	// PauseRelay keeps this instance's relay from publishing until ResumeRelay or
	// its restart; reason is shown to people.
	PauseRelay(ctx context.Context, reason string) error
	ResumeRelay(ctx context.Context) error

	// Positions are where a consumer stands, by partition.
	Positions(ctx context.Context, consumer string) ([]inbox.Position, error)
	// Marks returns what the inbox says of those message ids; one that is not
	// there has no mark.
	Marks(ctx context.Context, consumer string, ids ...string) ([]inbox.StoredMark, error)
	// Waiting returns a consumer's waiting messages, without values, by
	// topic, partition and offset.
	Waiting(ctx context.Context, q inbox.WaitingQuery) (WaitingPage, error)
	// StartReplay has a consumer handle a partition again from that offset: a
	// deliberate replay, see inbox.Admin. It can only go back.
	StartReplay(ctx context.Context, r ReplayRequest) (inbox.Replay, error)
	// Release lets a parked key go on, and returns how many rows it touched.
	Release(ctx context.Context, consumer, topic, key string) (int64, error)

	Journal
	Projections
	Sagas
}

// Errors of API; the HTTP status in brackets.
var (
	// ErrNotFound: there is no such consumer, or the service has no outbox (404).
	ErrNotFound = errors.New("not found")
	// ErrInvalid: the request is wrong (400).
	ErrInvalid = errors.New("invalid request")
	// ErrConflict: not now, for example an offset that a replay cannot go to (409).
	ErrConflict = errors.New("conflict")
	// ErrUnavailable: the service or its database does not answer (503).
	ErrUnavailable = errors.New("unavailable")
	// ErrDenied: the token is missing or wrong (401).
	ErrDenied = errors.New("denied")
)

// Status is how a service is.
type Status struct {
	// Name of the service, Instance of the process.
	Name     string `json:"name"`
	Instance string `json:"instance"`
	Version  string `json:"version,omitempty"`
	// Cluster is the Kafka cluster's id, Prefix the tenant's.
	Cluster string    `json:"cluster"`
	Prefix  string    `json:"prefix,omitempty"`
	Started time.Time `json:"started"`
	// Outbox is nil where the service has none.
	Outbox    *OutboxStatus    `json:"outbox,omitempty"`
	Consumers []ConsumerStatus `json:"consumers"`
	// Journal says whether it has one.
	Journal bool `json:"journal,omitempty"`
	// HasProjections says whether it has any; Projections are those that run in this
	// instance, by name.
	HasProjections bool               `json:"hasProjections,omitempty"`
	Projections    []ProjectionStatus `json:"projections,omitempty"`
	// HasSagas says whether it has any; Sagas are the names of those that this instance
	// can act on.
	HasSagas bool     `json:"hasSagas,omitempty"`
	Sagas    []string `json:"sagas,omitempty"`
	// Streams are the stream processing applications of this instance, by name; see the
	// interface Streams.
	Streams []StreamsStatus `json:"streams,omitempty"`
}

// OutboxStatus is an outbox and the relay of this instance.
type OutboxStatus struct {
	Name string `json:"name"`
	// Way out of the rows: WayRelay or WayCDC.
	Way string `json:"outbox"`
	// ID is the outbox's UUID.
	ID string `json:"id"`
	// Source is the CloudEvents source of its events.
	Source  string         `json:"source"`
	Backlog outbox.Backlog `json:"backlog"`
	// Relay is this instance's relay; another instance's may be the active one. With change
	// data capture it is what removes rows that a connector has published.
	Relay RelayStatus `json:"relay"`
	// DeadLetterTopic without the prefix.
	DeadLetterTopic string `json:"deadLetterTopic"`
	// Topics it is known to write, without the prefix.
	Topics []string `json:"topics,omitempty"`
}

// The ways out of an outbox.
const (
	WayRelay = "relay"
	WayCDC   = "cdc"
)

// RelayStatus is what a relay is doing.
type RelayStatus struct {
	State outbox.State `json:"state"`
	// Reason is why rows wait; "" where none do.
	Reason    string `json:"reason,omitempty"`
	Paused    bool   `json:"paused"`
	Published int64  `json:"published"`
	Refused   int64  `json:"refused"`
	Failed    int64  `json:"failed"`
}

// ConsumerStatus is a consumer of this instance.
type ConsumerStatus struct {
	// Name is its group without the prefix.
	Name string `json:"name"`
	// Topics it reads, without the prefix.
	Topics          []string `json:"topics"`
	DeadLetterTopic string   `json:"deadLetterTopic"`
	// Answers says which topics get an answer to a message of a topic: always one
	// of the listed. What has none is not known to answer.
	Answers map[string][]string `json:"answers,omitempty"`
	// Problem is Health's error, "" where all is well.
	Problem string      `json:"problem,omitempty"`
	Stats   inbox.Stats `json:"stats"`
}

// RowPage is a part of an outbox; After is where to go on, 0 at the end.
type RowPage struct {
	Rows  []outbox.StoredRow `json:"rows"`
	After int64              `json:"after,omitempty"`
}

// WaitingPage is a part of what waits; Next is where to go on, nil at the end.
type WaitingPage struct {
	Waiting []inbox.StoredWaiting `json:"waiting"`
	Next    *inbox.WaitingQuery   `json:"next,omitempty"`
}

// ReplayRequest asks for a deliberate replay.
type ReplayRequest struct {
	Consumer string `json:"consumer"`
	// Topic without the prefix.
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
}

// Topic (without prefix) is where services announce themselves: one compacted
// topic for a cluster. A service not heard of for Expiry is gone.
const (
	Topic    = "pabal.services"
	Interval = 10 * time.Second
	Expiry   = 30 * time.Second
)

// Announcement is a record's value in Topic; its key is Name/Instance. One with an
// empty URL says goodbye.
type Announcement struct {
	Name     string `json:"name"`
	Instance string `json:"instance"`
	// URL of the Handler, for example http://127.0.0.1:8101/admin.
	URL     string    `json:"url"`
	Version string    `json:"version,omitempty"`
	At      time.Time `json:"at"`
}
