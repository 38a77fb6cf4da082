package inbox_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

const (
	sendersTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	sendersParent = "00-" + sendersTrace + "-00f067aa0ba902b7-01"
)

// answering is a handler that enqueues an answer, as handlers do.
func answering(ctx context.Context, tx storage.Tx, m inbox.Message) error {
	if m.Key == "bad" {
		return inbox.Permanent(errBoom)
	}
	return outbox.Enqueue(ctx, tx, event.New("answer", m.Key, 1).CausedBy(m.Event))
}

func (e *env) answers() []event.Event {
	var all []event.Event
	for _, row := range e.outbox() {
		if row.Topic == "answer" {
			all = append(all, row.Event)
		}
	}
	return all
}

func TestTraceGoesOn(t *testing.T) {
	e := embedded(t)
	topic := e.topic("orders", 1)
	question := newEvent("a", 1)
	question.Traceparent = sendersParent
	e.send(topic, 0, question)
	e.start(e.db, e.config("plain", topic, answering))
	testenv.Wait(t, "the answer", soon, func() bool { return len(e.answers()) == 1 })
	if got := e.answers()[0].Traceparent; got != sendersParent {
		t.Errorf("without an SDK the answer's traceparent is %s", got)
	}

	recorder := tracetest.NewSpanRecorder()
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)))
	defer otel.SetTracerProvider(before)
	bad := newEvent("bad", 1)
	bad.Traceparent = sendersParent
	c := e.start(e.db, e.config("traced", topic, answering))
	testenv.Wait(t, "the second answer", soon, func() bool { return len(e.answers()) == 2 })
	e.send(topic, 0, bad)
	testenv.Wait(t, "the dead letter", soon, func() bool { return c.Stats().Dead == 1 })
	var good, failed sdk.ReadOnlySpan
	for _, span := range recorder.Ended() {
		if span.Status().Code == codes.Error {
			failed = span
		} else {
			good = span
		}
	}
	if good == nil || failed == nil {
		t.Fatalf("spans: %v", recorder.Ended())
	}
	if good.Name() != "process orders" || good.SpanContext().TraceID().String() != sendersTrace || good.Parent().SpanID().String() != "00f067aa0ba902b7" {
		t.Errorf("span %s of trace %s, parent %s", good.Name(), good.SpanContext().TraceID(), good.Parent().SpanID())
	}
	want := "00-" + sendersTrace + "-" + good.SpanContext().SpanID().String() + "-01"
	if got := e.answers()[1].Traceparent; got != want {
		t.Errorf("the answer's traceparent is %s, want the consumer's span %s", got, want)
	}
}

func TestSpanOfAGroupLinksToTheSenders(t *testing.T) {
	e := embedded(t)
	topic := e.topic("orders", 1)
	events := many(3, 3)
	for i := range events[:2] {
		events[i].Traceparent = sendersParent
	}
	e.send(topic, 0, events...)
	recorder := tracetest.NewSpanRecorder()
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)))
	defer otel.SetTracerProvider(before)
	var seen calls
	c := e.start(e.db, e.grouped("payment", topic, e.recordGroup("payment", &seen)))
	e.waitEffects("payment", 3)
	e.waitIdle(c, 1)
	links := 0
	for _, span := range recorder.Ended() {
		if span.Name() != "process orders" {
			t.Errorf("span %s", span.Name())
		}
		for _, link := range span.Links() {
			if link.SpanContext.TraceID().String() != sendersTrace {
				t.Errorf("a link to trace %s", link.SpanContext.TraceID())
			}
			links++
		}
		if span.Parent().IsValid() {
			links++ // a group of one is a child of its sender
		}
	}
	if links != 2 {
		t.Errorf("%d links to senders, want 2", links)
	}
}

func TestNothingRunsAfterStop(t *testing.T) {
	e := embedded(t)
	topic := e.topic("orders", 4)
	e.send(topic, 0, many(50, 5)...)
	config := e.config("payment", topic, e.record("payment"))
	for range 3 {
		c := e.start(e.db, config)
		e.waitIdle(c, 4)
		e.stop(c)
		noneLeft(t)
	}
}

// noneLeft allows for a goroutine that has done everything but return.
func noneLeft(t *testing.T) {
	t.Helper()
	left := ours()
	defer func() {
		if left != "" {
			t.Logf("these still run:\n%s", left)
		}
	}()
	testenv.Wait(t, "all goroutines to end", time.Second, func() bool { left = ours(); return left == "" })
}

// ours are the stacks of goroutines in package inbox.
func ours() string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var left []string
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "pabal/inbox.") && !strings.Contains(stack, "inbox_test.ours") {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}
