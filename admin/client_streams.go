package admin

import (
	"context"
	"net/url"
)

// StreamsTopology implements Streams.
func (c *Client) StreamsTopology(ctx context.Context, application string) (t StreamsTopology, err error) {
	err = c.get(ctx, streamsPath(application, ""), nil, &t)
	return t, err
}

// QueryStore implements Streams.
func (c *Client) QueryStore(ctx context.Context, q StoreQuery) (page StorePage, err error) {
	err = c.get(ctx, streamsPath(q.Application, "/entries"), writeStoreQuery(q), &page)
	return page, err
}

// PauseStreams implements Streams.
func (c *Client) PauseStreams(ctx context.Context, application string) error {
	return c.post(ctx, streamsPath(application, "/pause"), pauseStreamsBody{Paused: true}, &struct{}{})
}

// ResumeStreams implements Streams.
func (c *Client) ResumeStreams(ctx context.Context, application string) error {
	return c.post(ctx, streamsPath(application, "/pause"), pauseStreamsBody{}, &struct{}{})
}

func streamsPath(application, what string) string {
	return "/streams/" + url.PathEscape(application) + what
}
