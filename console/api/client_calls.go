package api

import (
	"context"
	"encoding/json"
	"strings"
)

// Engines are the console's, seen from afar. Record of its Audit does nothing: the
// console records the acts it is asked for itself.
func (c *Client) Engines(version string) Engines {
	return Engines{Topics: c, Groups: c, Services: c, Lens: c, DeadLetters: c, Audit: remoteAudit{c}, Streams: c, Connectors: c, Schemas: c, Broker: c, Version: version}
}

type remoteAudit struct{ *Client }

func (remoteAudit) Record(context.Context, AuditEntry) error { return nil }

// Overview is the console's first page.
func (c *Client) Overview(ctx context.Context) (Overview, error) {
	return get[Overview](ctx, c, "overview", nil)
}

// Me is who the console takes the client for.
func (c *Client) Me(ctx context.Context) (Me, error) { return get[Me](ctx, c, "me", nil) }

// OpenAPI is the document that describes the API.
func (c *Client) OpenAPI(ctx context.Context) (json.RawMessage, error) {
	return get[json.RawMessage](ctx, c, "openapi.json", nil)
}

// Entries implements Audit's.
func (c *Client) Entries(ctx context.Context, q PageQuery) (Page[AuditEntry], error) {
	return get[Page[AuditEntry]](ctx, c, "audit", q)
}

// Cluster implements Topics.
func (c *Client) Cluster(ctx context.Context) (Cluster, error) {
	return get[Cluster](ctx, c, "cluster", nil)
}

// Topics implements Topics.
func (c *Client) Topics(ctx context.Context, q TopicQuery) (Page[TopicSummary], error) {
	return get[Page[TopicSummary]](ctx, c, "topics", q)
}

// Topic implements Topics.
func (c *Client) Topic(ctx context.Context, name string) (Topic, error) {
	return get[Topic](ctx, c, path("topics", name), nil)
}

// CreateTopic implements Topics.
func (c *Client) CreateTopic(ctx context.Context, t NewTopic) error {
	_, err := post[struct{}](ctx, c, "topics", t)
	return err
}

// Messages implements Topics.
func (c *Client) Messages(ctx context.Context, q MessageQuery) (Messages, error) {
	return get[Messages](ctx, c, path("topics", q.Topic, "messages"), q, "topic")
}

// Produce implements Topics.
func (c *Client) Produce(ctx context.Context, m ProduceRequest) (Produced, error) {
	return post[Produced](ctx, c, path("topics", m.Topic, "messages"), m)
}

// Groups implements Groups.
func (c *Client) Groups(ctx context.Context, q PageQuery) (Page[GroupSummary], error) {
	return get[Page[GroupSummary]](ctx, c, "groups", q)
}

// Group implements Groups.
func (c *Client) Group(ctx context.Context, name string) (Group, error) {
	return get[Group](ctx, c, path("groups", name), nil)
}

// Reset implements Groups.
func (c *Client) Reset(ctx context.Context, r ResetRequest) (ResetPlan, error) {
	return post[ResetPlan](ctx, c, path("groups", r.Group, "reset"), r)
}

// Search implements Lens.
func (c *Client) Search(ctx context.Context, q TraceQuery) (Page[TraceSummary], error) {
	return get[Page[TraceSummary]](ctx, c, "traces", q)
}

// Trace implements Lens.
func (c *Client) Trace(ctx context.Context, id string) (Trace, error) {
	return get[Trace](ctx, c, path("traces", id), nil)
}

// State implements Lens.
func (c *Client) State(ctx context.Context) (LensState, error) {
	return get[LensState](ctx, c, "lens", nil)
}

// Violations implements Lens.
func (c *Client) Violations(ctx context.Context) ([]Violation, error) {
	return get[[]Violation](ctx, c, "violations", nil)
}

// Fingerprints implements DeadLetters.
func (c *Client) Fingerprints(ctx context.Context, q FingerprintQuery) (Page[Fingerprint], error) {
	return get[Page[Fingerprint]](ctx, c, "dead-letters", q)
}

// Letters implements DeadLetters.
func (c *Client) Letters(ctx context.Context, q LetterQuery) (Page[DeadLetter], error) {
	return get[Page[DeadLetter]](ctx, c, "dead-letters/letters", q)
}

// Letter implements DeadLetters.
func (c *Client) Letter(ctx context.Context, id string) (DeadLetter, error) {
	place := strings.Split(id, "/")
	if len(place) != 3 {
		return DeadLetter{}, BadField("id", "%s is not topic/partition/offset", quote(id))
	}
	return get[DeadLetter](ctx, c, path("dead-letters", "letters", place[0], place[1], place[2]), nil)
}

// Redrive implements DeadLetters.
func (c *Client) Redrive(ctx context.Context, r RedriveRequest) (Redrive, error) {
	return post[Redrive](ctx, c, "redrives", r)
}

// Redrives implements DeadLetters.
func (c *Client) Redrives(ctx context.Context, q PageQuery) (Page[Redrive], error) {
	return get[Page[Redrive]](ctx, c, "redrives", q)
}

// RedriveByID implements DeadLetters.
func (c *Client) RedriveByID(ctx context.Context, id string) (Redrive, error) {
	return get[Redrive](ctx, c, path("redrives", id), nil)
}

// CancelRedrive implements DeadLetters.
func (c *Client) CancelRedrive(ctx context.Context, id string) (Redrive, error) {
	return post[Redrive](ctx, c, path("redrives", id, "cancel"), struct{}{})
}
