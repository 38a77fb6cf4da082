package inbox

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const tracerName = "github.com/pabal-dev/pabal/inbox"

// startSpan begins the consumer span of a message as a child of the one that
// sent it. Without an SDK the returned ctx still carries the sender's span, so
// that Enqueue hands its traceparent on.
func startSpan(ctx context.Context, consumer string, m Message) (context.Context, trace.Span) {
	if m.Traceparent != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, traceparent(m.Traceparent))
	}
	ctx, span := otel.Tracer(tracerName).Start(ctx, "process "+m.Topic, trace.WithSpanKind(trace.SpanKindConsumer))
	if span.IsRecording() {
		span.SetAttributes(
			attribute.String("messaging.system", "kafka"),
			attribute.String("messaging.operation.type", "process"),
			attribute.String("messaging.destination.name", m.Topic),
			attribute.String("messaging.consumer.group.name", consumer),
			attribute.Int("messaging.destination.partition.id", int(m.Partition)),
			attribute.Int64("messaging.kafka.offset", m.Offset),
			attribute.String("messaging.kafka.message.key", m.Key),
			attribute.String("messaging.message.id", m.ID),
			attribute.String("messaging.message.conversation_id", m.CorrelationID),
			attribute.String("cloudevents.event_type", m.Type),
			attribute.Int("pabal.attempt", m.Attempt),
		)
	}
	return ctx, span
}

// startGroupSpan begins the consumer span of several messages, which links to
// those that sent them.
func startGroupSpan(ctx context.Context, consumer string, ms []Message) (context.Context, trace.Span) {
	first := ms[0]
	ctx, span := otel.Tracer(tracerName).Start(ctx, "process "+first.Topic, trace.WithSpanKind(trace.SpanKindConsumer))
	if !span.IsRecording() {
		return ctx, span
	}
	span.SetAttributes(
		attribute.String("messaging.system", "kafka"),
		attribute.String("messaging.operation.type", "process"),
		attribute.String("messaging.destination.name", first.Topic),
		attribute.String("messaging.consumer.group.name", consumer),
		attribute.Int("messaging.destination.partition.id", int(first.Partition)),
		attribute.Int("messaging.batch.message_count", len(ms)),
	)
	for _, m := range ms {
		if m.Traceparent != "" {
			sender := propagation.TraceContext{}.Extract(context.Background(), traceparent(m.Traceparent))
			span.AddLink(trace.LinkFromContext(sender, attribute.String("messaging.message.id", m.ID)))
		}
	}
	return ctx, span
}

func endSpan(span trace.Span, err error) {
	if err != nil && span.IsRecording() {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

// traceparent is a carrier of that one header.
type traceparent string

func (t traceparent) Get(key string) string {
	if key == "traceparent" {
		return string(t)
	}
	return ""
}
func (traceparent) Set(string, string) {}
func (traceparent) Keys() []string     { return []string{"traceparent"} }
