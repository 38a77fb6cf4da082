package connect

import "errors"

// Errors of the worker's methods; REST maps them to 404, 409, 400 and 503.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("conflict")
	ErrInvalid  = errors.New("invalid")
	// ErrUnready says that the worker is not in its group at the moment, or that Kafka does not
	// answer.
	ErrUnready = errors.New("not ready")
)

// problem is an error of a kind with a message of its own, worded for who calls the REST API.
type problem struct {
	kind error
	text string
}

func (p problem) Error() string { return p.text }

func (p problem) Unwrap() error { return p.kind }
