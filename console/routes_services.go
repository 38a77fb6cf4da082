package console

import (
	"context"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
)

type servicePath struct {
	Service string `json:"service"`
}

type consumerPath struct {
	Service  string `json:"service"`
	Consumer string `json:"consumer"`
}

var serviceRoutes = []route{
	get("services", "Services that announced themselves, with their state", func(c *Console, ctx context.Context, _ none) ([]api.Service, error) {
		return c.engines.Services.Services(ctx)
	}),
	get("services/{service}", "A service's state, from any of its instances", func(c *Console, ctx context.Context, q servicePath) (admin.Status, error) {
		return at(c, ctx, q.Service, func(s admin.API) (admin.Status, error) { return s.Status(ctx) })
	}),
	get("services/{service}/outbox/rows", "Rows of an outbox, by id", func(c *Console, ctx context.Context, q api.RowQuery) (admin.RowPage, error) {
		return at(c, ctx, q.Service, func(s admin.API) (admin.RowPage, error) { return s.Rows(ctx, q.RowQuery) })
	}),
	get("services/{service}/consumers/{consumer}/waiting", "Messages that wait for a retry or behind another", func(c *Console, ctx context.Context, q api.WaitingQuery) (admin.WaitingPage, error) {
		return at(c, ctx, q.Service, func(s admin.API) (admin.WaitingPage, error) { return s.Waiting(ctx, q.WaitingQuery) })
	}),
	get("services/{service}/consumers/{consumer}/positions", "Where a consumer stands in its database", func(c *Console, ctx context.Context, q consumerPath) ([]inbox.Position, error) {
		return at(c, ctx, q.Service, func(s admin.API) ([]inbox.Position, error) { return s.Positions(ctx, q.Consumer) })
	}),
	get("services/{service}/consumers/{consumer}/marks", "What the inbox says of message ids", func(c *Console, ctx context.Context, q api.MarkQuery) ([]inbox.StoredMark, error) {
		return at(c, ctx, q.Service, func(s admin.API) ([]inbox.StoredMark, error) { return s.Marks(ctx, q.Consumer, q.IDs...) })
	}),
	post("services/{service}/outbox/replay", "Publish FAILED rows again", api.Operator,
		act[api.ReplayRows]{name: "replay rows", target: func(b api.ReplayRows) string { return b.Service }}, replayRows),
	post("services/{service}/outbox/relay", "Pause or resume a relay", api.Operator,
		act[api.PauseRelay]{name: "relay", target: func(b api.PauseRelay) string { return b.Service }}, pauseRelay),
	post("services/{service}/consumers/{consumer}/release", "Let a parked key go on", api.Operator,
		act[api.Release]{name: "release", target: func(b api.Release) string { return b.Service + "/" + b.Consumer }},
		func(c *Console, ctx context.Context, b api.Release) (api.Count, error) {
			return at(c, ctx, b.Service, func(s admin.API) (api.Count, error) {
				n, err := s.Release(ctx, b.Consumer, b.Topic, b.Key)
				return api.Count{Count: n}, err
			})
		}),
	post("services/{service}/consumers/{consumer}/replay", "Handle a partition again from an offset", api.Admin,
		act[api.StartReplay]{name: "replay consumer", target: func(b api.StartReplay) string { return b.Service + "/" + b.Consumer }},
		func(c *Console, ctx context.Context, b api.StartReplay) (inbox.Replay, error) {
			return at(c, ctx, b.Service, func(s admin.API) (inbox.Replay, error) { return s.StartReplay(ctx, b.ReplayRequest) })
		}),
}

// at asks a service.
func at[A any](c *Console, ctx context.Context, service string, ask func(admin.API) (A, error)) (A, error) {
	s, err := c.engines.Services.At(ctx, service)
	if err != nil {
		var nothing A
		return nothing, err
	}
	return ask(s)
}

func replayRows(c *Console, ctx context.Context, b api.ReplayRows) (api.Count, error) {
	if b.All == (len(b.IDs) > 0) {
		return api.Count{}, api.BadField("ids", "give the ids of FAILED rows, or all: true, not both")
	}
	return at(c, ctx, b.Service, func(s admin.API) (api.Count, error) {
		n, err := s.Replay(ctx, b.IDs...)
		return api.Count{Count: n}, err
	})
}

func pauseRelay(c *Console, ctx context.Context, b api.PauseRelay) (none, error) {
	if b.Paused && b.Reason == "" {
		return none{}, api.BadField("reason", "is required to pause: people see it and know why rows wait")
	}
	return at(c, ctx, b.Service, func(s admin.API) (none, error) {
		if b.Paused {
			return none{}, s.PauseRelay(ctx, b.Reason)
		}
		return none{}, s.ResumeRelay(ctx)
	})
}
