// Package api is the vocabulary of the console: what it shows and what it does,
// as the types of its JSON API. Pages, the command line and the OpenAPI document
// are made from the same types.
//
// Topics and groups appear under their full names, with the tenant's prefix.
// Times are UTC; durations are in microseconds, in fields that end in Micros.
package api

import "errors"

// Errors, each with its HTTP status and the exit code of the command line.
var (
	// ErrInvalid: a parameter or the body is wrong (400, 2).
	ErrInvalid = errors.New("invalid request")
	// ErrUnauthenticated: who are you? (401, 5).
	ErrUnauthenticated = errors.New("authentication needed")
	// ErrForbidden: the role is not enough (403, 5).
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound: there is no such thing (404, 4).
	ErrNotFound = errors.New("not found")
	// ErrConflict: not in the present state (409, 6).
	ErrConflict = errors.New("conflict")
	// ErrTooLarge: more than the limit (413, 2).
	ErrTooLarge = errors.New("too large")
	// ErrBusy: too many requests of that kind; try again later (429, 7).
	ErrBusy = errors.New("too many requests")
	// ErrUnavailable: Kafka or a service does not answer (503, 7).
	ErrUnavailable = errors.New("unavailable")
)

// Role is what a user may do; each includes those before it.
type Role string

// Roles.
const (
	// Viewer reads, with masked payloads.
	Viewer Role = "viewer"
	// Operator also replays, redrives, releases, pauses.
	Operator Role = "operator"
	// Admin also produces, creates topics and resets groups, and reads the audit log.
	Admin Role = "admin"
)

// Page is a part of a list.
type Page[T any] struct {
	Items []T `json:"items"`
	// Next is the cursor of the next page, "" at the end.
	Next string `json:"next,omitempty"`
	// Total is how many there are, where that is known; else -1.
	Total int64 `json:"total"`
}

// PageQuery asks for a part of a list.
type PageQuery struct {
	// Search is a part of the name, in any case.
	Search string `json:"search,omitempty"`
	// Cursor is Next of the page before.
	Cursor string `json:"cursor,omitempty"`
	// Limit is 50 where zero, at most 500.
	Limit int `json:"limit,omitempty"`
}
