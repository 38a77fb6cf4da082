package console

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"

	"github.com/pabal-dev/pabal/console/api"
)

// routes is the whole API: server, checks and the OpenAPI document come from here.
var routes = slices.Concat(consoleRoutes, clusterRoutes, brokerRoutes, serviceRoutes, journalRoutes, projectionRoutes, sagaRoutes, streamsRoutes, connectorRoutes, schemaRoutes, lensRoutes, letterRoutes)

var consoleRoutes = []route{
	get("overview", "The state of everything, as the first page shows it", func(c *Console, ctx context.Context, _ none) (api.Overview, error) {
		return c.overview(ctx)
	}),
	get("me", "Who is asking, and in which role", func(c *Console, ctx context.Context, _ none) (api.Me, error) {
		return c.me(ctx), nil
	}),
	{
		method: http.MethodGet, pattern: "events", role: api.Viewer, media: eventStream,
		summary: "Server-sent events: overview, about every second, and violation, for each that begins",
		serve:   (*Console).events,
	},
	{
		method: http.MethodGet, pattern: "openapi.json", role: api.Viewer, answer: reflect.TypeFor[any](),
		summary: "This document", serve: (*Console).openAPI,
	},
	get("audit", "Who did what, newest first", func(c *Console, ctx context.Context, q api.PageQuery) (api.Page[api.AuditEntry], error) {
		return c.engines.Audit.Entries(ctx, q)
	}).by(api.Admin),
	{
		method: http.MethodPost, pattern: "login", body: reflect.TypeFor[Login](), answer: reflect.TypeFor[api.Me](),
		summary: "Begin a session: sets its cookie. Forms are taken, too, and redirected", serve: (*Console).login,
	},
	{
		method: http.MethodPost, pattern: "logout", body: reflect.TypeFor[none](), answer: reflect.TypeFor[none](),
		summary: "End the session", serve: (*Console).logout,
	},
}

type topicPath struct {
	Topic string `json:"topic"`
}

type groupPath struct {
	Group string `json:"group"`
}

var clusterRoutes = []route{
	get("cluster", "Kafka as it answers", func(c *Console, ctx context.Context, _ none) (api.Cluster, error) {
		return c.engines.Topics.Cluster(ctx)
	}),
	get("topics", "Topics by name", func(c *Console, ctx context.Context, q api.TopicQuery) (api.Page[api.TopicSummary], error) {
		return c.engines.Topics.Topics(ctx, q)
	}),
	get("topics/{topic}", "A topic with partitions and configuration", func(c *Console, ctx context.Context, q topicPath) (api.Topic, error) {
		return c.engines.Topics.Topic(ctx, q.Topic)
	}),
	get("topics/{topic}/messages", "Messages from an offset or time on", func(c *Console, ctx context.Context, q api.MessageQuery) (api.Messages, error) {
		return c.engines.Topics.Messages(ctx, q)
	}),
	{
		method: http.MethodGet, pattern: "topics/{topic}/tail", role: api.Viewer, query: reflect.TypeFor[api.MessageQuery](), media: eventStream,
		summary: "Server-sent events: message, for each new one; problem, where it cannot go on", serve: (*Console).tail,
	},
	post("topics", "Create a topic", api.Admin,
		act[api.NewTopic]{name: "create topic", target: func(b api.NewTopic) string { return b.Name }},
		func(c *Console, ctx context.Context, b api.NewTopic) (none, error) {
			return none{}, c.engines.Topics.CreateTopic(ctx, b)
		}),
	post("topics/{topic}/messages", "Write a message", api.Admin,
		act[api.ProduceRequest]{name: "produce", target: func(b api.ProduceRequest) string { return b.Topic }},
		func(c *Console, ctx context.Context, b api.ProduceRequest) (api.Produced, error) {
			return c.engines.Topics.Produce(ctx, b)
		}),
	get("groups", "Consumer groups by name, with lag", func(c *Console, ctx context.Context, q api.PageQuery) (api.Page[api.GroupSummary], error) {
		return c.engines.Groups.Groups(ctx, q)
	}),
	get("groups/{group}", "A group with members and offsets", func(c *Console, ctx context.Context, q groupPath) (api.Group, error) {
		return c.engines.Groups.Group(ctx, q.Group)
	}),
	post("groups/{group}/reset", "Move a group; for a service's consumer a deliberate replay", api.Admin,
		act[api.ResetRequest]{name: "reset", target: func(b api.ResetRequest) string { return b.Group }, dryRun: func(b api.ResetRequest) bool { return b.DryRun }},
		func(c *Console, ctx context.Context, b api.ResetRequest) (api.ResetPlan, error) {
			return c.engines.Groups.Reset(ctx, b)
		}),
}

type idPath struct {
	ID string `json:"id"`
}

var lensRoutes = []route{
	get("traces", "Business transactions, newest first", func(c *Console, ctx context.Context, q api.TraceQuery) (api.Page[api.TraceSummary], error) {
		return c.engines.Lens.Search(ctx, q)
	}),
	get("traces/{id}", "A transaction by correlation id, key or event id: its hops, and where it is stuck", func(c *Console, ctx context.Context, q idPath) (api.Trace, error) {
		return c.engines.Lens.Trace(ctx, q.ID)
	}),
	get("lens", "How far the index of the log is", func(c *Console, ctx context.Context, _ none) (api.LensState, error) {
		return c.engines.Lens.State(ctx)
	}),
	get("violations", "Cross-layer invariants that do not hold now", func(c *Console, ctx context.Context, _ none) ([]api.Violation, error) {
		return c.engines.Lens.Violations(ctx)
	}),
}

type letterPath struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
}

var letterRoutes = []route{
	get("dead-letters", "Dead letters by fingerprint", func(c *Console, ctx context.Context, q api.FingerprintQuery) (api.Page[api.Fingerprint], error) {
		return c.engines.DeadLetters.Fingerprints(ctx, q)
	}),
	get("dead-letters/letters", "Dead letters, newest first", func(c *Console, ctx context.Context, q api.LetterQuery) (api.Page[api.DeadLetter], error) {
		return c.engines.DeadLetters.Letters(ctx, q)
	}),
	get("dead-letters/letters/{topic}/{partition}/{offset}", "A dead letter with its message", func(c *Console, ctx context.Context, q letterPath) (api.DeadLetter, error) {
		return c.engines.DeadLetters.Letter(ctx, fmt.Sprintf("%s/%d/%d", q.Topic, q.Partition, q.Offset))
	}),
	get("redrives", "Redrives, newest first", func(c *Console, ctx context.Context, q api.PageQuery) (api.Page[api.Redrive], error) {
		return c.engines.DeadLetters.Redrives(ctx, q)
	}),
	get("redrives/{id}", "A redrive and how far it is", func(c *Console, ctx context.Context, q idPath) (api.Redrive, error) {
		return c.engines.DeadLetters.RedriveByID(ctx, q.ID)
	}),
	post("redrives", "Send dead letters again", api.Operator,
		act[api.RedriveRequest]{recorded: true},
		func(c *Console, ctx context.Context, b api.RedriveRequest) (api.Redrive, error) {
			return c.engines.DeadLetters.Redrive(ctx, b)
		}),
	post("redrives/{id}/cancel", "Stop a redrive where it is", api.Operator,
		act[idPath]{recorded: true},
		func(c *Console, ctx context.Context, b idPath) (api.Redrive, error) {
			return c.engines.DeadLetters.CancelRedrive(ctx, b.ID)
		}),
}
