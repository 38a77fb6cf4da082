package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"
)

// lostError says that the database, or what others did in it at the same time, was the
// cause, and not what it was asked.
type lostError struct {
	what string
	err  error
}

func (e *lostError) Error() string { return "mongodb: " + e.what + ": " + e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

func lost(what string, err error) error { return &lostError{what, err} }

// failed names what was done when err came, nil for nil.
func failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("mongodb: %s: %w", what, err)
}

// commitError is what COMMIT answered.
type commitError struct{ err error }

func (e *commitError) Error() string { return "mongodb: commit: " + e.err.Error() }
func (e *commitError) Unwrap() error { return e.err }

// gone says that the server does not know the transaction any more.
func (e *commitError) gone() bool { return slices.Contains(mongo.ErrorCodes(e.err), noSuchTransaction) }

// Labels of the driver's errors.
const (
	transientTransaction = "TransientTransactionError"
	unknownCommit        = "UnknownTransactionCommitResult"
	retryableWrite       = "RetryableWriteError"
	networkError         = "NetworkError"
)

const (
	unauthorized      = 13
	writeConflict     = 112
	noSuchTransaction = 251
	maxTimeExpired    = 50
	interrupted       = 11601
)

// transientCodes are what a server answers that cannot do anything just now.
var transientCodes = []int{
	6, 7, 89, 9001, // connections between servers
	24,           // lock timeout
	64, 100, 202, // a majority, or time for it, could not be had
	91, 11600, 11602, // shutting down, or a new primary
	writeConflict, noSuchTransaction,
	133,                           // no primary found
	189, 10107, 10058, 13435, 136, // not the primary (any more)
	262,   // exceeded a time limit
	384,   // connections cannot be made
	14031, // out of disk space
}

func hasLabel(err error, labels ...string) bool {
	var labelled mongo.LabeledError
	return errors.As(err, &labelled) && slices.ContainsFunc(labels, labelled.HasErrorLabel)
}

// repeatable says that the transaction was not committed and may be run again at
// once.
func repeatable(err error) bool {
	lost := (*lostError)(nil)
	return hasLabel(err, transientTransaction) || hasCode(err, writeConflict) || errors.As(err, &lost)
}

// hasCode looks at errors of the driver only.
func hasCode(err error, codes ...int) bool {
	var server mongo.ServerError
	if !errors.As(err, &server) {
		return false
	}
	return slices.ContainsFunc(mongo.ErrorCodes(err), func(code int) bool { return slices.Contains(codes, code) })
}

// Transient is described at inbox.Admin: connection lost, no primary, write
// conflicts beyond Config.ConflictPatience, a commit without an answer, a server
// that shuts down or is full. A transaction that was over before its end is not: the
// same closure would do the same again.
func (db *DB) Transient(err error) bool {
	if err == nil || errors.Is(err, errSwallowed) {
		return false
	}
	if lost := (*lostError)(nil); errors.As(err, &lost) {
		return true
	}
	if hasLabel(err, transientTransaction, unknownCommit, retryableWrite, networkError) || hasCode(err, transientCodes...) {
		return true
	}
	var selection topology.ServerSelectionError
	var connection topology.ConnectionError
	var queue topology.WaitQueueTimeoutError
	if errors.As(err, &selection) || errors.As(err, &connection) || errors.As(err, &queue) || errors.Is(err, mongo.ErrClientDisconnected) {
		return true
	}
	return stopped(err) && hasCode(err, maxTimeExpired, interrupted)
}

func stopped(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// IsDuplicate says whether err is a violated unique index.
func (db *DB) IsDuplicate(err error) bool { return mongo.IsDuplicateKeyError(err) }
