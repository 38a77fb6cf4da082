package saga

import (
	"context"

	"github.com/pabal-dev/pabal/event"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const tracerName = "github.com/pabal-dev/pabal/saga"

// startSpan begins the span of a decision as a child of the one that sent its
// cause. traceparent is what the messages carry: without an SDK the sender's.
func (m *Manager[T, S]) startSpan(ctx context.Context, id string, cause event.Event) (span trace.Span, traceparent string) {
	caller := trace.SpanContextFromContext(ctx)
	if cause.Traceparent != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": cause.Traceparent})
	}
	ctx, span = otel.Tracer(tracerName).Start(ctx, "saga "+m.name)
	if !span.IsRecording() {
		return span, cause.Traceparent
	}
	span.SetAttributes(
		attribute.String("pabal.saga.name", m.name),
		attribute.String("pabal.saga.id", id),
		attribute.String("messaging.message.id", cause.ID),
		attribute.String("cloudevents.event_type", cause.Type),
	)
	if caller.IsValid() && cause.Traceparent != "" {
		span.AddLink(trace.Link{SpanContext: caller})
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return span, carrier["traceparent"]
}

func endSpan(span trace.Span, err error) {
	if err != nil && span.IsRecording() {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}
