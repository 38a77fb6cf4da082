package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/event"
)

// Inspector is an optional part of a Store, for people who look into an outbox.
// Both backends have it.
type Inspector interface {
	// Rows returns rows that match, ascending by id, at most q.Limit; with
	// payloads also at most MaxInspectBytes of these, but always the first.
	//
	// It is a search without an index, which every row would pay for: the outbox
	// is read whole where few rows match, the history among its newest
	// HistoryReach rows, and a million rows take some tenths of a second. An error
	// wraps ErrQuery where the query is wrong, and context.DeadlineExceeded where
	// the search took longer than InspectTimeout.
	Rows(ctx context.Context, q RowQuery) ([]StoredRow, error)
}

// Bounds of an Inspector: looking must not become the load.
const (
	MaxInspectRows  = 1000
	MaxInspectBytes = 4 << 20
	HistoryReach    = 500_000
	InspectTimeout  = 5 * time.Second
)

// ErrQuery is wrapped where a query cannot be answered as it is.
var ErrQuery = errors.New("wrong query")

// RowQuery selects rows; empty fields match all.
type RowQuery struct {
	// Status STARTED and FAILED rows are in the outbox, COMPLETED ones in the
	// history; empty is all of them.
	Status Status `json:"status,omitempty"`
	Topic  string `json:"topic,omitempty"`
	Key    string `json:"key,omitempty"`
	// EventIDs are alternatives.
	EventIDs []string `json:"eventIds,omitempty"`
	// Correlation is the correlation id.
	Correlation string `json:"correlation,omitempty"`
	// After this id.
	After int64 `json:"after,omitempty"`
	// Limit is 100 where zero, at most 1,000.
	Limit int `json:"limit,omitempty"`
	// Payload asks for payload and headers too.
	Payload bool `json:"payload,omitempty"`
}

// WithDefaults checks the query and fills in its limit.
func (q RowQuery) WithDefaults() (RowQuery, error) {
	if q.Limit == 0 {
		q.Limit = 100
	}
	switch {
	case q.Limit < 1 || q.Limit > MaxInspectRows:
		return q, fmt.Errorf("%w: limit %d, 1 to %d are allowed", ErrQuery, q.Limit, MaxInspectRows)
	case q.After < 0:
		return q, fmt.Errorf("%w: after %d, ids are above 0", ErrQuery, q.After)
	case len(q.EventIDs) > MaxInspectRows:
		return q, fmt.Errorf("%w: %d event ids, at most %d are allowed", ErrQuery, len(q.EventIDs), MaxInspectRows)
	case !slices.Contains([]Status{"", Started, Completed, Failed}, q.Status):
		return q, fmt.Errorf("%w: status %q, it is %s, %s or %s", ErrQuery, q.Status, Started, Completed, Failed)
	}
	return q, nil
}

// Page makes the answer to q out of what outbox and history found: at most
// q.Limit rows by id, and of payloads no more than MaxInspectBytes.
func (q RowQuery) Page(found ...StoredRow) []StoredRow {
	slices.SortFunc(found, func(a, b StoredRow) int { return cmp.Compare(a.ID, b.ID) })
	found = found[:min(len(found), q.Limit)]
	if !q.Payload {
		return found
	}
	bytes := int64(0)
	for i, r := range found {
		if bytes += r.Size; i > 0 && bytes > MaxInspectBytes {
			return found[:i]
		}
	}
	return found
}

// StoredRow is a row as it stands in the database.
type StoredRow struct {
	ID            int64     `json:"id"`
	Status        Status    `json:"status"`
	Topic         string    `json:"topic"`
	Key           string    `json:"key"`
	EventID       string    `json:"eventId"`
	Type          string    `json:"type"`
	CorrelationID string    `json:"correlationId"`
	CausationID   string    `json:"causationId,omitempty"`
	ContentType   string    `json:"contentType,omitempty"`
	EnqueuedAt    time.Time `json:"enqueuedAt"`
	// PublishedAt is zero for a row that is not COMPLETED.
	PublishedAt time.Time `json:"publishedAt,omitzero"`
	// Attempts counts refusals by Kafka; NextAttempt is when a refused row is due.
	Attempts    int       `json:"attempts"`
	NextAttempt time.Time `json:"nextAttempt,omitzero"`
	Reason      string    `json:"reason,omitempty"`
	// Size of the payload in bytes; Payload and Headers where they were asked for.
	Size    int64          `json:"size"`
	Payload []byte         `json:"payload,omitempty"`
	Headers []event.Header `json:"headers,omitempty"`
}
