package pages

import (
	"context"
	"net/http"

	"github.com/pabal-dev/pabal/console/api"
)

type tracesBody struct {
	Query  api.TraceQuery
	Traces part[api.Page[api.TraceSummary]]
	Lens   part[api.LensState]
}

func (h *handler) traces(ctx context.Context, r *http.Request) (content, error) {
	b := tracesBody{Query: api.TraceQuery{PageQuery: pageQuery(r)}}
	var err error
	gather(
		func() {
			var page api.Page[api.TraceSummary]
			page, err = h.Engines.Lens.Search(ctx, b.Query)
			b.Traces = ask(page, err)
		},
		func() { b.Lens = ask(h.Engines.Lens.State(ctx)) },
	)
	return content{template: "traces", title: "Transactions", section: "traces", body: b}, onlyFatal(err)
}

// traceBody is the transaction lens.
type traceBody struct {
	ID string
	part[api.Trace]
	Graph flow
	Steps []step
	Stuck *stuck
	// Tally counts hops by state, in the order of first appearance.
	Tally []tally
	// TookMicros from its begin to the end so far.
	TookMicros int64
}

// stuck is the panel on top: where it is stuck, why and what to do.
type stuck struct {
	api.Stuck
	Reason string // the cause in a few words
	Step   *step  // nil where the hop is not in the trace
}

type tally struct {
	State api.HopState
	Count int
}

func (h *handler) trace(ctx context.Context, r *http.Request) (content, error) {
	b := traceBody{ID: r.PathValue("id")}
	trace, err := h.Engines.Lens.Trace(ctx, b.ID)
	b.part = ask(trace, err)
	b.Steps = stepsOf(trace)
	b.Graph = flowOf(trace, b.Steps)
	b.Stuck = stuckOf(trace, b.Steps)
	b.Tally = tallyOf(trace.Hops)
	b.TookMicros = trace.End.Sub(trace.Begin).Microseconds()
	return content{template: "trace", title: "Transaction " + b.ID, section: "traces", body: b}, onlyFatal(err)
}

func stuckOf(t api.Trace, steps []step) *stuck {
	if t.Stuck == nil {
		return nil
	}
	s := &stuck{Stuck: *t.Stuck, Reason: causes[t.Stuck.Cause]}
	if s.Reason == "" {
		s.Reason = words(t.Stuck.Cause)
	}
	for i := range steps {
		if steps[i].ID == t.Stuck.Hop {
			s.Step = &steps[i]
		}
	}
	return s
}

// causes in the words of people.
var causes = map[api.Cause]string{
	api.CauseServiceAway:  "The service does not answer",
	api.CauseRelayStopped: "The relay does not publish",
	api.CauseRowFailed:    "The outbox row was given up (FAILED)",
	api.CauseRowRefused:   "Kafka refuses the outbox row",
	api.CauseKafkaAway:    "Kafka does not answer",
	api.CauseLag:          "The consumer has not come this far (lag)",
	api.CauseHandlerError: "The handler fails and is tried again",
	api.CauseBehind:       "It waits behind an earlier message of its key",
	api.CauseParked:       "Its key is parked",
	api.CauseDeadLetter:   "The message was given up (dead letter)",
	api.CauseNoAnswer:     "An answer that was owed did not come",
	api.CauseSagaReview:   "A saga needs somebody",
	api.CauseSagaWaits:    "A saga waits for an answer",
	api.CauseUnknown:      "The cause is not known",
}

func tallyOf(hops []api.Hop) []tally {
	var all []tally
next:
	for _, hop := range hops {
		for i := range all {
			if all[i].State == hop.State {
				all[i].Count++
				continue next
			}
		}
		all = append(all, tally{hop.State, 1})
	}
	return all
}
