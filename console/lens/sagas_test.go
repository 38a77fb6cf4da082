package lens

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/fleet"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv/tripservice"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
)

// placing is a saga that sent e1 and waits for its answer since then.
func placing(change func(*sagaFact)) sagaFact {
	s := sagaFact{service: "order", SagaDetail: admin.SagaDetail{
		SagaLine: admin.SagaLine{Name: "place", ID: "order-1", Revision: 4, Status: saga.Running, Started: at(0), Changed: at(0)}, Operable: true,
		Steps:   []saga.StepState{{Name: "pay", Phase: saga.StepRunning, Attempt: 1, Command: "e1", Since: at(0)}},
		Timers:  []saga.Timer{{Kind: saga.TimeoutTimer, Step: "pay", Attempt: 1, Due: at(60_000)}},
		Entries: []saga.Entry{{At: at(0), Kind: saga.EntryCommand, Step: "pay", Attempt: 1, MessageID: "e1", Type: "pay", Topic: request}},
	}}
	if change != nil {
		change(&s)
	}
	return s
}

func park(s *sagaFact) {
	s.Status, s.Reason = saga.NeedsReview, "compensation of pay: the account is closed"
	s.Steps[0].Phase, s.Steps[0].Parked, s.Timers = saga.StepUndoFailed, true, nil
}

// TestSagaSituations: a saga that needs somebody comes before all, one that waits after
// the hops, which may be why.
func TestSagaSituations(t *testing.T) {
	const retry = `services/order/sagas/place/order-1/act {"do":"retry","reason":"retried from the transaction","revision":4,"step":"pay"}`
	for name, c := range map[string]struct {
		change func(*situation)
		sagas  []sagaFact
		now    int
		// stuck is "kind cause", kind "" for no hop; action its path and body.
		stuck, action string
		explains      []string
		complete      bool
	}{
		"ended":         {sagas: []sagaFact{placing(func(s *sagaFact) { s.Status = saga.Completed })}, complete: true},
		"a moment":      {sagas: []sagaFact{placing(nil)}, now: 100},
		"waits":         {sagas: []sagaFact{placing(nil)}, stuck: "consume saga-waits", explains: []string{"10s", "step pay", "attempt 1", "payment-service handled it", "ends at"}},
		"no consumer":   {sagas: []sagaFact{placing(func(s *sagaFact) { s.Entries[0].Topic = "elsewhere" })}, change: func(s *situation) { s.lose("e1") }, stuck: " saga-waits", explains: []string{"No consumer"}},
		"without end":   {sagas: []sagaFact{placing(func(s *sagaFact) { s.Timers = nil })}, stuck: "consume saga-waits", action: retry, explains: []string{"No timer ends"}},
		"not operable":  {sagas: []sagaFact{placing(func(s *sagaFact) { s.Timers, s.Operable = nil, false })}, stuck: "consume saga-waits"},
		"sends nothing": {sagas: []sagaFact{placing(func(s *sagaFact) { s.Steps[0].Command, s.Entries = "", nil })}, stuck: " saga-waits", explains: []string{"an event of others that answers step pay"}},
		"to be retried": {now: 100, sagas: []sagaFact{placing(func(s *sagaFact) {
			s.Timers[0] = saga.Timer{Kind: saga.RetryTimer, Step: "pay", Attempt: 2, Due: at(5000)}
			s.Steps[0].Reason = "no account"
		})}, stuck: " saga-waits", explains: []string{"about to send attempt 2", "no account", "Nothing needs to be done"}},
		"undoes": {sagas: []sagaFact{placing(func(s *sagaFact) {
			s.Status, s.Steps[0].Phase, s.Steps[0].Undo, s.Entries[0].Kind = saga.Compensating, saga.StepUndoing, 3, saga.EntryUndo
			s.Timers[0].Kind = saga.UndoTimeoutTimer
		})}, stuck: "consume saga-waits", explains: []string{"the compensation of pay to message pay", "attempt 3"}},
		"two steps": {sagas: []sagaFact{placing(nil), placing(func(s *sagaFact) { s.ID, s.Steps[0].Since = "later", at(50); s.Entries = nil })},
			stuck: "consume saga-waits", explains: []string{"1 other step"}},
		"only the deadline": {sagas: []sagaFact{placing(func(s *sagaFact) { s.Timers[0] = saga.Timer{Kind: saga.DeadlineTimer, Due: at(90_000)} })},
			stuck: "consume saga-waits", explains: []string{"deadline of the whole"}},
		"needs somebody": {now: 100, sagas: []sagaFact{placing(func(s *sagaFact) { s.ID = "other" }), placing(park)},
			stuck: "consume saga-needs-review", action: retry, explains: []string{"place order-1 of order", "the account is closed"}},
		"needs somebody, and why": {sagas: []sagaFact{placing(park)},
			change: func(s *situation) {
				s.row(outbox.Failed, func(r *outbox.StoredRow) { r.Attempts, r.Reason = 10, "too large" })
			},
			stuck: "outbox saga-needs-review", action: `services/payment/outbox/replay {"ids":[7]}`, explains: []string{"the account is closed", "Behind it may be", "too large"}},
		"a hop is why it waits": {sagas: []sagaFact{placing(nil)},
			change: func(s *situation) {
				s.lose("e2")
				s.waiting("payment", "e1", func(w *inbox.StoredWaiting) { w.Attempts, w.Reason, w.Next = 2, "no such table", at(20_000) })
			},
			stuck: "consume handler-error", explains: []string{"no such table", "Saga place order-1 of order waits for the answer of step pay"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy()
			if c.change != nil {
				c.change(s)
			}
			s.sagas = c.sagas
			when := at(10_000)
			if c.now > 0 {
				when = at(c.now)
			}
			trace, nodes := draw(s.facts, when)
			stuck := diagnoseSagas(diagnose(nodes, s.facts, when), nodes, s.facts, when)
			got, action := "", ""
			if stuck != nil {
				if stuck.Hop != "" {
					got = string(hopOf(t, trace, stuck.Hop).Kind)
				}
				got += " " + string(stuck.Cause)
				if stuck.Saga == nil || stuck.Saga.Service != "order" {
					t.Errorf("its saga is %+v", stuck.Saga)
				}
				if stuck.Action != nil {
					action = stuck.Action.Path + " " + string(stuck.Action.Body)
					checkAction(t, stuck.Action)
				}
				for _, word := range c.explains {
					if !strings.Contains(stuck.Explanation, word) {
						t.Errorf("%q does not say %q", stuck.Explanation, word)
					}
				}
				t.Log(stuck.Explanation)
			}
			if got != c.stuck || action != c.action || trace.Complete != c.complete {
				t.Errorf("got  %q %q complete %v\nwant %q %q complete %v\n%s", got, action, trace.Complete, c.stuck, c.action, c.complete, picture(trace))
			}
		})
	}
}

// TestSagasOfTransactions: on a whole service, transactions know their sagas, and what
// those wait for; the action that is proposed mends what it should.
func TestSagasOfTransactions(t *testing.T) {
	cluster := kafkatest.Start(t)
	s := tripservice.Start(t, cluster.Config)
	services, err := fleet.New(cluster.Config, fleet.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := services.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { services.Stop(context.Background()) })
	l, _ := run(t, cluster.Config, Config{Services: services, StallAfter: 300 * time.Millisecond})
	s.Book("done", tripservice.Trip{})
	s.Book("waits", tripservice.Trip{Silent: "hotel"})
	s.Book("parked", tripservice.Trip{Refuses: "car", Broken: "flight"})
	s.Arrive("guest", "room-ready")

	traced := func(id string, is func(api.Trace) bool) {
		t.Helper()
		var last api.Trace
		var err error
		defer func() {
			if t.Failed() {
				t.Logf("%s: %+v %+v %v\n%s", id, last.Sagas, last.Stuck, err, picture(last))
			}
		}()
		await(t, "transaction "+id, func() bool {
			last, err = l.Trace(t.Context(), id)
			return err == nil && len(last.Sagas) == 1 && last.Sagas[0].Service == tripservice.Name && is(last)
		})
	}
	traced("done", func(tr api.Trace) bool {
		return tr.Complete && tr.Stuck == nil && tr.Sagas[0].Status == saga.Completed
	})
	traced("waits", func(tr api.Trace) bool {
		return !tr.Complete && tr.Stuck != nil && tr.Stuck.Cause == api.CauseSagaWaits && tr.Stuck.Action == nil && tr.Stuck.Hop != "" &&
			strings.Contains(tr.Stuck.Explanation, "step hotel") && strings.Contains(tr.Stuck.Explanation, "desks handled it")
	})
	traced("guest", func(tr api.Trace) bool {
		return tr.Stuck != nil && tr.Stuck.Cause == api.CauseSagaWaits && strings.Contains(tr.Stuck.Explanation, "breakfast-ready")
	})
	var action *api.Action
	traced("parked", func(tr api.Trace) bool {
		if tr.Stuck == nil || tr.Stuck.Cause != api.CauseSagaReview || tr.Stuck.Action == nil || tr.Stuck.Saga == nil {
			return false
		}
		action = tr.Stuck.Action
		return strings.Contains(tr.Stuck.Explanation, "the flight desk is closed")
	})
	if !strings.HasSuffix(action.Path, "/sagas/trip/parked/act") || !strings.Contains(action.Command, "pabal sagas retry trips trip parked --step flight") {
		t.Errorf("%+v", action)
	}
	s.Mended.Store(true)
	at, err := services.At(t.Context(), tripservice.Name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := at.ActOnSaga(t.Context(), saga.Act{Saga: "trip", ID: "parked", Do: saga.RetryAct, Step: "flight", Reason: "mended"}); err != nil {
		t.Fatal(err)
	}
	traced("parked", func(tr api.Trace) bool {
		return tr.Complete && tr.Stuck == nil && tr.Sagas[0].Status == saga.Compensated
	})
}
