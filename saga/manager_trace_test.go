package saga_test

import (
	"testing"

	"github.com/pabal-dev/pabal/saga"
	"go.opentelemetry.io/otel"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

const (
	sendersTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	sendersParent = "00-" + sendersTrace + "-00f067aa0ba902b7-01"
)

func TestTraceGoesOnFromAnswerToCommand(t *testing.T) {
	w := onSQLite(t)
	m := w.manager(w.config(journey(1)))
	w.start(m, "t1", "t2")
	deliver := func() (traceparents map[string]string) {
		first := answer("t1", "flight", saga.Succeeded)
		first.Traceparent = sendersParent
		w.mustDeliver(m, first, answer("t2", "flight", saga.Succeeded))
		traceparents = map[string]string{}
		for _, row := range w.sent() {
			if row.Topic == "hotel-request" {
				traceparents[row.Key] = row.Traceparent
			}
		}
		return traceparents
	}
	if got := deliver(); got["t1"] != sendersParent || got["t2"] != "" {
		t.Errorf("without an SDK: %v", got)
	}

	recorder := tracetest.NewSpanRecorder()
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)))
	defer otel.SetTracerProvider(before)
	second := answer("t1", "hotel", saga.Succeeded)
	second.Traceparent = sendersParent
	w.mustDeliver(m, second)
	spans := recorder.Ended()
	if len(spans) != 1 || spans[0].Name() != "saga trip" || spans[0].Parent().SpanID().String() != "00f067aa0ba902b7" {
		t.Fatalf("spans %v", spans)
	}
	for _, row := range w.sent() {
		want := "00-" + sendersTrace + "-" + spans[0].SpanContext().SpanID().String() + "-01"
		if row.Topic == "car-request" && row.Traceparent != want {
			t.Errorf("the command's traceparent is %s, want the decision's, %s", row.Traceparent, want)
		}
	}
}
