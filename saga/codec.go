package saga

import (
	"encoding/json"
	"fmt"
	"strings"
)

// progress is what of an Instance has no column.
type progress struct {
	Turned  string      `json:"turned,omitempty"`
	Overdue bool        `json:"overdue,omitempty"`
	Begun   bool        `json:"begun,omitempty"`
	Told    bool        `json:"told,omitempty"`
	Steps   []StepState `json:"steps"`
	Timers  []Timer     `json:"timers"`
}

// encodeInstance makes the record to store; its Entries are the caller's.
func encodeInstance[S any](i Instance[S]) (Record, error) {
	state, err := json.Marshal(i.State)
	if err != nil {
		return Record{}, fmt.Errorf("saga %s %s: state %T as JSON: %w", i.Name, i.ID, i.State, err)
	}
	rest, err := json.Marshal(progress{i.Turned, i.Overdue, i.Begun, i.Told, i.Steps, i.Timers})
	if err != nil {
		return Record{}, fmt.Errorf("saga %s %s: progress as JSON: %w", i.Name, i.ID, err)
	}
	return Record{
		Name: i.Name, ID: i.ID, Version: i.Version, Revision: i.Revision, Status: i.Status,
		State: state, CorrelationID: i.CorrelationID, Reason: i.Reason,
		Current: current(i.Status, i.Steps), Progress: rest,
		Started: i.Started, Changed: i.Changed, Ended: i.Ended, Due: i.NextDue(),
	}, nil
}

// decodeRecord reads one that encodeInstance made. Whatever else it is given, it
// returns an error or an instance that Decide can take.
func decodeRecord[S any](r Record) (Instance[S], error) {
	i := Instance[S]{
		Name: r.Name, ID: r.ID, Version: r.Version, Revision: r.Revision, Status: r.Status,
		CorrelationID: r.CorrelationID, Reason: r.Reason,
		Started: r.Started.UTC(), Changed: r.Changed.UTC(), Ended: r.Ended.UTC(),
	}
	fail := func(what string, err error) (Instance[S], error) {
		return Instance[S]{}, fmt.Errorf("stored saga %s %s: %s: %w", r.Name, r.ID, what, err)
	}
	if err := json.Unmarshal(r.State, &i.State); err != nil {
		return fail(fmt.Sprintf("state as %T", i.State), err)
	}
	var rest progress
	if err := json.Unmarshal(r.Progress, &rest); err != nil {
		return fail("progress", err)
	}
	if err := checkStored(r, rest); err != nil {
		return fail("progress", err)
	}
	i.Turned, i.Overdue, i.Begun, i.Told = rest.Turned, rest.Overdue, rest.Begun, rest.Told
	i.Steps, i.Timers = rest.Steps, rest.Timers
	return i, nil
}

func checkStored(r Record, rest progress) error {
	switch r.Status {
	case Running, Compensating, NeedsReview, Completed, Compensated, Resolved:
	default:
		return fmt.Errorf("unknown status %q", r.Status)
	}
	if r.Revision < 1 {
		return fmt.Errorf("revision %d", r.Revision)
	}
	for _, s := range rest.Steps {
		switch s.Phase {
		case StepRunning, StepSucceeded, StepRefused, StepFailed, StepUnknown, StepSkipped,
			StepUndoing, StepUndone, StepUndoFailed, StepUndoSkipped:
		default:
			return fmt.Errorf("unknown phase %q of step %q", s.Phase, s.Name)
		}
	}
	return nil
}

// current names the steps under way or parked.
func current(status Status, steps []StepState) string {
	if status.Ended() {
		return ""
	}
	var names []string
	for _, s := range steps {
		if s.Phase == StepRunning || s.Phase == StepUndoing || s.Parked {
			names = append(names, s.Name)
		}
	}
	return strings.Join(names, ", ")
}
