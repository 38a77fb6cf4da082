package api

import "context"

var _ LocalBroker = (*Client)(nil)

// BrokerState implements LocalBroker.
func (c *Client) BrokerState(ctx context.Context) (BrokerState, error) {
	return get[BrokerState](ctx, c, "broker", nil)
}

// BrokerTopics implements LocalBroker.
func (c *Client) BrokerTopics(ctx context.Context, q TopicQuery) (Page[BrokerTopic], error) {
	return get[Page[BrokerTopic]](ctx, c, "broker/topics", q)
}

// BrokerTopic implements LocalBroker.
func (c *Client) BrokerTopic(ctx context.Context, name string) (BrokerTopicLog, error) {
	return get[BrokerTopicLog](ctx, c, path("broker", "topics", name), nil)
}

// BrokerTransactions implements LocalBroker.
func (c *Client) BrokerTransactions(ctx context.Context, q PageQuery) (Page[BrokerTransaction], error) {
	return get[Page[BrokerTransaction]](ctx, c, "broker/transactions", q)
}
