package storagetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/saga"
)

func sagaListCases[T saga.Tx]() map[string]func(sagaCase[T], *testing.T) {
	return map[string]func(sagaCase[T], *testing.T){
		"what matches":    sagaCase[T].listMatches,
		"pages":           sagaCase[T].listPages,
		"the most":        sagaCase[T].listMost,
		"counts":          sagaCase[T].counts,
		"counts, changed": sagaCase[T].countsChanged,
	}
}

func (c sagaCase[T]) list(t *testing.T, q saga.Query) []saga.Record {
	t.Helper()
	found, err := c.db.Sagas(t.Context(), q)
	must(t, err)
	return found
}

func (c sagaCase[T]) listMatches(t *testing.T) {
	a, b, d := dueAt(sagaRecord("a", 5), time.Hour), sagaRecord("b", 4), sagaRecord("d", 3)
	b.Status, b.Reason = saga.NeedsReview, "why"
	over := ended(sagaRecord("over", 2), saga.Completed, time.Minute)
	foreign := sagaRecord("a", 6)
	foreign.Name, foreign.CorrelationID = "another", d.CorrelationID
	c.insert(t, a, b, d, over, foreign)
	before := d.Started.Add(time.Microsecond)
	for what, check := range map[string]struct {
		query saga.Query
		want  []saga.Record
	}{
		"all":                      {saga.Query{}, []saga.Record{a, b, d, over, foreign}},
		"by name":                  {saga.Query{Name: theSaga}, []saga.Record{a, b, d, over}},
		"by id":                    {saga.Query{ID: "a"}, []saga.Record{a, foreign}},
		"by name and id":           {saga.Query{Name: "another", ID: "a"}, []saga.Record{foreign}},
		"by correlation":           {saga.Query{CorrelationID: d.CorrelationID}, []saga.Record{d, foreign}},
		"by correlation and name":  {saga.Query{CorrelationID: d.CorrelationID, Name: theSaga}, []saga.Record{d}},
		"by correlation and id":    {saga.Query{CorrelationID: d.CorrelationID, ID: "b"}, nil},
		"by status":                {saga.Query{Status: []saga.Status{saga.NeedsReview}}, []saga.Record{b}},
		"by statuses":              {saga.Query{Status: []saga.Status{saga.Completed, saga.NeedsReview, saga.Completed}}, []saga.Record{b, over}},
		"by status, none":          {saga.Query{Status: []saga.Status{saga.Resolved}}, nil},
		"by age":                   {saga.Query{StartedBefore: before}, []saga.Record{d, over}},
		"by age, which is before":  {saga.Query{StartedBefore: d.Started}, []saga.Record{over}},
		"by everything":            {saga.Query{Name: theSaga, ID: "d", CorrelationID: d.CorrelationID, Status: []saga.Status{saga.Running}, StartedBefore: before}, []saga.Record{d}},
		"after a place":            {saga.Query{After: &saga.Place{Started: d.Started, Name: theSaga, ID: "d"}}, []saga.Record{b, a, foreign}},
		"after what was never":     {saga.Query{After: &saga.Place{Started: d.Started, Name: theSaga, ID: "c"}}, []saga.Record{d, b, a, foreign}},
		"after it, in a name":      {saga.Query{Name: "another", After: &saga.Place{Started: d.Started, Name: theSaga, ID: "d"}}, []saga.Record{foreign}},
		"after a place, by status": {saga.Query{Status: []saga.Status{saga.Running}, After: &saga.Place{Started: d.Started, Name: theSaga, ID: "d"}}, []saga.Record{a, foreign}},
	} {
		sameSagas(t, what, c.list(t, check.query), listed(check.want...)...)
	}
	equal(t, "limited", len(c.list(t, saga.Query{Limit: 2})), 2)
}

// listPages: many start at the same time, under several names.
func (c sagaCase[T]) listPages(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var all []saga.Record
	for i := range 150 {
		r := sagaRecord(fmt.Sprint([]string{"x", "Y", "é"}[random.IntN(3)], i), random.IntN(4))
		r.Name = []string{"B", "a", "b-2", "주문"}[random.IntN(4)]
		r.Status = []saga.Status{saga.Running, saga.Compensating, saga.NeedsReview}[random.IntN(3)]
		r.CorrelationID = fmt.Sprint("c", random.IntN(3))
		all = append(all, r)
	}
	c.insert(t, all...)
	for _, q := range []saga.Query{{}, {Name: "b-2"}, {Status: []saga.Status{saga.Running}}, {CorrelationID: "c1"},
		{Name: "a", Status: []saga.Status{saga.NeedsReview, saga.Running}, StartedBefore: sagaEpoch.Add(2 * time.Second)}} {
		var want []saga.Record
		for _, r := range all {
			if (q.Name == "" || q.Name == r.Name) && (len(q.Status) == 0 || slices.Contains(q.Status, r.Status)) &&
				(q.CorrelationID == "" || q.CorrelationID == r.CorrelationID) && (q.StartedBefore.IsZero() || r.Started.Before(q.StartedBefore)) {
				want = append(want, r)
			}
		}
		var got []saga.Record
		for q.Limit = 7; ; {
			page := c.list(t, q)
			got = append(got, page...)
			if len(page) < q.Limit {
				break
			}
			last := page[len(page)-1]
			q.After = &saga.Place{Started: last.Started, Name: last.Name, ID: last.ID}
		}
		sameSagas(t, fmt.Sprintf("%+v", q), got, listed(want...)...)
	}
}

func (c sagaCase[T]) listMost(t *testing.T) {
	var all []saga.Record
	for i := range saga.MaxInspect + 5 {
		all = append(all, sagaRecord(fmt.Sprint(i), i))
	}
	c.insert(t, all...)
	equal(t, "by default", len(c.list(t, saga.Query{})), 100)
	sameSagas(t, "at most", c.list(t, saga.Query{Limit: saga.MaxInspect}), listed(all[:saga.MaxInspect]...)...)
}

func (c sagaCase[T]) counts(t *testing.T) {
	foreign := sagaRecord("a", 9)
	foreign.Name = "another"
	c.insert(t, sagaRecord("a", 3), sagaRecord("b", 2), sagaRecord("c", 4), foreign,
		ended(sagaRecord("d", 1), saga.Completed, 0), ended(sagaRecord("e", 8), saga.NeedsReview, 0))
	c.countsAre(t,
		saga.Count{Name: theSaga, Status: saga.Running, Count: 3, Oldest: sagaEpoch.Add(2 * time.Second)},
		saga.Count{Name: theSaga, Status: saga.Completed, Count: 1, Oldest: sagaEpoch.Add(time.Second)},
		saga.Count{Name: theSaga, Status: saga.NeedsReview, Count: 1, Oldest: sagaEpoch.Add(8 * time.Second)},
		saga.Count{Name: "another", Status: saga.Running, Count: 1, Oldest: sagaEpoch.Add(9 * time.Second)})
}

func (c sagaCase[T]) countsChanged(t *testing.T) {
	a, b := sagaRecord("a", 3), sagaRecord("b", 2)
	c.insert(t, a, b)
	c.save(t, ended(b, saga.Compensated, 0), next(a))
	c.countsAre(t, saga.Count{Name: theSaga, Status: saga.Running, Count: 1, Oldest: a.Started},
		saga.Count{Name: theSaga, Status: saga.Compensated, Count: 1, Oldest: b.Started})
}

// countsAre compares in any order.
func (c sagaCase[T]) countsAre(t *testing.T, want ...saga.Count) {
	t.Helper()
	got, err := c.db.SagaCounts(t.Context())
	must(t, err)
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Fatalf("counts %+v, want %+v among them", got, w)
		}
	}
	equal(t, "counts", len(got), len(want))
}
