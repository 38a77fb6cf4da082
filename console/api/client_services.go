package api

import (
	"context"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// Services implements Services.
func (c *Client) Services(ctx context.Context) ([]Service, error) {
	return get[[]Service](ctx, c, "services", nil)
}

// At implements Services. It asks nothing: that there is no such service is the
// first call's error.
func (c *Client) At(_ context.Context, service string) (admin.API, error) {
	return remoteService{c, service}, nil
}

// MarkQuery selects marks of a consumer's inbox.
type MarkQuery struct {
	Service  string `json:"service"`
	Consumer string `json:"consumer"`
	// IDs of messages, at most 1,000.
	IDs []string `json:"ids,omitempty"`
}

// StartReplay has a service's consumer handle a partition again.
type StartReplay struct {
	Service string `json:"service"`
	admin.ReplayRequest
}

// remoteService is a service behind the console.
type remoteService struct {
	client *Client
	name   string
}

func (s remoteService) at(segments ...string) string {
	return path(append([]string{"services", s.name}, segments...)...)
}

func (s remoteService) Status(ctx context.Context) (admin.Status, error) {
	return get[admin.Status](ctx, s.client, s.at(), nil)
}

func (s remoteService) Rows(ctx context.Context, q outbox.RowQuery) (admin.RowPage, error) {
	return get[admin.RowPage](ctx, s.client, s.at("outbox", "rows"), q)
}

func (s remoteService) Replay(ctx context.Context, ids ...int64) (int64, error) {
	n, err := post[Count](ctx, s.client, s.at("outbox", "replay"), ReplayRows{s.name, ids, len(ids) == 0})
	return n.Count, err
}

func (s remoteService) PauseRelay(ctx context.Context, reason string) error {
	return s.relay(ctx, PauseRelay{s.name, true, reason})
}

func (s remoteService) ResumeRelay(ctx context.Context) error {
	return s.relay(ctx, PauseRelay{Service: s.name})
}

func (s remoteService) relay(ctx context.Context, p PauseRelay) error {
	_, err := post[struct{}](ctx, s.client, s.at("outbox", "relay"), p)
	return err
}

func (s remoteService) Positions(ctx context.Context, consumer string) ([]inbox.Position, error) {
	return get[[]inbox.Position](ctx, s.client, s.at("consumers", consumer, "positions"), nil)
}

func (s remoteService) Marks(ctx context.Context, consumer string, ids ...string) ([]inbox.StoredMark, error) {
	return get[[]inbox.StoredMark](ctx, s.client, s.at("consumers", consumer, "marks"), MarkQuery{IDs: ids})
}

func (s remoteService) Waiting(ctx context.Context, q inbox.WaitingQuery) (admin.WaitingPage, error) {
	return get[admin.WaitingPage](ctx, s.client, s.at("consumers", q.Consumer, "waiting"), q, "consumer")
}

func (s remoteService) StartReplay(ctx context.Context, r admin.ReplayRequest) (inbox.Replay, error) {
	return post[inbox.Replay](ctx, s.client, s.at("consumers", r.Consumer, "replay"), StartReplay{s.name, r})
}

func (s remoteService) Release(ctx context.Context, consumer, topic, key string) (int64, error) {
	n, err := post[Count](ctx, s.client, s.at("consumers", consumer, "release"), Release{s.name, consumer, topic, key})
	return n.Count, err
}
