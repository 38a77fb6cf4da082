package outbox

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
)

// traceparentOf is the W3C trace context of ctx's span, empty without one.
func traceparentOf(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}
