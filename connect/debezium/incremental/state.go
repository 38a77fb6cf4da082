package incremental

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/debezium"
)

// Table to read.
type Table struct {
	ID debezium.TableID
	// Condition on its rows, in the database's language; "" is none.
	Condition string
	// SurrogateKey is the column to read by; "" is the primary key.
	SurrogateKey string
}

// State is how far a snapshot is. A copy does not change. The zero value is that of no snapshot.
type State struct {
	tables       []Table
	after, until Key
	correlation  string
	paused       bool
	// signal is the offset after the last signal of the topic that was acted on; 0 is none.
	signal int64
	// blocking snapshots that were asked for.
	blocking []Blocking
}

// SignalOffset is that of the last signal of the topic of signals whose effect the state has;
// debezium.NoSignal is none.
func (s State) SignalOffset() int64 { return s.signal - 1 }

// Keys of offsets, as Debezium names them; the last two are ours, as is blockingKey.
const (
	tablesKey      = "incremental_snapshot_collections"
	afterKey       = "incremental_snapshot_primary_key"
	untilKey       = "incremental_snapshot_maximum_key"
	correlationKey = "incremental_snapshot_correlation_id"
	pausedKey      = "incremental_snapshot_paused"
	signalKey      = "signal_kafka_offset"
)

// storedTable is the JSON of a table.
type storedTable struct {
	ID        string  `json:"incremental_snapshot_collections_id"`
	Condition *string `json:"incremental_snapshot_collections_additional_condition"`
	Surrogate *string `json:"incremental_snapshot_collections_surrogate_key"`
}

// Put the state into an offset; that of no snapshot and no signal puts nothing. The tables are
// written as Debezium does. Its keys are serialized objects of Java, ours are arrays in JSON.
func (s State) Put(offset map[string]any) {
	if s.signal > 0 {
		offset[signalKey] = s.SignalOffset()
	}
	s.putBlocking(offset)
	if len(s.tables) == 0 {
		return
	}
	stored := make([]storedTable, len(s.tables))
	for i, t := range s.tables {
		stored[i] = storedTable{ID: t.ID.String(), Surrogate: orNull(t.SurrogateKey)}
		if t.Condition != "" {
			stored[i].Condition = orNull("(" + t.Condition + ")")
		}
	}
	offset[tablesKey] = asJSON(stored)
	offset[afterKey], offset[untilKey] = asJSON(s.after), asJSON(s.until)
	offset[correlationKey] = nil
	if s.correlation != "" {
		offset[correlationKey] = s.correlation
	}
	if s.paused {
		offset[pausedKey] = true
	}
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// asJSON writes text as Java's libraries do, without escapes for HTML.
func asJSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // of strings, which cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}

// ErrState is wrapped by errors about offsets whose state cannot be read.
var ErrState = errors.New("state of an incremental snapshot")

// Restore the state of a stored offset; one without leaves the snapshot of nothing. A table under
// way that Debezium itself began is read again from its first row, as its keys are not ours.
func (s *Snapshot) Restore(offset map[string]any, parse func(string) (debezium.TableID, bool)) error {
	signal, err := readSignal(offset[signalKey])
	if err != nil {
		return err
	}
	blocking, err := readBlocking(offset)
	if err != nil {
		return err
	}
	s.state = State{signal: signal, blocking: blocking}
	text, _ := offset[tablesKey].(string)
	if text == "" {
		return nil
	}
	var stored []storedTable
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrState, tablesKey, err)
	}
	state := s.state
	state.paused, _ = offset[pausedKey].(bool)
	state.correlation, _ = offset[correlationKey].(string)
	for _, t := range stored {
		id, ok := parse(t.ID)
		if !ok {
			return fmt.Errorf("%w: %q is no name of a table", ErrState, t.ID)
		}
		state.tables = append(state.tables, Table{id, bare(t.Condition), deref(t.Surrogate)})
	}
	after, ours := readKey(offset[afterKey])
	until, oursToo := readKey(offset[untilKey])
	if ours && oursToo {
		state.after, state.until = after, until
	}
	s.state = state
	return nil
}

// readSignal is the offset after a stored one.
func readSignal(v any) (int64, error) {
	var n int64
	switch v := v.(type) {
	case nil:
		return 0, nil
	case int64:
		n = v
	case int:
		n = int64(v)
	case float64:
		n = int64(v)
	case json.Number:
		var err error
		if n, err = v.Int64(); err != nil {
			return 0, fmt.Errorf("%w: %s: %w", ErrState, signalKey, err)
		}
	default:
		return 0, fmt.Errorf("%w: %s is %v, not a whole number", ErrState, signalKey, v)
	}
	return max(n, debezium.NoSignal) + 1, nil
}

func deref(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// bare condition, without the parentheses around it that Put writes.
func bare(condition *string) string {
	text := deref(condition)
	if len(text) >= 2 && text[0] == '(' && text[len(text)-1] == ')' {
		return text[1 : len(text)-1]
	}
	return text
}

func readKey(v any) (Key, bool) {
	text, ok := v.(string)
	if !ok {
		return nil, v == nil
	}
	var key Key
	if json.Unmarshal([]byte(text), &key) != nil {
		return nil, false
	}
	return key, true
}

// Tables that are still to be read, the first of which is under way.
func (s State) Tables() []Table { return slices.Clone(s.tables) }
