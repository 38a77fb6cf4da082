package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/saga"
)

// Sagas is the part of API about sagas: what the database knows of all, and acts on
// those that run in this process. Without a store of sagas the service answers
// ErrNotFound.
type Sagas interface {
	// SagaCounts counts sagas by name and status.
	SagaCounts(ctx context.Context) ([]saga.Count, error)
	// Sagas lists sagas that match, the oldest first.
	Sagas(ctx context.Context, q saga.Query) (SagaPage, error)
	// Saga is one whole, with its timeline.
	Saga(ctx context.Context, name, id string) (SagaDetail, error)
	// ActOnSaga retries, skips, forces or resolves, and returns the saga after it.
	// ErrConflict where the act makes no sense, the saga changed since it was looked at,
	// or the saga does not run in the process that is asked.
	ActOnSaga(ctx context.Context, a saga.Act) (SagaLine, error)
}

// SagaLine is a saga in a list.
type SagaLine struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	// Version of the definition, Revision of the saga: one more with each decision.
	Version       int         `json:"version"`
	Revision      int64       `json:"revision"`
	Status        saga.Status `json:"status"`
	CorrelationID string      `json:"correlationId"`
	// Reason why it was undone or parked; Current are the names of the steps under way.
	Reason  string    `json:"reason,omitempty"`
	Current string    `json:"current,omitempty"`
	Started time.Time `json:"started"`
	Changed time.Time `json:"changed"`
	Ended   time.Time `json:"ended,omitzero"`
	// Due is when its next timer fires.
	Due time.Time `json:"due,omitzero"`
}

// SagaPage is a part of a list of sagas; Next is where to go on, nil at the end.
type SagaPage struct {
	Sagas []SagaLine  `json:"sagas"`
	Next  *saga.Place `json:"next,omitempty"`
}

// SagaDetail is a saga whole.
type SagaDetail struct {
	SagaLine
	// Steps that have begun, in the order in which they did; Timers that will fire.
	Steps  []saga.StepState `json:"steps"`
	Timers []saga.Timer     `json:"timers"`
	// State is left out where it has more than MaxState bytes. StateSize is in bytes.
	State     json.RawMessage `json:"state,omitempty"`
	StateSize int             `json:"stateSize"`
	// Entries are the timeline, the oldest first. Of more than MaxSagaEntries the middle
	// is left out: that many.
	Entries []saga.Entry `json:"entries"`
	LeftOut int          `json:"leftOut,omitempty"`
	// Operable says that the process that answered can act on it.
	Operable bool `json:"operable"`
	// Masked names what a masking rule of the console hid.
	Masked []string `json:"masked,omitempty"`
}

// MaxSagaEntries bounds the timeline that is answered at a time: of a longer one the
// first SagaEntriesBefore are there and the latest. MaxSagaReason is how long the
// reason of an act may be, in bytes.
const (
	MaxSagaEntries    = 2000
	SagaEntriesBefore = 200
	MaxSagaReason     = 1000
)

// SagaActs are all there are.
var SagaActs = []saga.ActAction{saga.RetryAct, saga.SkipAct, saga.ForceAct, saga.ResolveAct}

// checkSagaAct checks what can be checked without the saga.
func checkSagaAct(a saga.Act) error {
	switch {
	case a.Saga == "" || a.ID == "":
		return fmt.Errorf("%w: an act needs the saga's name and id", ErrInvalid)
	case !slices.Contains(SagaActs, a.Do):
		return fmt.Errorf("%w: act %.40q is none of %q", ErrInvalid, a.Do, SagaActs)
	case strings.TrimSpace(a.Reason) == "":
		return fmt.Errorf("%w: an act needs a reason, which is kept in the saga's timeline", ErrInvalid)
	case len(a.Reason) > MaxSagaReason:
		return fmt.Errorf("%w: the reason has %d bytes, %d are allowed", ErrInvalid, len(a.Reason), MaxSagaReason)
	}
	return nil
}
