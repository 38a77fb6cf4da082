package console

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/cluster"
	"github.com/pabal-dev/pabal/console/fleet"
)

// streamsEngine is api.Streams: what the instances say, and what Kafka is told.
type streamsEngine struct {
	*fleet.Fleet
	kafka *cluster.Cluster
}

// ResetStreams implements api.Streams.
func (e streamsEngine) ResetStreams(ctx context.Context, r api.ResetStreams) (api.StreamsReset, error) {
	return e.kafka.ResetStreams(ctx, r)
}

type applicationPath struct {
	Application string `json:"application"`
}

var streamsRoutes = []route{
	get("streams", "Stream processing applications of all services", func(c *Console, ctx context.Context, _ none) (api.StreamsList, error) {
		return withStreams(c, func(s api.Streams) (api.StreamsList, error) { return s.StreamsApps(ctx) })
	}),
	get("streams/{application}", "An application with its instances and its topology", func(c *Console, ctx context.Context, q applicationPath) (api.StreamsApp, error) {
		return withStreams(c, func(s api.Streams) (api.StreamsApp, error) { return s.StreamsApp(ctx, q.Application) })
	}),
	get("streams/{application}/stores/{store}", "Entries of a store of an application", func(c *Console, ctx context.Context, q api.StoreQuery) (admin.StorePage, error) {
		return withStreams(c, func(s api.Streams) (admin.StorePage, error) { return s.QueryStore(ctx, q) })
	}),
	post("streams/{application}/pause", "Stop an application's processing, or let it go on", api.Operator,
		act[api.PauseStreams]{name: "pause application", target: func(b api.PauseStreams) string { return b.Application }},
		func(c *Console, ctx context.Context, b api.PauseStreams) (api.Count, error) {
			return withStreams(c, func(s api.Streams) (api.Count, error) { return s.PauseStreams(ctx, b) })
		}),
	post("streams/{application}/reset", "Have an application that nobody runs begin anew", api.Operator,
		act[api.ResetStreams]{name: "reset application", target: func(b api.ResetStreams) string { return b.Application },
			dryRun: func(b api.ResetStreams) bool { return b.DryRun }},
		func(c *Console, ctx context.Context, b api.ResetStreams) (api.StreamsReset, error) {
			return withStreams(c, func(s api.Streams) (api.StreamsReset, error) { return s.ResetStreams(ctx, b) })
		}),
}

func withStreams[A any](c *Console, ask func(api.Streams) (A, error)) (A, error) {
	if c.engines.Streams == nil {
		var nothing A
		return nothing, fmt.Errorf("%w: this console knows no stream processing applications", api.ErrNotFound)
	}
	return ask(c.engines.Streams)
}
