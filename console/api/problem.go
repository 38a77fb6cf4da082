package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pabal-dev/pabal/admin"
)

// ProblemType is the media type of a Problem.
const ProblemType = "application/problem+json"

// kind is an error, its HTTP status and the exit code of the command line.
type kind struct {
	err          error
	status, exit int
	name         string // the end of the problem's type
}

// kinds is the one mapping of errors; admin's own are in foreign.
var kinds = []kind{
	{ErrInvalid, http.StatusBadRequest, 2, "invalid"},
	{ErrUnauthenticated, http.StatusUnauthorized, 5, "unauthenticated"},
	{ErrForbidden, http.StatusForbidden, 5, "forbidden"},
	{ErrNotFound, http.StatusNotFound, 4, "not-found"},
	{ErrConflict, http.StatusConflict, 6, "conflict"},
	{ErrTooLarge, http.StatusRequestEntityTooLarge, 2, "too-large"},
	{ErrBusy, http.StatusTooManyRequests, 7, "busy"},
	{ErrUnavailable, http.StatusServiceUnavailable, 7, "unavailable"},
}

// foreign are errors of others that mean one of ours. A service that denies the
// console's token is not the user's fault: it is unavailable to him.
var foreign = []struct{ theirs, ours error }{
	{admin.ErrNotFound, ErrNotFound},
	{admin.ErrInvalid, ErrInvalid},
	{admin.ErrConflict, ErrConflict},
	{admin.ErrUnavailable, ErrUnavailable},
	{admin.ErrDenied, ErrUnavailable},
	{context.DeadlineExceeded, ErrUnavailable},
	{context.Canceled, ErrUnavailable},
}

// internal is an error that no one foresaw.
var internal = kind{nil, http.StatusInternalServerError, 1, "internal"}

func kindOf(err error) kind {
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k
		}
	}
	for _, f := range foreign {
		if errors.Is(err, f.theirs) {
			return kindOf(f.ours)
		}
	}
	return internal
}

// Status is the HTTP status of an error; 500 for one that is none of this
// package's and admin's.
func Status(err error) int { return kindOf(err).status }

// ExitCode is the command line's exit code for an error; 0 for nil, 1 for one that
// is none of this package's and admin's.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	return kindOf(err).exit
}

// FieldError is an ErrInvalid about one parameter or field.
type FieldError struct {
	// Field such as "limit" or "ids[2]".
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Detail }

func (e *FieldError) Unwrap() error { return ErrInvalid }

// BadField is an error about a parameter or field of a request.
func BadField(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}

// Problem is an error as the API answers it: RFC 9457. It is an error itself, which
// wraps the one of this package that its status stands for.
type Problem struct {
	// Type is "urn:pabal:problem:" and a name such as "not-found".
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail says what is wrong and, where that is known, what to do.
	Detail string `json:"detail,omitempty"`
	// Errors are the parameters or fields at fault.
	Errors []FieldError `json:"errors,omitempty"`
}

const problemPrefix = "urn:pabal:problem:"

// ProblemOf is the answer to an error.
func ProblemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	k := kindOf(err)
	p = &Problem{Type: problemPrefix + k.name, Title: http.StatusText(k.status), Status: k.status, Detail: err.Error()}
	if k.err != nil { // the title says it already
		p.Detail = strings.TrimPrefix(p.Detail, k.err.Error()+": ")
	}
	var field *FieldError
	if errors.As(err, &field) {
		p.Errors = []FieldError{*field}
	}
	return p
}

func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Detail
}

// Unwrap is the error of this package that the status stands for; nil for none.
func (p *Problem) Unwrap() error {
	for _, k := range kinds {
		if k.status == p.Status {
			return k.err
		}
	}
	switch {
	case p.Status == http.StatusBadGateway || p.Status == http.StatusGatewayTimeout:
		return ErrUnavailable
	case p.Status >= 400 && p.Status < 500:
		return ErrInvalid
	}
	return nil
}
