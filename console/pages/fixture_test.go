package pages_test

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// fake is every engine and every service. It answers with the samples, changed where
// a test says so, or fails.
type fake struct {
	fail error
	hang bool
	// change makes of a sample what is answered; nil leaves it.
	change func(reflect.Value) reflect.Value
}

func (f fake) engines() api.Engines {
	return api.Engines{Topics: f, Groups: f, Services: f, Lens: f, DeadLetters: f, Audit: f, Streams: f, Connectors: f, Schemas: f, Broker: f, Version: "v1.2.3"}
}

func answer[T any](ctx context.Context, f fake, sample T) (T, error) {
	var nothing T
	switch {
	case f.hang:
		<-ctx.Done()
		return nothing, fmt.Errorf("asking: %w", ctx.Err())
	case f.fail != nil:
		return nothing, f.fail
	case f.change != nil:
		return f.change(reflect.ValueOf(&sample).Elem()).Interface().(T), nil
	}
	return sample, nil
}

var (
	now        = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	partition1 = int32(1)
	offset3    = int64(3)
	event      = api.Event{ID: "e1", Type: "order-placed", Source: "/orders", Key: "order-1", Time: before(60), CorrelationID: "c1", CausationID: "e0"}
	resume     = &api.Action{Label: "Resume the relay of payment", Method: "POST", Path: "services/payment/outbox/relay", Body: []byte(`{"service":"payment","paused":false}`), Role: api.Operator, Safe: "rows kept their order", Command: "pabal relay resume payment"}
	message    = api.Message{
		Topic: "shop.orders", Partition: 1, Offset: 3, Timestamp: before(59), Key: text("order-1"),
		Value:   api.Data{Format: "json", Text: `{"total":20,"ok":true}`, Size: 1 << 20, Cut: true, Schema: &api.DataSchema{ID: 7, Type: "AVRO", Subject: "shop.orders-value", Version: 2}},
		Headers: []api.Header{{Key: "h", Value: text("v")}, {Key: "b", Value: api.Data{Format: "binary", Base64: []byte{0, 255}, Size: 2}}},
		Event:   &event, Masked: []string{"card.number"},
	}
	binary    = api.Message{Topic: "shop.orders", Partition: 1, Offset: 4, Timestamp: before(58), Key: api.Data{Format: "null"}, Value: api.Data{Format: "binary", Base64: []byte{1, 2}, Size: 2, Schema: &api.DataSchema{ID: 99, Problem: "The registry has no schema with the id 99."}}}
	tombstone = api.Message{Topic: "shop.orders", Partition: 0, Offset: 4, Timestamp: before(57), Key: text("order-2"), Value: api.Data{Format: "null"}}
	status    = admin.Status{
		Name: "payment", Instance: "payment-1", Version: "v1", Cluster: "k", Prefix: "shop.", Started: before(3600),
		Outbox: &admin.OutboxStatus{
			Name: "payment", ID: "u", Source: "/payment", DeadLetterTopic: "payment.dead", Topics: []string{"paid"},
			Backlog: outbox.Backlog{Started: 1200, Failed: 2, Completed: 9, Oldest: before(90)},
			Relay:   admin.RelayStatus{State: outbox.Held, Reason: "Kafka refuses row 9", Paused: true, Published: 5, Refused: 2, Failed: 1},
		},
		Consumers: []admin.ConsumerStatus{{
			Name: "payment", Topics: []string{"orders"}, DeadLetterTopic: "payment.dead", Answers: map[string][]string{"orders": {"paid"}},
			Problem: "the database is slow", Stats: inbox.Stats{Handled: 8, Waiting: 3, Dead: 1},
		}},
		Journal: true, HasProjections: true, Projections: []admin.ProjectionStatus{stopped}, HasSagas: true, Sagas: []string{"place-order"},
	}
	running = admin.Status{
		Name: "stock", Instance: "stock-1", Prefix: "shop.", Started: before(10),
		Outbox:    &admin.OutboxStatus{Name: "stock", Relay: admin.RelayStatus{State: outbox.Active}, Topics: []string{"reserved"}},
		Consumers: []admin.ConsumerStatus{{Name: "stock", Topics: []string{"orders", "paid"}, Stats: inbox.Stats{Handled: 1}}},
	}
	services = []api.Service{
		{Name: "payment", Instance: "payment-1", URL: "http://127.0.0.1:8102/admin", Version: "v1", Seen: before(1), Status: &status},
		{Name: "payment", Instance: "payment-2", URL: "http://127.0.0.1:8103/admin", Seen: before(20), Problem: "connection refused"},
		{Name: "stock", Instance: "stock-1", URL: "http://127.0.0.1:8104/admin", Seen: before(2), Status: &running},
		{Name: "mail", Instance: "mail-1", URL: "http://10.0.0.1/admin", Seen: before(25), Problem: "not allowed"},
	}
	summaries = []api.TraceSummary{{CorrelationID: "c1", Key: "order-1", First: "order-placed", Last: "paid", Begin: before(60), End: before(58), Events: 2}}
	trace     = api.Trace{
		Query: "order-1", CorrelationID: "c1", Keys: []string{"order-1", "res-1"}, Begin: before(60), End: before(50),
		Hops: []api.Hop{
			{ID: "h1", Kind: api.HopRequest, State: api.Done, Service: "orders", At: before(60), LatencyMicros: -1},
			{ID: "h2", Parents: []string{"h1"}, Kind: api.HopOutbox, State: api.Done, Service: "orders", Event: &event, Topic: "shop.orders", Row: 7, At: before(59), LatencyMicros: 1500},
			{ID: "h3", Parents: []string{"h2"}, Kind: api.HopRecord, State: api.Done, Event: &event, Topic: "shop.orders", Partition: &partition1, Offset: &offset3, At: before(59), LatencyMicros: 200},
			{ID: "h4", Parents: []string{"h3"}, Kind: api.HopConsume, State: api.Failing, Service: "payment", Consumer: "payment", Event: &event, Topic: "shop.orders", Partition: &partition1, Offset: &offset3, LatencyMicros: -1, Attempts: 4, Detail: "no account"},
			{ID: "h5", Parents: []string{"h4", "gone"}, Kind: api.HopAnswer, State: api.Missing, Consumer: "foreign", Topic: "shop.paid", LatencyMicros: -1},
		},
		Stuck: &api.Stuck{Hop: "h4", Since: before(50), Cause: api.CauseHandlerError, Explanation: "no account 4711", Action: resume, Saga: &api.Saga{Service: "payment", SagaLine: sagaLine}},
		Sagas: []api.Saga{{Service: "payment", SagaLine: sagaLine}},
		Gaps:  []api.Gap{{Topic: "shop.paid", Partition: 1, From: 2, To: 9, At: before(50)}}, Notes: []string{"mail could not be asked"},
	}
	fingerprint = api.Fingerprint{ID: "f1", Consumer: "payment", Topic: "shop.orders", Error: "no account 4711", First: before(900), Last: before(60), Open: 3, Redriven: 2, Handled: 1, Renewed: 1}
	letter      = api.DeadLetter{
		ID: "shop.payment.dead/0/4", Fingerprint: "f1", Consumer: "payment", Topic: "shop.orders", Partition: 1, Offset: 3, Error: "no account 4711",
		Attempts: 5, At: before(60), Event: event, State: "open", Failures: 2,
	}
	refused = api.DeadLetter{
		ID: "shop.payment.dead/1/9", Fingerprint: "f2", Outbox: "payment", Row: 9, Topic: "shop.paid", Offset: -1, Error: "too large",
		Attempts: 1, At: before(70), Event: api.Event{ID: "e9"}, State: "redriven", Failures: 1, Obstacle: "its value was left out",
	}
	redrive = api.Redrive{
		ID: "r1", State: "running", Request: api.RedriveRequest{Fingerprint: "f1", IDs: []string{letter.ID, refused.ID}, PerSecond: 5, Reason: "account added"}, User: "ann",
		Begun: before(30), Total: 5, Sent: 2, Skipped: 1, Handled: 1, Renewed: 1, Problem: "slow", Preview: []api.DeadLetter{letter},
	}
)

func before(seconds int) time.Time { return now.Add(-time.Duration(seconds) * time.Second) }

func text(s string) api.Data { return api.Data{Format: "text", Text: s, Size: len(s)} }

func page[T any](items ...T) api.Page[T] {
	return api.Page[T]{Items: items, Next: "more+/=", Total: int64(len(items))}
}

func (f fake) Cluster(ctx context.Context) (api.Cluster, error) {
	return answer(ctx, f, api.Cluster{ID: "k", Brokers: []api.Broker{{ID: 1, Host: "h", Port: 9092}}, Seeds: []string{"h:9092"}})
}

func (f fake) Topics(ctx context.Context, _ api.TopicQuery) (api.Page[api.TopicSummary], error) {
	return answer(ctx, f, page(
		api.TopicSummary{Name: "shop.orders", Partitions: 2, Replication: 3, Records: 1234},
		api.TopicSummary{Name: "shop.paid", Partitions: 2, Replication: 3, Records: -1, Problem: "no leader"},
		api.TopicSummary{Name: "__consumer_offsets", Partitions: 50, Replication: 1, Internal: true}))
}

func (f fake) Topic(ctx context.Context, name string) (api.Topic, error) {
	return answer(ctx, f, api.Topic{
		TopicSummary: api.TopicSummary{Name: name, Partitions: 2, Replication: 3, Records: 9, Problem: "a replica is away"}, ID: "t", Consumers: []string{"shop.payment", "shop.stock"},
		Partitions: []api.Partition{{Partition: 0, Leader: 1, Replicas: []int32{1, 2}, InSync: []int32{1}, Start: 1, End: 9, Stable: 8}, {Partition: 1, Leader: -1, Replicas: []int32{1}, Problem: "no leader"}},
		Config:     []api.ConfigEntry{{Name: "retention.ms", Value: "1", Source: "topic"}, {Name: "ssl.key", Source: "broker", Sensitive: true}},
	})
}

func (f fake) CreateTopic(context.Context, api.NewTopic) error { panic("a page acts") }

func (f fake) Messages(ctx context.Context, _ api.MessageQuery) (api.Messages, error) {
	return answer(ctx, f, api.Messages{Items: []api.Message{message, binary, tombstone}, Next: "n", Scanned: 5, Stopped: true, Note: "past the end"})
}

func (f fake) Tail(context.Context, api.MessageQuery, func(api.Message) error) error {
	panic("a page tails")
}

func (f fake) Produce(context.Context, api.ProduceRequest) (api.Produced, error) {
	panic("a page acts")
}

func (f fake) Groups(ctx context.Context, _ api.PageQuery) (api.Page[api.GroupSummary], error) {
	return answer(ctx, f, page(group("shop.payment").GroupSummary, group("foreign").GroupSummary))
}

func group(name string) api.Group {
	g := api.Group{
		GroupSummary: api.GroupSummary{Name: name, State: "Stable", Service: "payment", Members: 1, Topics: []string{"shop.orders"}, Lag: 3, Problem: "a partition is not assigned"},
		Protocol:     "range", Coordinator: 1, MemberList: []api.Member{{ID: "m-1", InstanceID: "i", ClientID: "c", Host: "h", Assigned: []string{"shop.orders/1"}}},
		Offsets: []api.GroupOffset{{Topic: "shop.orders", Partition: 1, Committed: 6, End: 9, Lag: 3, Truth: "database", Member: "m-1"}, {Topic: "shop.orders", Partition: 2, Committed: -1, End: -1, Lag: -1, Truth: "kafka"}},
	}
	if name == "foreign" {
		g.Service, g.State, g.Members, g.MemberList = "", "Empty", 0, nil
	}
	return g
}

func (f fake) Group(ctx context.Context, name string) (api.Group, error) {
	return answer(ctx, f, group(name))
}

func (f fake) Reset(context.Context, api.ResetRequest) (api.ResetPlan, error) { panic("a page acts") }

func (f fake) Services(ctx context.Context) ([]api.Service, error) { return answer(ctx, f, services) }

func (f fake) At(ctx context.Context, _ string) (admin.API, error) {
	_, err := answer(ctx, fake{fail: f.fail, hang: f.hang}, 0)
	return fakeService{f: f}, err
}

func (f fake) Search(ctx context.Context, _ api.TraceQuery) (api.Page[api.TraceSummary], error) {
	return answer(ctx, f, page(summaries...))
}

func (f fake) Trace(ctx context.Context, _ string) (api.Trace, error) { return answer(ctx, f, trace) }

func (f fake) State(ctx context.Context) (api.LensState, error) {
	return answer(ctx, f, api.LensState{Events: 3, Bytes: 300, Oldest: before(90), Behind: 4, PerSecond: 12.3, Gaps: trace.Gaps, Problem: "disk full"})
}

func (f fake) Violations(ctx context.Context) ([]api.Violation, error) {
	return answer(ctx, f, []api.Violation{{Rule: "row-unpublished-too-long", Service: "payment", What: "2 rows wait", Since: before(90), Action: resume}, {Rule: "lag", What: "a group is behind"}})
}

func (f fake) Fingerprints(ctx context.Context, _ api.FingerprintQuery) (api.Page[api.Fingerprint], error) {
	return answer(ctx, f, page(fingerprint, api.Fingerprint{ID: "f2", Outbox: "payment", Topic: "shop.paid", Error: "too large", Open: 0}))
}

func (f fake) Letters(ctx context.Context, _ api.LetterQuery) (api.Page[api.DeadLetter], error) {
	return answer(ctx, f, page(letter, refused))
}

func (f fake) Letter(ctx context.Context, id string) (api.DeadLetter, error) {
	l := letter
	if id == refused.ID {
		l = refused
	} else {
		m := message
		m.Value, m.Masked = api.Data{Format: "json", Text: `{"total":20}`, Size: 12}, nil
		l.Message = &m
	}
	return answer(ctx, f, l)
}

func (f fake) Redrive(context.Context, api.RedriveRequest) (api.Redrive, error) { panic("a page acts") }

func (f fake) Redrives(ctx context.Context, _ api.PageQuery) (api.Page[api.Redrive], error) {
	return answer(ctx, f, page(redrive))
}

func (f fake) RedriveByID(ctx context.Context, _ string) (api.Redrive, error) {
	return answer(ctx, f, redrive)
}

func (f fake) CancelRedrive(context.Context, string) (api.Redrive, error) { panic("a page acts") }

func (f fake) Record(context.Context, api.AuditEntry) error { panic("a page acts") }

func (f fake) Entries(ctx context.Context, _ api.PageQuery) (api.Page[api.AuditEntry], error) {
	e := api.AuditEntry{At: before(9), User: "ann", Role: api.Admin, From: "::1", Act: "produce", Target: "shop.orders", Detail: "{}", Outcome: "done"}
	failed := e
	failed.Outcome = "refused: no leader"
	return answer(ctx, f, page(e, failed))
}

// fakeService is a service's own side; what pages must not call panics.
type fakeService struct {
	admin.API
	f fake
}

func (s fakeService) Rows(ctx context.Context, _ outbox.RowQuery) (admin.RowPage, error) {
	return answer(ctx, s.f, admin.RowPage{After: 9, Rows: []outbox.StoredRow{
		{ID: 8, Status: outbox.Started, Topic: "paid", Key: "order-1", EventID: "e1", Type: "paid", CorrelationID: "c1", EnqueuedAt: before(90), Attempts: 2, NextAttempt: now.Add(time.Minute), Reason: "refused", Size: 3},
		{ID: 9, Status: outbox.Failed, Topic: "paid", Key: "order-2", EventID: "e2", Type: "paid", EnqueuedAt: before(80), Reason: "too large", Size: 3 << 20},
		{ID: 7, Status: outbox.Completed, Topic: "paid", Key: "order-3", EventID: "e3", Type: "paid", EnqueuedAt: before(80), PublishedAt: before(70)}}})
}

func (s fakeService) Positions(ctx context.Context, _ string) ([]inbox.Position, error) {
	place := inbox.Partition{Cluster: "k", TopicID: "t", Topic: "orders", Partition: 1}
	return answer(ctx, s.f, []inbox.Position{{Partition: place, Next: []int64{7, 9}, Epoch: 3, Replay: inbox.Replay{Generation: 1, From: 2, To: 5}}, {Partition: place, Next: []int64{-1}}})
}

func (s fakeService) Waiting(ctx context.Context, _ inbox.WaitingQuery) (admin.WaitingPage, error) {
	place := inbox.Place{Topic: "orders", Partition: 1, Offset: 3}
	return answer(ctx, s.f, admin.WaitingPage{
		Waiting: []inbox.StoredWaiting{
			{Place: place, Key: "order-1", ID: "e1", CorrelationID: "c1", Type: "order-placed", Attempts: 2, Next: now.Add(time.Minute), Size: 3, Reason: "no account"},
			{Place: place, Key: "order-1"}, {Place: place, Key: "order-2", Attempts: 5, Parked: true, Reason: "dead"}},
		Next: &inbox.WaitingQuery{Consumer: "payment", After: &place},
	})
}
