package debezium

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Signal asks a running connector for something.
type Signal struct {
	ID   string
	Type string
	// Data is JSON; "" is none.
	Data string
}

// ErrSignal is wrapped by errors about signals that say nothing we understand. Such a signal is
// reported and left.
var ErrSignal = errors.New("signal")

// Types of signals that connectors send to themselves, to mark in the stream of changes when a
// chunk of an incremental snapshot was read.
const (
	windowOpenType  = "snapshot-window-open"
	windowCloseType = "snapshot-window-close"
)

// Mark says whether the connector sent it to itself.
func (s Signal) Mark() bool { return s.Type == windowOpenType || s.Type == windowCloseType }

// SignalOfRow is that of a change of the table of signals, whose columns are id, type and data.
// before and after are rows of text. A deletion is that of a mark, which closes the window that it
// opened; other changes but creations are no signals.
func SignalOfRow(op Op, before, after []any) (s Signal, ok bool) {
	switch op {
	case Create:
		if len(after) < 3 {
			return Signal{}, false
		}
		s = Signal{ID: asText(after[0]), Type: asText(after[1]), Data: asText(after[2])}
		return s, s.Type != ""
	case Delete:
		if len(before) < 1 || !strings.HasSuffix(asText(before[0]), "-open") {
			return Signal{}, false
		}
		return Signal{ID: strings.TrimSuffix(asText(before[0]), "-open") + "-close", Type: windowCloseType}, true
	}
	return Signal{}, false
}

func asText(v any) string {
	text, _ := v.(string)
	return text
}

// SignalOfRecord is that of a record of a topic of signals, for the connector that the record's
// key names. ok is false where it is for another.
func SignalOfRecord(prefix string, key, value []byte) (s Signal, ok bool, err error) {
	if string(key) != prefix {
		return Signal{}, false, nil
	}
	var body struct {
		ID, Type string
		Data     json.RawMessage
	}
	if err := json.Unmarshal(value, &body); err != nil {
		return Signal{}, false, fmt.Errorf("%w: a record of the topic is not JSON such as {\"type\":…,\"data\":…}: %w", ErrSignal, err)
	}
	s = Signal{ID: body.ID, Type: body.Type, Data: string(body.Data)}
	var text string
	if json.Unmarshal(body.Data, &text) == nil {
		s.Data = text // data may be JSON within a string, as it is in tables
	}
	return s, true, nil
}

// Action is what a signal asks for: one of the types below.
type Action interface{ action() }

// ExecuteSnapshot reads tables beside the stream of changes, or, Blocking, while that waits.
type ExecuteSnapshot struct {
	// Tables are names, or Java's regular expressions of full names.
	Tables []string
	// Conditions restrict which rows of a table are read; the first that matches has it.
	Conditions []Condition
	// SurrogateKey is a column to read by instead of the primary key; "" is none.
	SurrogateKey string
	Blocking     bool
}

// Condition on the rows of the tables that match, a regular expression, whatever its case.
type Condition struct {
	Tables string `json:"data-collection"`
	// Filter is SQL, or the database's own language.
	Filter string `json:"filter"`
}

// StopSnapshot ends the incremental snapshot of tables; of all, where none is named.
type StopSnapshot struct{ Tables []string }

// PauseSnapshot reads no more chunks until ResumeSnapshot.
type PauseSnapshot struct{}

// ResumeSnapshot goes on after PauseSnapshot.
type ResumeSnapshot struct{}

// LogMessage is written to the log. "{}" in it stands for the position.
type LogMessage struct{ Message string }

// SchemaChanges replaces what the connector knows of tables.
type SchemaChanges struct {
	Database, Schema string
	// Changes is JSON, as Debezium has it in its history of schemas.
	Changes json.RawMessage
}

// OpenWindow and CloseWindow are marks of an incremental snapshot; the id of the signal is that of
// the chunk with "-open" or "-close" after it.
type (
	OpenWindow  struct{ ID string }
	CloseWindow struct{ ID string }
)

func (ExecuteSnapshot) action() {}
func (StopSnapshot) action()    {}
func (PauseSnapshot) action()   {}
func (ResumeSnapshot) action()  {}
func (LogMessage) action()      {}
func (SchemaChanges) action()   {}
func (OpenWindow) action()      {}
func (CloseWindow) action()     {}

// Action of the signal. The error wraps ErrSignal and says what is missing.
func (s Signal) Action() (Action, error) {
	switch s.Type {
	case windowOpenType:
		return OpenWindow{s.ID}, nil
	case windowCloseType:
		return CloseWindow{s.ID}, nil
	}
	var d signalData
	if strings.TrimSpace(s.Data) != "" {
		if err := json.Unmarshal([]byte(s.Data), &d); err != nil {
			return nil, fmt.Errorf("%w %s of type %s: its data is no JSON that fits: %w", ErrSignal, s.ID, s.Type, err)
		}
	}
	a, err := d.action(s.Type)
	if err != nil {
		return nil, fmt.Errorf("%w %s of type %s: %w", ErrSignal, s.ID, s.Type, err)
	}
	return a, nil
}
