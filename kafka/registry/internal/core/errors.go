package core

import "fmt"

// Error is an answer that refuses. Its text is part of the protocol.
type Error struct {
	// Code is the status of HTTP and two more digits.
	Code    int
	Message string
}

// Codes of errors, by Confluent's names.
const (
	SubjectNotFound        = 40401
	VersionNotFound        = 40402
	SchemaNotFound         = 40403
	SubjectSoftDeleted     = 40404
	SubjectNotSoftDeleted  = 40405
	VersionSoftDeleted     = 40406
	VersionNotSoftDeleted  = 40407
	NoSubjectCompatibility = 40408
	NoSubjectMode          = 40409
	Incompatible           = 409 // 40901 in the newest; clients know this one
	InvalidSchema          = 42201
	InvalidVersion         = 42202
	InvalidCompatibility   = 42203
	InvalidMode            = 42204
	NotPermitted           = 42205
	ReferenceExists        = 42206
	InvalidSubject         = 42208
	SchemaTooLarge         = 42209
	ContextNotEmpty        = 42211
	StoreFailed            = 50001
	StoreTimeout           = 50002
)

func (e *Error) Error() string { return e.Message }

// Status is HTTP's.
func (e *Error) Status() int {
	if e.Code < 1000 {
		return e.Code
	}
	return e.Code / 100
}

func errorf(code int, format string, values ...any) error {
	return &Error{code, fmt.Sprintf(format, values...)}
}

func subjectNotFound(subject string) error {
	return errorf(SubjectNotFound, "Subject '%s' not found.", subject)
}

func versionNotFound(version int) error {
	return errorf(VersionNotFound, "Version %d not found.", version)
}
