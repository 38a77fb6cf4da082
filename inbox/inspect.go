package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/event"
)

// Inspector is an optional part of a Store, for people who look into an inbox.
// Both backends have it. It takes no claim and changes nothing.
type Inspector interface {
	// Positions are where a consumer stands, by topic and partition, also in
	// partitions of clusters and topics of the past.
	Positions(ctx context.Context, consumer string) ([]Position, error)
	// Marks returns the marks among those message ids.
	Marks(ctx context.Context, consumer string, ids []string) ([]StoredMark, error)
	// WaitingRows returns what waits, without values, by topic, partition and
	// offset, at most q.Limit. An error wraps ErrQuery where the query is wrong,
	// and context.DeadlineExceeded where the search took longer than
	// outbox.InspectTimeout.
	WaitingRows(ctx context.Context, q WaitingQuery) ([]StoredWaiting, error)
}

// MaxInspectRows bounds what an Inspector is asked for at a time.
const MaxInspectRows = 1000

// ErrQuery is wrapped where a query cannot be answered as it is.
var ErrQuery = errors.New("wrong query")

// Position is where a consumer stands in a partition.
type Position struct {
	Partition
	// Next has the next offset of each lane; -1 where nothing was handled yet.
	Next  []int64 `json:"next"`
	Epoch int64   `json:"epoch"`
	// Replay is the deliberate replay under way or done last.
	Replay Replay `json:"replay"`
}

// Lowest is the offset below which all is handled, waits or is dead; -1 where
// nothing was handled yet.
func (p Position) Lowest() int64 {
	lowest := int64(-1)
	for i, next := range p.Next {
		if i == 0 || next < lowest {
			lowest = next
		}
	}
	return lowest
}

// NextOf is the next offset of the lane that has messages of that key; key is ""
// for one without. Where it is above offset, that message is handled, waits or is
// dead.
func (p Position) NextOf(key string, offset int64) int64 {
	if len(p.Next) == 0 {
		return -1
	}
	return p.Next[laneOf([]byte(key), offset, len(p.Next))]
}

// StoredMark is what the inbox remembers of a message.
type StoredMark struct {
	ID         string    `json:"id"`
	Outcome    Outcome   `json:"outcome"`
	Generation int64     `json:"generation"`
	MarkedAt   time.Time `json:"markedAt"`
}

// WaitingQuery selects waiting messages; empty fields but Consumer match all.
type WaitingQuery struct {
	Consumer string `json:"consumer"`
	Topic    string `json:"topic,omitempty"`
	Key      string `json:"key,omitempty"`
	// Partition is nil for all; Offset, where not nil, is that very message.
	Partition *int32 `json:"partition,omitempty"`
	Offset    *int64 `json:"offset,omitempty"`
	// After is where the last page ended.
	After *Place `json:"after,omitempty"`
	// Limit is 100 where zero, at most 1,000.
	Limit int `json:"limit,omitempty"`
}

// WithDefaults checks the query and fills in its limit.
func (q WaitingQuery) WithDefaults() (WaitingQuery, error) {
	if q.Limit == 0 {
		q.Limit = 100
	}
	switch {
	case q.Consumer == "":
		return q, fmt.Errorf("%w: the consumer is missing", ErrQuery)
	case q.Limit < 1 || q.Limit > MaxInspectRows:
		return q, fmt.Errorf("%w: limit %d, 1 to %d are allowed", ErrQuery, q.Limit, MaxInspectRows)
	}
	return q, nil
}

// CheckMarkIDs says whether they are not too many to be asked for at a time.
func CheckMarkIDs(ids []string) error {
	if len(ids) > MaxInspectRows {
		return fmt.Errorf("%w: %d message ids, at most %d are allowed", ErrQuery, len(ids), MaxInspectRows)
	}
	return nil
}

// Place is a message's place in the log.
type Place struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
}

// StoredWaiting is a message that waits, without its value.
type StoredWaiting struct {
	Place
	Key string `json:"key"`
	// ID, CorrelationID and Type are those of the message, "" where it is no
	// CloudEvent or its headers have more than MaxInspectHeaders bytes.
	ID            string `json:"id,omitempty"`
	CorrelationID string `json:"correlationId,omitempty"`
	Type          string `json:"type,omitempty"`
	// Attempts that failed; 0 for one that waits behind another.
	Attempts int       `json:"attempts"`
	Next     time.Time `json:"next,omitzero"`
	// Parked rows stay until Release.
	Parked bool   `json:"parked"`
	Size   int64  `json:"size"`
	Reason string `json:"reason,omitempty"`
}

// MaxInspectHeaders bounds the headers, stored as they are, that are read for a
// StoredWaiting.
const MaxInspectHeaders = 64 << 10

// Describe fills in what the message's headers say of it.
func (w *StoredWaiting) Describe(headers []event.Header) {
	e, err := event.FromRecord(headers, nil, nil, time.Time{})
	if err == nil {
		w.ID, w.CorrelationID, w.Type = e.ID, e.CorrelationID, e.Type
	}
}
