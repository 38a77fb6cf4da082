package lens

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/saga"
)

// mostSagas of one service are looked at for a transaction.
const mostSagas = 10

// sagaFact is a saga of the transaction. One that has ended has no more than its line.
type sagaFact struct {
	service string
	admin.SagaDetail
}

// sagas asks every service that has some for those of the transaction.
func (c *collecting) sagas(ctx context.Context) {
	a := newAsking()
	for _, s := range c.services.services {
		if s.away != "" || !s.sagas {
			continue
		}
		ask(a, ctx, "sagas of "+s.Name, func(ctx context.Context) ([]sagaFact, error) { return c.sagasOf(ctx, s.Name) },
			func(found []sagaFact) { c.f.sagas = append(c.f.sagas, found...) }, nil)
	}
	c.notes = append(c.notes, a.wait()...)
	slices.SortFunc(c.f.sagas, func(a, b sagaFact) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.service, b.service), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

func (c *collecting) sagasOf(ctx context.Context, service string) ([]sagaFact, error) {
	s, err := c.lens.services.at(ctx, service)
	if err != nil {
		return nil, err
	}
	page, err := s.Sagas(ctx, saga.Query{CorrelationID: c.f.correlation, Limit: mostSagas})
	if err != nil {
		return nil, err
	}
	found := make([]sagaFact, 0, len(page.Sagas))
	for _, line := range page.Sagas {
		f := sagaFact{service, admin.SagaDetail{SagaLine: line}}
		if !line.Status.Ended() {
			if f.SagaDetail, err = s.Saga(ctx, line.Name, line.ID); err != nil {
				return nil, err
			}
		}
		found = append(found, f)
	}
	return found, nil
}

// sagaLines are the sagas as people see them.
func (f *facts) sagaLines() []api.Saga {
	var lines []api.Saga
	for _, s := range f.sagas {
		lines = append(lines, s.line())
	}
	return lines
}

func (s *sagaFact) line() api.Saga { return api.Saga{Service: s.service, SagaLine: s.SagaLine} }

// open says whether a saga of the transaction has not ended.
func (f *facts) open() bool {
	return slices.ContainsFunc(f.sagas, func(s sagaFact) bool { return !s.Status.Ended() })
}

// diagnoseSagas adds to the diagnosis of the hops, which may be nil, what the sagas
// say: one that needs somebody comes first, one that waits where no hop stands still.
func diagnoseSagas(hop *api.Stuck, nodes []*node, f *facts, now time.Time) *api.Stuck {
	if i := slices.IndexFunc(f.sagas, func(s sagaFact) bool { return s.Status == saga.NeedsReview }); i >= 0 {
		return reviewOf(hop, nodes, &f.sagas[i])
	}
	s, w, others := longestWait(f.sagas)
	switch {
	case s == nil:
		return hop
	case hop != nil:
		line := s.line()
		hop.Saga = &line
		hop.Explanation += fmt.Sprintf(" Saga %s waits for %s. %s", s.named(), w.For(), w.Ends())
		return hop
	case now.Sub(w.Since()) < f.stallAfter && !w.Retrying():
		return nil
	}
	return waitOf(nodes, f, s, w, others, now)
}

func (s *sagaFact) named() string { return fmt.Sprintf("%s %s of %s", s.Name, s.ID, s.service) }

// longestWait is what has been waited for the longest, and how many other steps are
// waited for; nil where nothing is.
func longestWait(sagas []sagaFact) (found *sagaFact, longest api.SagaWait, others int) {
	for i := range sagas {
		for _, w := range api.SagaWaits(sagas[i].SagaDetail) {
			if found != nil {
				others++
			}
			if found == nil || w.Since().Before(longest.Since()) {
				found, longest = &sagas[i], w
			}
		}
	}
	return found, longest, others
}

// reviewOf is a saga that needs somebody. A hop that stands still may be why: then what
// mends that is to be done.
func reviewOf(hop *api.Stuck, nodes []*node, s *sagaFact) *api.Stuck {
	line := s.line()
	stuck := &api.Stuck{Cause: api.CauseSagaReview, Since: s.Changed, Saga: &line}
	stuck.Explanation = fmt.Sprintf("Saga %s needs somebody: %s.", s.named(), cmp.Or(s.Reason, "no reason was given"))
	parked := slices.IndexFunc(s.Steps, func(step saga.StepState) bool { return step.Parked })
	if parked >= 0 {
		stuck.Hop = lastHop(nodes, s.Steps[parked].Command)
		stuck.Action = retryStep(s, s.Steps[parked])
	}
	if hop != nil {
		stuck.Explanation += " Behind it may be: " + hop.Explanation
		stuck.Hop = cmp.Or(hop.Hop, stuck.Hop)
		if hop.Action != nil {
			stuck.Action = hop.Action
		}
	}
	return stuck
}

// waitOf is a saga whose participant does not answer, though no hop stands still.
func waitOf(nodes []*node, f *facts, s *sagaFact, w api.SagaWait, others int, now time.Time) *api.Stuck {
	line := s.line()
	stuck := &api.Stuck{Cause: api.CauseSagaWaits, Since: w.Since(), Saga: &line}
	if w.Retrying() {
		stuck.Explanation = fmt.Sprintf("Saga %s is about to send %s. %s Nothing needs to be done.", s.named(), w.For(), w.Ends())
		return stuck
	}
	stuck.Explanation = fmt.Sprintf("Saga %s has waited %s for %s.%s %s", s.named(), duration(now.Sub(w.Since())), w.For(), f.participant(nodes, w), w.Ends())
	if others > 0 {
		stuck.Explanation += fmt.Sprintf(" It waits for %s, too.", plural(others, "other step"))
	}
	if w.Sent != nil {
		stuck.Hop = lastHop(nodes, w.Sent.MessageID)
	}
	if w.Timer == nil {
		stuck.Action = retryStep(s, w.Step)
	}
	return stuck
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// participant tells what is known of who should answer: " name handled it at …, and …".
func (f *facts) participant(nodes []*node, w api.SagaWait) string {
	if w.Sent == nil {
		return ""
	}
	handled := ""
	for _, n := range nodes {
		if n.hop.Kind == api.HopConsume && n.hop.Event != nil && n.hop.Event.ID == w.Sent.MessageID && n.hop.State == api.Done {
			handled = fmt.Sprintf(" %s handled it at %s, and no answer has come.", n.hop.Consumer, clock(n.hop.At))
		}
	}
	if handled == "" && !slices.ContainsFunc(f.consumers, func(c consumerFact) bool { return c.reads(w.Sent.Topic) }) {
		return " No consumer that is known here reads this topic."
	}
	return handled
}

// lastHop is the last hop of an event, "" for none.
func lastHop(nodes []*node, event string) string {
	hop := ""
	for _, n := range nodes {
		if e := n.hop.Event; event != "" && e != nil && e.ID == event && n.hop.Kind != api.HopAnswer {
			hop = n.hop.ID
		}
	}
	return hop
}
