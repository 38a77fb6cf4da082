package outbox

import (
	"context"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const tracerName = "github.com/pabal-dev/pabal/outbox"

const traceparentHeader = "ce_traceparent"

// spans are the producer spans of a batch, one for each record whose event has
// a trace context; nil where nobody records them.
type spans struct {
	all   []trace.Span
	place []int // of the record
}

// startSpans continues each record's trace: where the span is recorded, the
// record carries its context in place of the stored one.
func startSpans(ctx context.Context, records []*kgo.Record) spans {
	var s spans
	tracer := otel.Tracer(tracerName)
	for i, r := range records {
		h := traceHeader(r)
		if h == nil {
			continue
		}
		carrier := propagation.MapCarrier{"traceparent": string(h.Value)}
		parent := propagation.TraceContext{}.Extract(ctx, carrier)
		spanned, span := tracer.Start(parent, "send "+r.Topic, trace.WithSpanKind(trace.SpanKindProducer))
		if !span.IsRecording() {
			span.End()
			continue
		}
		span.SetAttributes(attribute.String("messaging.system", "kafka"), attribute.String("messaging.operation.type", "send"),
			attribute.String("messaging.destination.name", r.Topic), attribute.String("messaging.kafka.message.key", string(r.Key)))
		propagation.TraceContext{}.Inject(spanned, carrier)
		h.Value = []byte(carrier["traceparent"])
		s.all, s.place = append(s.all, span), append(s.place, i)
	}
	return s
}

func traceHeader(r *kgo.Record) *kgo.RecordHeader {
	for i := range r.Headers {
		if strings.EqualFold(r.Headers[i].Key, traceparentHeader) {
			return &r.Headers[i]
		}
	}
	return nil
}

// end ends them; errs is nil where all records are in the log.
func (s spans) end(errs []error, err error) {
	for i, span := range s.all {
		failed := err
		if failed == nil && errs != nil {
			failed = errs[s.place[i]]
		}
		if failed != nil {
			span.RecordError(failed)
			span.SetStatus(codes.Error, "not published")
		}
		span.End()
	}
}
