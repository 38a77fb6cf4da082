package outbox

import (
	"context"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func TestTraceGoesOnThroughTheRelay(t *testing.T) {
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	recorder := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder))
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(provider)
	t.Cleanup(func() { otel.SetTracerProvider(before) })

	ctx, request := provider.Tracer("test").Start(context.Background(), "request")
	traced, plain := message("orders", "k", 1), message("orders", "k", 2)
	traced.Traceparent = traceparentOf(ctx)
	store.enqueue(traced, plain)
	startRelay(t, store, cluster, fast())
	seen := readTopics(t, cluster, "orders")
	eventually(t, "both records", func() bool { return seen.count() == 2 })
	var sent sdk.ReadOnlySpan
	eventually(t, "the span", func() bool {
		for _, s := range recorder.Ended() {
			if s.Name() == "send orders" {
				sent = s
			}
		}
		return sent != nil
	})
	if sent.SpanKind() != trace.SpanKindProducer || sent.Parent().SpanID() != request.SpanContext().SpanID() {
		t.Errorf("span %+v is no producer's child of the request", sent)
	}
	_, events := seen.all()
	for _, e := range events {
		switch e.ID {
		case traced.Event.ID:
			if !strings.Contains(e.Traceparent, sent.SpanContext().SpanID().String()) || !strings.Contains(e.Traceparent, request.SpanContext().TraceID().String()) {
				t.Errorf("traceparent %s", e.Traceparent)
			}
		case plain.Event.ID:
			if e.Traceparent != "" {
				t.Errorf("a trace out of nothing: %s", e.Traceparent)
			}
		}
	}
}
