package sagatest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/saga/sagatest"
)

// find explores a model that is wrong.
func find[W, S any](t *testing.T, m sagatest.Model[W, S], want string) *sagatest.Failure {
	t.Helper()
	_, err := sagatest.Explore(m)
	var failure *sagatest.Failure
	if !errors.As(err, &failure) || !strings.Contains(err.Error(), want) {
		t.Fatalf("got %v, want a failure with %q", err, want)
	}
	if _, again := sagatest.Run(m, failure.Schedule); again == nil || !strings.Contains(again.Error(), want) {
		t.Fatalf("run again its schedule says %v, want %q", again, want)
	}
	return failure
}

func TestMistakesOfTheModelAreNamed(t *testing.T) {
	tests := []struct {
		name   string
		change func(*sagatest.Model[shop, order])
		want   string
	}{
		{"definition", func(m *sagatest.Model[shop, order]) { m.Definition.Name = "" }, "Name"},
		{"nothing happens", func(m *sagatest.Model[shop, order]) { m.Start = nil }, "nothing would happen"},
		{"bounds", func(m *sagatest.Model[shop, order]) { m.Crashes = 300 }, "Crashes is 300"},
		{"depth", func(m *sagatest.Model[shop, order]) { m.Depth = -1 }, "Depth is -1"},
		{"acts", func(m *sagatest.Model[shop, order]) { m.Acts = 1 }, "Operator"},
		{"twice", func(m *sagatest.Model[shop, order]) { m.Participants[1].Name = "payment" }, `"payment" of participant 2 is taken`},
		{"saga", func(m *sagatest.Model[shop, order]) { m.Participants[1].Name = "saga" }, "is taken"},
		{"no name", func(m *sagatest.Model[shop, order]) { m.Participants[1].Name = "" }, "participant 2 has no name"},
		{"no handler", func(m *sagatest.Model[shop, order]) { m.Participants[1].Handle = nil }, "needs Topics and Handle"},
		{"request", func(m *sagatest.Model[shop, order]) { m.Requests = make([]sagatest.Request[shop], 1) }, "request 1"},
		{"bound", func(m *sagatest.Model[shop, order]) { m.MaxStates = 100 }, "more than 100 states"},
	}
	for _, tt := range tests {
		m := orders(flaws{})
		tt.change(&m)
		if _, err := sagatest.Explore(m); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		} else if !errors.Is(err, sagatest.ErrModel) && !errors.Is(err, saga.ErrConfig) {
			t.Errorf("%s: %v is no error of a model", tt.name, err)
		}
	}
}

func TestAWorldThatWouldBeLostIsRefused(t *testing.T) {
	type hidden struct{ seen map[string]bool }
	m := sagatest.Model[[]hidden, order]{Definition: definition(flaws{}), Start: func([]hidden) order { return order{} }}
	if _, err := sagatest.Explore(m); !errors.Is(err, sagatest.ErrModel) || !strings.Contains(err.Error(), "hidden.seen is not exported") {
		t.Errorf("got %v", err)
	}
	timed := sagatest.Model[struct{ At time.Time }, order]{Definition: definition(flaws{}), Start: func(struct{ At time.Time }) order { return order{} }}
	if _, err := sagatest.Explore(timed); errors.Is(err, sagatest.ErrModel) {
		t.Errorf("a time is JSON: %v", err)
	}
}

func TestWhatAFunctionDoesWrongHasItsSchedule(t *testing.T) {
	handle := func(f func(w *shop, m outbox.Message) []outbox.Message) func(*sagatest.Model[shop, order]) {
		return func(m *sagatest.Model[shop, order]) {
			m.Participants[0].Handle = func(w *shop, m outbox.Message, _ sagatest.Choose) []outbox.Message { return f(w, m) }
		}
	}
	calls := 0
	tests := []struct {
		name   string
		change func(*sagatest.Model[shop, order])
		want   string
	}{
		{"panic", handle(func(*shop, outbox.Message) []outbox.Message { panic("boom") }), "panicked: boom"},
		{"nobody's topic", handle(func(w *shop, m outbox.Message) []outbox.Message { return answer("payed", m, saga.Succeeded) }), `topic "payed": nobody handles it`},
		{"invalid message", handle(func(w *shop, m outbox.Message) []outbox.Message { return []outbox.Message{{}} }), "cannot be sent"},
		{"unreadable answer", handle(func(w *shop, m outbox.Message) []outbox.Message {
			return []outbox.Message{{Event: event.New("paid", "1", 7)}}
		}), "the saga cannot read charge/1.payment"},
		{"another saga's answer", handle(func(w *shop, m outbox.Message) []outbox.Message {
			sent := answer("paid", m, saga.Succeeded)
			sent[0].Event = sent[0].InTransaction("another")
			return sent
		}), `answers saga "another", and there is only "1"`},
		{"not deterministic", handle(func(w *shop, m outbox.Message) []outbox.Message { calls++; w.Credit = calls; return nil }), "not deterministic"},
		{"no answer", func(m *sagatest.Model[shop, order]) {
			m.Participants[1].Handle = func(*shop, outbox.Message, sagatest.Choose) []outbox.Message { return nil }
		}, "stuck: it is RUNNING"},
		{"invariant panics", func(m *sagatest.Model[shop, order]) {
			m.Invariant = func(shop, saga.Instance[order]) error { panic("boom") }
		}, "Invariant panicked"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := orders(flaws{})
			tt.change(&m)
			_, err := sagatest.Explore(m)
			var failure *sagatest.Failure
			if !errors.As(err, &failure) || !strings.Contains(err.Error(), tt.want) || len(failure.Schedule) == 0 {
				t.Errorf("got %v, want a failure with %q", err, tt.want)
			}
		})
	}
}

func TestDepthCutsSchedules(t *testing.T) {
	m := orders(flaws{})
	m.Depth = 5
	report := sagatest.Check(t, m)
	if report.Depth != 5 || report.Cut == 0 || !strings.Contains(report.String(), "were not followed beyond 5 steps") {
		t.Errorf("%+v: %s", report, report)
	}
	m = orders(flaws{forgetsLateSuccess: true})
	m.Depth = 7 // as long as the shortest that fails
	find(t, m, "compensated, 100 paid")
	m.Depth = 6
	sagatest.Check(t, m)
}

// TestOrderIsKeptPerTopicAndKey, and broken where the model says so.
func TestOrderIsKeptPerTopicAndKey(t *testing.T) {
	m := orders(flaws{})
	m.First = func(shop) []outbox.Message {
		return []outbox.Message{
			{Topic: "stock", Event: event.New("stock", "soup", 7)}, {Topic: "stock", Event: event.New("stock", "soup", 8)},
			{Topic: "stock", Event: event.New("stock", "bread", 1)},
		}
	}
	m.Participants[1].Topics = append(m.Participants[1].Topics, "stock")
	m.Participants[1].Handle = func(w *shop, m outbox.Message, c sagatest.Choose) []outbox.Message {
		if m.Topic != "stock" {
			return approve(w, m, c)
		}
		n, err := event.Decode[int](m.Event)
		if err != nil {
			panic(err)
		}
		if w.Stock == 8 && n == 7 {
			w.Approval = "7 after 8"
		}
		w.Stock = n
		return nil
	}
	m.Duplicates, m.Crashes, m.Cancels, m.Timeouts, m.Final = 0, 0, 0, 0, nil
	m.Invariant = func(w shop, _ saga.Instance[order]) error {
		if w.Approval == "7 after 8" {
			return errors.New(w.Approval)
		}
		return nil
	}
	sagatest.Check(t, m)
	m.Unordered = true
	find(t, m, "7 after 8")
}

// TestAnInboxForgivesDuplicates: a participant that never sees a message twice need not
// care.
func TestAnInboxForgivesDuplicates(t *testing.T) {
	m := orders(flaws{chargesAgain: true})
	m.Participants[0].Inbox, m.Participants[0].NoOutbox = true, false
	m.Timeouts = 0 // a second attempt is another message
	t.Log(sagatest.Check(t, m))
	m = orders(flaws{})
	m.Participants[0].Inbox = true // without an outbox: the answer may be lost, and the message does not come again
	find(t, m, "compensated, 100 paid")
}

// TestOperatorsAct on a saga whose refund cannot be done.
func TestOperatorsAct(t *testing.T) {
	m := orders(flaws{})
	pay := m.Participants[0].Handle
	m.Participants[0].Handle = func(w *shop, m outbox.Message, choose sagatest.Choose) []outbox.Message {
		if m.Topic == "refund" {
			return answer("paid", m, saga.UndoFailed)
		}
		return pay(w, m, choose)
	}
	m.Duplicates, m.Crashes, m.Timeouts, m.Final = 0, 0, 0, nil
	report := sagatest.Check(t, m)
	if report.Ends[saga.NeedsReview] == 0 || report.Ends[saga.Resolved] != 0 {
		t.Errorf("nobody acted: %s", report)
	}
	m.Acts, m.Operator = 1, []saga.ActAction{saga.RetryAct, saga.SkipAct, saga.ForceAct, saga.ResolveAct}
	report = sagatest.Check(t, m)
	if report.Ends[saga.NeedsReview] == 0 || report.Ends[saga.Resolved] == 0 || report.Ends[saga.Compensated] == 0 {
		t.Errorf("an operator resolves, skips and forces: %s", report)
	}
	m.Invariant = func(_ shop, i saga.Instance[order]) error {
		if step, _ := i.Step("charge"); i.Status == saga.Compensated && step.Phase == saga.StepUndoSkipped {
			return errors.New("skipped")
		}
		return nil
	}
	failure := find(t, m, "skipped")
	if code := failure.Test("TestIt", sagatest.Caller{Package: "x"}); !strings.Contains(code, `{Do: sagatest.Operate, Act: "skip", Step: "charge"}`) {
		t.Error(code)
	}
}

// TestRequestsComeAtAnyMoment, and only once.
func TestRequestsComeAtAnyMoment(t *testing.T) {
	m := orders(flaws{})
	m.Duplicates, m.Crashes, m.Timeouts, m.Cancels = 0, 0, 0, 0
	seen := map[string]bool{}
	m.Requests = []sagatest.Request[shop]{{Name: "restock", Do: func(w *shop, _ sagatest.Choose) []outbox.Message {
		w.Stock += 10
		return nil
	}}}
	m.Invariant = func(w shop, i saga.Instance[order]) error {
		seen[fmt.Sprint(w.Stock, w.Payment, w.Approval)] = true
		if w.Stock > 13 {
			return errors.New("twice")
		}
		return nil
	}
	sagatest.Check(t, m)
	for _, want := range []string{"10", "13", "10COMPLETED", "9COMPLETEDAPPROVED", "12COMPLETEDAPPROVED", "2COMPLETEDAPPROVED"} {
		if !seen[want] {
			t.Errorf("%s was not seen, but %v", want, seen)
		}
	}
}
