// Package sasl is the server's side of SASL's mechanisms PLAIN (RFC 4616) and
// SCRAM-SHA-256 and -512 (RFC 5802, RFC 7677) over credentials from which no
// password can be read. PLAIN is for connections that TLS encrypts: it hands
// the password over.
//
// An unknown user takes the same messages and the same work as a wrong
// password, and ends in the same error.
package sasl

import (
	"errors"

	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
)

// The mechanisms.
const (
	Plain       = "PLAIN"
	ScramSHA256 = "SCRAM-SHA-256"
	ScramSHA512 = "SCRAM-SHA-512"
)

var (
	// ErrFailed is that user and password do not fit. It does not say which:
	// it is what clients are told, with SASL_AUTHENTICATION_FAILED.
	ErrFailed = errors.New("authentication failed: invalid credentials")
	// ErrMessage is a message that the mechanism does not have.
	ErrMessage = errors.New("authentication failed: malformed message")
	// ErrMechanism is a mechanism that is not served here.
	ErrMechanism = errors.New("unsupported SASL mechanism")
)

// maxMessage is the longest message that is read, in bytes.
const maxMessage = 16 << 10

// Conversation is the authentication of one connection, by one goroutine.
type Conversation interface {
	// Step takes a message of the client and returns the answer. After an error
	// the conversation is over; the error is one of this package's.
	Step(message []byte) (answer []byte, err error)
	// User is who the client is, once it has shown that; else it is false.
	User() (string, bool)
}

// Begin starts a conversation, or returns ErrMechanism.
func (u *Users) Begin(mechanism string) (Conversation, error) {
	switch mechanism {
	case Plain:
		return &plain{users: u}, nil
	case ScramSHA256:
		return &scram{users: u, hash: sha256Mechanism}, nil
	case ScramSHA512:
		return &scram{users: u, hash: sha512Mechanism}, nil
	}
	return nil, ErrMechanism
}

// Credential is what is kept of a password for one mechanism.
type Credential = keylog.SCRAMValue
