package mongodb

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/saga"
)

// sagaDocument is in pabal_saga: one per saga, timers and all, so that its lock is the
// only one. Times are microseconds, which MongoDB's own have not.
type sagaDocument struct {
	ID sagaKey `bson:"_id"`
	// Name is that of ID, at the head of the indexes.
	Name     string      `bson:"name"`
	Version  int32       `bson:"version"`
	Revision int64       `bson:"revision"`
	Status   saga.Status `bson:"status"`
	// State and Progress are JSON as it came: BSON would change numbers and order.
	State         string `bson:"state"`
	Progress      string `bson:"progress"`
	Current       string `bson:"current"`
	CorrelationID string `bson:"correlationId"`
	Reason        string `bson:"reason"`
	Started       int64  `bson:"started"`
	Changed       int64  `bson:"changed"`
	// Ended and Due are not there where they are zero: the indexes leave those out.
	Ended *int64 `bson:"ended,omitempty"`
	Due   *int64 `bson:"due,omitempty"`
}

// sagaKey compares by name, then id, byte by byte.
type sagaKey struct {
	Name string `bson:"name"`
	ID   string `bson:"id"`
}

// sagaEntries is in pabal_saga_entry: what one revision added to the timeline.
type sagaEntries struct {
	ID      entriesKey `bson:"_id"`
	Entries string     `bson:"entries"` // JSON
}

type entriesKey struct {
	Name     string `bson:"name"`
	ID       string `bson:"id"`
	Revision int64  `bson:"revision"`
}

// locksField is what a lock changes of a saga's document.
const locksField = "locks"

func keyOf(r *saga.Record) sagaKey { return sagaKey{r.Name, r.ID} }

func newSaga(r *saga.Record) *sagaDocument {
	return &sagaDocument{
		ID: keyOf(r), Name: r.Name, Version: int32(r.Version), Revision: r.Revision, Status: r.Status,
		State: string(r.State), Progress: string(r.Progress), Current: cleanText(r.Current), CorrelationID: r.CorrelationID,
		Reason: cleanText(r.Reason), Started: r.Started.UnixMicro(), Changed: r.Changed.UnixMicro(), Ended: micros(r.Ended), Due: micros(r.Due),
	}
}

// cleanText is what readers of BSON take for text.
func cleanText(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

func (d *sagaDocument) record() saga.Record {
	r := saga.Record{
		Name: d.ID.Name, ID: d.ID.ID, Version: int(d.Version), Revision: d.Revision, Status: d.Status,
		Current: d.Current, CorrelationID: d.CorrelationID, Reason: d.Reason,
		Started: fromMicros(&d.Started), Changed: fromMicros(&d.Changed), Ended: fromMicros(d.Ended), Due: fromMicros(d.Due),
	}
	if d.State != "" { // which a listing leaves out
		r.State, r.Progress = json.RawMessage(d.State), json.RawMessage(d.Progress)
	}
	return r
}

func records(all []sagaDocument) []saga.Record {
	out := make([]saga.Record, len(all))
	for i := range all {
		out[i] = all[i].record()
	}
	return out
}

// entriesOf are the documents of records that have entries.
func entriesOf(all []*saga.Record) (out []any, err error) {
	for _, r := range all {
		if len(r.Entries) == 0 {
			continue
		}
		text, err := json.Marshal(r.Entries)
		if err != nil {
			return nil, fmt.Errorf("mongodb: the timeline of saga %s/%s: %w", r.Name, r.ID, err)
		}
		out = append(out, sagaEntries{ID: entriesKey{r.Name, r.ID, r.Revision}, Entries: string(text)})
	}
	return out, nil
}

// validSagas are all of them, or what is wrong with one.
func validSagas(all []saga.Record) ([]*saga.Record, error) {
	out := make([]*saga.Record, len(all))
	for i := range all {
		if err := all[i].Validate(); err != nil {
			return nil, fmt.Errorf("mongodb: %w", err)
		}
		out[i] = &all[i]
	}
	return out, nil
}
