package entity

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"go.opentelemetry.io/otel/propagation"
)

// outgoing checks a decision's messages and makes them consequences of the
// command, where they say nothing else.
func outgoing(c Context, events []event.Event) ([]outbox.Message, error) {
	if len(events) == 0 {
		return nil, nil
	}
	messages := make([]outbox.Message, len(events))
	for i, e := range events {
		e = caused(e, c.Cause)
		if err := e.Validate(); err != nil {
			return nil, fmt.Errorf("message %d of the decision: %w", i+1, err)
		}
		messages[i] = outbox.Message{Topic: e.Type, Event: e}
	}
	return messages, nil
}

func caused(e event.Event, cause *event.Event) event.Event {
	if cause == nil || e.CausationID != "" {
		return e
	}
	ownTransaction := e.CorrelationID != e.ID
	answer := e.CausedBy(*cause)
	if ownTransaction {
		answer.CorrelationID = e.CorrelationID
	}
	return answer
}

// route gives messages their topics, and the trace of ctx where they have none.
func route(ctx context.Context, messages []outbox.Message, topic func(event.Event) string) {
	if len(messages) == 0 {
		return
	}
	trace := traceparent(ctx)
	for i := range messages {
		if topic != nil {
			messages[i].Topic = topic(messages[i].Event)
		}
		if messages[i].Traceparent == "" {
			messages[i].Traceparent = trace
		}
	}
}

// traceparent is the W3C trace context of ctx's span, empty without one.
func traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}
