package pages

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
)

type overviewBody struct {
	part[api.Overview]
	Chain chain
	// Waiting and Failed sum up outbox rows of all services, Parked messages that
	// consumers keep for later.
	Pending, Failed, Waiting int64
	Down                     int
	// Projections that run, how many events they are behind (-1: not known), and how
	// many do not go on.
	Projections   int
	Lag           int64
	FailedToApply int
}

// Knows says whether a part of the overview could be asked, so that nothing there
// means nothing.
func (b overviewBody) Knows(name string) bool {
	return b.Problem == nil && !slices.ContainsFunc(b.Value.Problems, func(p string) bool { return strings.HasPrefix(p, name+":") })
}

func (h *handler) overview(ctx context.Context, _ *http.Request) (content, error) {
	b := overviewBody{part: ask(h.Overview(ctx))}
	b.Chain = chainOf(byName(b.Value.Services))
	for _, s := range byName(b.Value.Services) {
		b.Pending += s.Backlog.Started
		b.Failed += s.Backlog.Failed
		b.Waiting += s.Waiting
		b.Down += s.Down
	}
	b.Lag = -1
	for _, p := range api.RunningProjections(b.Value.Services) {
		b.Projections++
		if p.LagEvents >= 0 {
			b.Lag = max(b.Lag, 0) + p.LagEvents
		}
		if p.Failed() {
			b.FailedToApply++
		}
	}
	return content{template: "overview", title: "Overview", section: "overview", body: b}, nil
}
