package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/saga"
)

// overviewPart is how long a part of the overview may take.
const overviewPart = 1500 * time.Millisecond

// Latest transactions and violations in an overview.
const (
	latestTraces   = 10
	mostViolations = 50
	mostReviews    = 20
)

// Overview asks all engines at the same time. A part that does not answer within
// 1.5 s is named in Problems; the others are there.
func (e Engines) Overview(ctx context.Context) Overview {
	o := Overview{At: time.Now().UTC(), Version: e.Version, Topics: -1, Groups: -1, DeadLetters: -1}
	g := gathering{ctx: ctx}
	part(&g, "cluster", e.Topics.Cluster, func(c Cluster) { o.Cluster = c })
	if e.Broker != nil {
		part(&g, "broker", e.Broker.BrokerState, func(s BrokerState) { o.Broker = &s })
	}
	part(&g, "topics", func(ctx context.Context) (int64, error) {
		return count(ctx, e.Topics.Topics, TopicQuery{PageQuery: PageQuery{Limit: 1}})
	},
		func(n int64) { o.Topics = n })
	part(&g, "groups", func(ctx context.Context) (int64, error) { return count(ctx, e.Groups.Groups, PageQuery{Limit: 1}) },
		func(n int64) { o.Groups = n })
	part(&g, "services", e.Services.Services, func(s []Service) { o.Services = s })
	part(&g, "dead letters", func(ctx context.Context) (int64, error) {
		return count(ctx, e.DeadLetters.Letters, LetterQuery{PageQuery: PageQuery{Limit: 1}, State: "open"})
	},
		func(n int64) { o.DeadLetters = n })
	part(&g, "index", e.Lens.State, func(s LensState) { o.Lens = s })
	part(&g, invariants, e.Lens.Violations, func(v []Violation) { o.Violations = v[:min(len(v), mostViolations)] })
	part(&g, "latest transactions", func(ctx context.Context) (Page[TraceSummary], error) {
		return e.Lens.Search(ctx, TraceQuery{PageQuery{Limit: latestTraces}})
	}, func(p Page[TraceSummary]) { o.Latest = p.Items })
	part(&g, reviews, func(ctx context.Context) (SagaList, error) {
		return e.Sagas(ctx, SagaQuery{Status: []saga.Status{saga.NeedsReview}, Limit: mostReviews})
	}, func(l SagaList) {
		o.Review, o.ReviewMore = l.Items, l.Next != nil
		for _, p := range l.Problems {
			g.problems = append(g.problems, reviews+": "+p)
		}
	})
	o.Problems = g.wait()
	return o
}

// invariants is the part of an overview that has the violations, reviews the one with
// the sagas that wait for a person.
const (
	invariants = "invariants"
	reviews    = "sagas"
)

// ViolationsKnown says whether the invariants could be asked for, so that none in
// Violations means none.
func (o Overview) ViolationsKnown() bool { return o.knows(invariants) }

// ReviewKnown says whether all sagas could be asked for.
func (o Overview) ReviewKnown() bool { return o.knows(reviews) }

func (o Overview) knows(part string) bool {
	return !slices.ContainsFunc(o.Problems, func(p string) bool { return strings.HasPrefix(p, part+":") })
}

// count is how many a list has.
func count[Q, T any](ctx context.Context, list func(context.Context, Q) (Page[T], error), q Q) (int64, error) {
	page, err := list(ctx, q)
	return page.Total, err
}

// gathering asks for parts at the same time.
type gathering struct {
	ctx      context.Context
	running  sync.WaitGroup
	mu       sync.Mutex
	problems []string
}

// part asks for one, and keeps it where it came in time.
func part[T any](g *gathering, name string, ask func(context.Context) (T, error), keep func(T)) {
	g.running.Go(func() {
		ctx, cancel := context.WithTimeout(g.ctx, overviewPart)
		defer cancel()
		answer, err := ask(ctx)
		g.mu.Lock()
		defer g.mu.Unlock()
		if err != nil {
			g.problems = append(g.problems, fmt.Sprintf("%s: %v", name, reason(ctx, err)))
			return
		}
		keep(answer)
	})
}

// reason puts a time-out, which every layer says in its own words, in plain ones.
func reason(ctx context.Context, err error) error {
	if ctx.Err() == context.DeadlineExceeded {
		return fmt.Errorf("no answer within %s", overviewPart)
	}
	return err
}

// wait returns the problems, by name of the part.
func (g *gathering) wait() []string {
	g.running.Wait()
	slices.Sort(g.problems)
	return g.problems
}
