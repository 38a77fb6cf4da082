// Package inbox handles messages from Kafka so that each takes effect exactly
// once in the user's database: their effects, the messages they cause, the
// inbox marks and the offsets commit in one transaction, and the offsets in the
// database are the truth. Kafka's group offset is a copy for tools.
//
// A Consumer keeps the order of each key. It takes many messages per
// transaction; where one fails, the batch is rolled back and redone one message
// at a time, so that one failure costs one message. That one waits in a table,
// with later ones of its key, and is retried with back-off while other keys go
// on. After the last attempt it becomes a dead letter.
//
// A business refusal is an answer a handler enqueues, never an error. An error
// of the database is waited out and costs no message an attempt.
package inbox

import (
	"context"
	"errors"

	"github.com/pabal-dev/pabal/event"
)

// Message is what a handler gets.
type Message struct {
	event.Event
	// Topic without the tenant's prefix; Partition and Offset are where the
	// message came from.
	Topic     string
	Partition int32
	Offset    int64
	// Attempt is 1 the first time a message is tried alone or in a batch.
	Attempt int
}

// Handler applies one message within the transaction. It must not wait for
// anything but the database: other messages wait for the transaction. An error
// rolls its effects back and makes the message wait for a retry.
//
// ctx carries the span of the message and ends when the consumer must stop.
type Handler[T Tx] func(ctx context.Context, tx T, m Message) error

// GroupHandler applies messages of one partition within the transaction, in the
// order of their offsets: all unseen ones of a batch in one call, so that their
// statements can be few. An error rolls everything back; the messages are then
// redone one per call, and only one that fails alone waits for a retry. A retry
// is a call with one message, too.
//
// ctx carries a span for the whole group, which links to the messages' senders;
// what is enqueued for one message should carry its Traceparent. In a call with
// one message ctx is that of a Handler. The handler must not keep ms.
type GroupHandler[T Tx] func(ctx context.Context, tx T, ms []Message) error

// Permanent marks an error that no retry can mend: the message becomes a dead
// letter at once. Errors that wrap event.ErrPayload are permanent.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanentError{err}
}

type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

func isPermanent(err error) bool {
	var p permanentError
	return errors.As(err, &p) || errors.Is(err, event.ErrPayload)
}

// Later marks an error that says nothing about the message: this process cannot
// handle it, but another one, or this one later, can. The message waits, with
// later ones of its key, and is tried again every two seconds (or Backoff.Max,
// where that is shorter) without limit; it costs no attempt. Errors that wrap event.ErrUnavailable are
// such.
func Later(err error) error {
	if err == nil {
		return nil
	}
	return laterError{err}
}

type laterError struct{ error }

func (e laterError) Unwrap() error { return e.error }

func isLater(err error) bool {
	var l laterError
	return errors.As(err, &l) || errors.Is(err, event.ErrUnavailable)
}

// RedriveHeader names the one consumer a redriven record is meant for; others
// skip it. The record keeps its id.
const RedriveHeader = "pabal-redrive"
