package entity

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/pabal-dev/pabal/journal"
)

// Refusal is a business answer: the command was understood and not carried out.
// Nothing was written.
type Refusal struct {
	// Code is for programs, Reason for people.
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// Error implements error.
func (r *Refusal) Error() string {
	if r.Reason == "" {
		return "refused: " + r.Code
	}
	return "refused: " + r.Code + ": " + r.Reason
}

// Refuse returns a *Refusal as an error; errors.As finds it again.
func Refuse(code, format string, args ...any) error {
	return &Refusal{Code: code, Reason: fmt.Sprintf(format, args...)}
}

// Errors of hosts and clients, wrapped.
var (
	// ErrBusy: the mailbox of the entity, the host or the client is full. The command
	// was not begun.
	ErrBusy = errors.New("entity: too many commands wait")
	// ErrStopped: the host or client is not running (any more). The command was not
	// begun.
	ErrStopped = errors.New("entity: it is not running")
	// ErrNotBegun: the caller's context ended before anything was written. The
	// context's error is wrapped too.
	ErrNotBegun = errors.New("entity: the command was given up before it was carried out")
	// ErrUnknown: whether the command took effect is not known, because the caller's
	// context ended while it was being stored, or the database did not tell. The next
	// command sees a state that has it or has it not.
	ErrUnknown = errors.New("entity: it is not known whether the command took effect")
	// ErrClosed: the client was stopped before the reply came; ErrUnknown is wrapped
	// too.
	ErrClosed = errors.New("entity: the client was stopped before the reply came")
	// ErrFailed: the entity's process tried the command as often as it may, and made
	// it a dead letter.
	ErrFailed = errors.New("entity: the command failed and is a dead letter")
	// ErrRecoveryTimeout: the state was not read within Config.RecoveryTimeout.
	ErrRecoveryTimeout = errors.New("entity: the state could not be read in time")
	// ErrVersion: that version of the state is not stored.
	ErrVersion = errors.New("entity: no such version")
	// ErrConfig is wrapped by every error about a definition or a setting.
	ErrConfig = errors.New("entity configuration")
)

// RecoveryError says which stored event, snapshot or state keeps an entity from
// coming back: no serializer or manifest, corrupt bytes, events missing, or
// Apply's error. Other entities go on; this one is tried again after
// Config.Backoff.
type RecoveryError struct {
	PersistenceID string
	// SeqNr of the event (revision).
	SeqNr int64
	// Type names what it was stored as: serializer and manifest.
	Type string
	Err  error
}

// Error implements error.
func (e *RecoveryError) Error() string {
	return fmt.Sprintf("entity %s cannot be recovered: number %d (%s): %v", e.PersistenceID, e.SeqNr, e.Type, e.Err)
}

// Unwrap makes errors.Is and errors.As see the cause.
func (e *RecoveryError) Unwrap() error { return e.Err }

func typeOf(p journal.Payload) string {
	return fmt.Sprintf("serializer %d, manifest %q", p.Serializer, p.Manifest)
}

// panicked is a panic of a definition's function as an error.
type panicked struct {
	function string
	value    any
	stack    []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("%s panicked: %v", p.function, p.value) }

// guard calls a function of the user's.
func guard[V any](function string, call func() (V, error)) (v V, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicked{function, value, debug.Stack()}
		}
	}()
	return call()
}

func isRefusal(err error) bool {
	var r *Refusal
	return errors.As(err, &r)
}
