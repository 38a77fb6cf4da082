package api

import (
	"context"

	"github.com/pabal-dev/pabal/admin"
)

var _ Streams = (*Client)(nil)

// StreamsApps implements Streams.
func (c *Client) StreamsApps(ctx context.Context) (StreamsList, error) {
	return get[StreamsList](ctx, c, "streams", nil)
}

// StreamsApp implements Streams.
func (c *Client) StreamsApp(ctx context.Context, application string) (StreamsApp, error) {
	return get[StreamsApp](ctx, c, path("streams", application), nil)
}

// QueryStore implements Streams.
func (c *Client) QueryStore(ctx context.Context, q StoreQuery) (admin.StorePage, error) {
	return get[admin.StorePage](ctx, c, path("streams", q.Application, "stores", q.Store), q, "application", "store")
}

// PauseStreams implements Streams.
func (c *Client) PauseStreams(ctx context.Context, p PauseStreams) (Count, error) {
	return post[Count](ctx, c, path("streams", p.Application, "pause"), p)
}

// ResetStreams implements Streams.
func (c *Client) ResetStreams(ctx context.Context, r ResetStreams) (StreamsReset, error) {
	return post[StreamsReset](ctx, c, path("streams", r.Application, "reset"), r)
}
