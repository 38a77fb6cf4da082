package console

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/console/api"
)

var brokerRoutes = []route{
	get("broker", "The broker in the console's process: what it keeps, and how it is", func(c *Console, ctx context.Context, _ none) (api.BrokerState, error) {
		return withBroker(c, func(b api.LocalBroker) (api.BrokerState, error) { return b.BrokerState(ctx) })
	}),
	get("broker/topics", "Topics as they are stored there, by name", func(c *Console, ctx context.Context, q api.TopicQuery) (api.Page[api.BrokerTopic], error) {
		return withBroker(c, func(b api.LocalBroker) (api.Page[api.BrokerTopic], error) { return b.BrokerTopics(ctx, q) })
	}),
	get("broker/topics/{topic}", "A topic's partitions and segments", func(c *Console, ctx context.Context, q topicPath) (api.BrokerTopicLog, error) {
		return withBroker(c, func(b api.LocalBroker) (api.BrokerTopicLog, error) { return b.BrokerTopic(ctx, q.Topic) })
	}),
	get("broker/transactions", "Transactions that are open or ending, the oldest first", func(c *Console, ctx context.Context, q api.PageQuery) (api.Page[api.BrokerTransaction], error) {
		return withBroker(c, func(b api.LocalBroker) (api.Page[api.BrokerTransaction], error) { return b.BrokerTransactions(ctx, q) })
	}),
}

func withBroker[A any](c *Console, ask func(api.LocalBroker) (A, error)) (A, error) {
	if c.engines.Broker == nil {
		var nothing A
		return nothing, fmt.Errorf("%w: the broker is no part of this process, so that only what Kafka's protocol says of it is known", api.ErrNotFound)
	}
	return ask(c.engines.Broker)
}
