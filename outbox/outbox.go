// Package outbox publishes what a database transaction decided, exactly once
// and in order.
//
// Enqueue stores events in the user's own transaction; nothing is published
// before it commits, nothing is lost after. A Relay moves them to Kafka: each
// row is in the log exactly once (read_committed), and the rows of one key are
// in the order of their ids. That is commit order where the writers of one key
// take turns, because they lock or version the thing the key names.
//
// The ports Tx and Store are implemented by storage/postgres and
// storage/sqlite.
package outbox

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/event"
)

// Message is an event on its way to a topic.
type Message struct {
	// Topic without the tenant's prefix.
	Topic string
	event.Event
}

// Tx is a transaction of the user's database.
type Tx interface {
	// InsertOutbox stores messages as STARTED rows, in their order. They are
	// valid (see event.Validate).
	InsertOutbox(ctx context.Context, messages []Message) error
}

// Enqueue stores events in the transaction; each goes to the topic named as
// its type. An event without a traceparent gets that of ctx's span.
func Enqueue(ctx context.Context, tx Tx, events ...event.Event) error {
	messages := make([]Message, len(events))
	for i, e := range events {
		messages[i] = Message{Topic: e.Type, Event: e}
	}
	return EnqueueMessages(ctx, tx, messages...)
}

// EnqueueTo is Enqueue with a topic that is not the type.
func EnqueueTo(ctx context.Context, tx Tx, topic string, events ...event.Event) error {
	messages := make([]Message, len(events))
	for i, e := range events {
		messages[i] = Message{Topic: topic, Event: e}
	}
	return EnqueueMessages(ctx, tx, messages...)
}

// EnqueueMessages is Enqueue for messages of several topics, in one round trip.
// Its error wraps event.ErrInvalid where a message cannot be sent; then nothing
// was stored.
func EnqueueMessages(ctx context.Context, tx Tx, messages ...Message) error {
	if len(messages) == 0 {
		return nil
	}
	traceparent := traceparentOf(ctx)
	for i := range messages {
		if messages[i].Traceparent == "" {
			messages[i].Traceparent = traceparent
		}
		if messages[i].Topic == "" {
			return fmt.Errorf("enqueue %s: %w: topic is missing", messages[i].Type, event.ErrInvalid)
		}
		if err := messages[i].Validate(); err != nil {
			return fmt.Errorf("enqueue for topic %s: %w", messages[i].Topic, err)
		}
	}
	if err := tx.InsertOutbox(ctx, messages); err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	return nil
}
