package incremental

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/connect/debezium"
)

// Blocking is a snapshot that was asked for by a signal, and for which the stream stops. It waits in
// the State until it is done with, so that a restart goes on with it.
type Blocking struct {
	// ID is the signal's.
	ID string `json:"id"`
	// Tables are names, or Java's regular expressions of full names.
	Tables []string `json:"data-collections"`
	// Conditions have as their Filter what is read of a table instead of all: a statement or query
	// in the database's language.
	Conditions []debezium.Condition `json:"additional-conditions,omitempty"`
}

// blockingKey of offsets is ours: Debezium forgets such a snapshot at a restart.
const blockingKey = "blocking_snapshots"

// Blocking is the next snapshot for which the stream is to stop; nil is none.
func (s State) Blocking() *Blocking {
	if len(s.blocking) == 0 {
		return nil
	}
	next := s.blocking[0]
	return &next
}

// Unblocked is the state once that snapshot is done with.
func (s State) Unblocked() State {
	if len(s.blocking) > 0 {
		s.blocking = s.blocking[1:]
	}
	return s
}

// block adds a snapshot.
func (s *Snapshot) block(id string, e debezium.ExecuteSnapshot) {
	s.state.blocking = append(slices.Clip(s.state.blocking), Blocking{id, e.Tables, e.Conditions})
}

// Wants says whether a table is to be read.
func (b *Blocking) Wants(name string) bool {
	return slices.ContainsFunc(b.Tables, func(pattern string) bool {
		r, err := debezium.CompileJava("^(?:"+pattern+")$", "i")
		return pattern == name || err == nil && r.MatchString(name)
	})
}

// Filter of a table's rows; "" is to read all.
func (b *Blocking) Filter(name string) string { return condition(b.Conditions, name) }

func (s State) putBlocking(offset map[string]any) {
	if len(s.blocking) > 0 {
		offset[blockingKey] = asJSON(s.blocking)
	}
}

func readBlocking(offset map[string]any) (all []Blocking, err error) {
	text, _ := offset[blockingKey].(string)
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrState, blockingKey, err)
	}
	return all, nil
}
