package console

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// fake is every engine. It answers with samples, or fails where it is told to, and
// remembers what it was asked.
type fake struct {
	mu         sync.Mutex
	calls      []string
	audit      []api.AuditEntry
	fail       error // of every engine but the audit log
	hang       bool  // every engine but the audit log waits for its context
	broken     error // of the audit log
	tail       func(context.Context, func(api.Message) error) error
	zero       bool // answers without content
	violations []api.Violation
}

func (f *fake) engines() api.Engines {
	return api.Engines{Topics: f, Groups: f, Services: f, Lens: f, DeadLetters: f, Audit: f, Streams: f, Connectors: f, Schemas: f, Broker: f, Version: "v1.2.3"}
}

// called notes a question, and answers with the sample where nothing is wrong.
func called[T any](f *fake, ctx context.Context, what string, sample T) (T, error) {
	f.mu.Lock()
	f.calls = append(f.calls, what)
	fail, hang, empty := f.fail, f.hang, f.zero
	f.mu.Unlock()
	var nothing T
	switch {
	case hang:
		<-ctx.Done()
		return nothing, fmt.Errorf("%w: %w", api.ErrUnavailable, ctx.Err())
	case fail != nil:
		return nothing, fail
	case empty:
		return nothing, nil
	}
	return sample, nil
}

func (f *fake) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.calls...)
}

func (f *fake) recorded() []api.AuditEntry {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]api.AuditEntry(nil), f.audit...)
}

func (f *fake) set(change func(*fake)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

var (
	at0        = time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	partition2 = int32(2)
	offset7    = int64(7)
	anEvent    = api.Event{ID: "e1", Type: "paid", Source: "/payment", Key: "o1", Time: at0, CorrelationID: "c1", CausationID: "e0"}
	anAction   = &api.Action{Label: "Resume the relay", Method: "POST", Path: "services/payment/outbox/relay", Body: []byte(`{"paused":false}`), Role: api.Operator, Safe: "nothing is lost"}
	aMessage   = api.Message{
		Topic: "orders", Partition: 2, Offset: 7, Timestamp: at0, Key: api.Data{Format: "text", Text: "o1", Size: 2},
		Value:   api.Data{Format: "json", Text: `{"html":"<script>&\u2028"}`, Size: 26},
		Headers: []api.Header{{Key: "h", Value: api.Data{Format: "binary", Base64: []byte{0, 255}, Size: 2}}},
		Event:   &anEvent, Masked: []string{"card"},
	}
	aTopic  = api.TopicSummary{Name: "orders", Partitions: 4, Replication: 1, Records: 9}
	aGroup  = api.GroupSummary{Name: "payment", State: "Stable", Service: "payment", Members: 1, Topics: []string{"orders"}, Lag: 3}
	aStatus = admin.Status{
		Name: "payment", Instance: "i1", Version: "v1", Cluster: "k", Started: at0,
		Outbox: &admin.OutboxStatus{Name: "payment", ID: "u", Source: "/payment", Backlog: outbox.Backlog{Started: 2, Failed: 1, Oldest: at0},
			Relay: admin.RelayStatus{State: outbox.Active, Published: 5}, DeadLetterTopic: "payment.dead"},
		Consumers: []admin.ConsumerStatus{{Name: "payment", Topics: []string{"orders"}, DeadLetterTopic: "payment.dead",
			Answers: map[string][]string{"orders": {"paid"}}, Stats: inbox.Stats{Handled: 8}}},
		Journal: true, HasProjections: true, Projections: []admin.ProjectionStatus{aRunning}, HasSagas: true, Sagas: []string{"place-order"},
	}
	aService     = api.Service{Name: "payment", Instance: "i1", URL: "http://127.0.0.1:8102/admin", Seen: at0, Status: &aStatus}
	aTrace       = api.TraceSummary{CorrelationID: "c1", Key: "o1", First: "placed", Last: "paid", Begin: at0, End: at0, Events: 2}
	aViolation   = api.Violation{Rule: "row-unpublished-too-long", Service: "payment", What: "2 rows wait", Since: at0, Action: anAction}
	aFingerprint = api.Fingerprint{ID: "f1", Consumer: "payment", Topic: "orders", Error: "boom", First: at0, Last: at0, Open: 3}
	aLetter      = api.DeadLetter{ID: "payment.dead/0/4", Fingerprint: "f1", Consumer: "payment", Topic: "orders", Partition: 2, Offset: 7,
		Error: "boom", Attempts: 5, At: at0, Event: anEvent, State: "open", Failures: 1, Message: &aMessage}
	aRedrive = api.Redrive{ID: "r1", State: "running", Request: api.RedriveRequest{Fingerprint: "f1"}, User: "ann", Begun: at0, Total: 3, Sent: 1, Preview: []api.DeadLetter{aLetter}}
)

func pageOf[T any](item T) api.Page[T] {
	return api.Page[T]{Items: []T{item}, Next: "more", Total: 2}
}

func (f *fake) Cluster(ctx context.Context) (api.Cluster, error) {
	c, err := called(f, ctx, "cluster", api.Cluster{ID: "k", Brokers: []api.Broker{{ID: 1, Host: "h", Port: 9092}}, Seeds: []string{"h:9092"}})
	if err != nil {
		return api.Cluster{Problem: err.Error()}, nil
	}
	return c, nil
}

func (f *fake) Topics(ctx context.Context, q api.TopicQuery) (api.Page[api.TopicSummary], error) {
	return called(f, ctx, fmt.Sprintf("topics %+v", q), pageOf(aTopic))
}

func (f *fake) Topic(ctx context.Context, name string) (api.Topic, error) {
	return called(f, ctx, "topic "+name, api.Topic{TopicSummary: aTopic, ID: "t",
		Partitions: []api.Partition{{Partition: 2, Leader: 1, Replicas: []int32{1}, InSync: []int32{1}, Start: 1, End: 9, Stable: 8}},
		Config:     []api.ConfigEntry{{Name: "retention.ms", Value: "1", Source: "topic"}}, Consumers: []string{"payment"}})
}

func (f *fake) CreateTopic(ctx context.Context, t api.NewTopic) error {
	_, err := called(f, ctx, fmt.Sprintf("create %+v", t), 0)
	return err
}

func (f *fake) Messages(ctx context.Context, q api.MessageQuery) (api.Messages, error) {
	return called(f, ctx, "messages "+queryText(q), api.Messages{Items: []api.Message{aMessage}, Next: "n", Scanned: 5, Stopped: true, Note: "past the end"})
}

func (f *fake) Tail(ctx context.Context, q api.MessageQuery, fn func(api.Message) error) error {
	if _, err := called(f, ctx, "tail "+queryText(q), 0); err != nil {
		return err
	}
	if f.tail != nil {
		return f.tail(ctx, fn)
	}
	if err := fn(aMessage); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

func (f *fake) Produce(ctx context.Context, m api.ProduceRequest) (api.Produced, error) {
	return called(f, ctx, fmt.Sprintf("produce %s %q %q", m.Topic, m.Key, m.Value), api.Produced{Topic: m.Topic, Partition: 1, Offset: 2, EventID: "e"})
}

func (f *fake) Groups(ctx context.Context, q api.PageQuery) (api.Page[api.GroupSummary], error) {
	return called(f, ctx, fmt.Sprintf("groups %+v", q), pageOf(aGroup))
}

func (f *fake) Group(ctx context.Context, name string) (api.Group, error) {
	return called(f, ctx, "group "+name, api.Group{GroupSummary: aGroup, Protocol: "range", MemberList: []api.Member{{ID: "m", ClientID: "c", Host: "h", Assigned: []string{"orders/2"}}},
		Offsets: []api.GroupOffset{{Topic: "orders", Partition: 2, Committed: 6, End: 9, Lag: 3, Truth: "database"}}})
}

func (f *fake) Reset(ctx context.Context, r api.ResetRequest) (api.ResetPlan, error) {
	return called(f, ctx, fmt.Sprintf("reset %s %s %s dry=%v", r.Group, r.Topic, r.To, r.DryRun),
		api.ResetPlan{Group: r.Group, DryRun: r.DryRun, Moves: []api.ResetMove{{Topic: r.Topic, Partition: 2, From: 6, To: 0}}})
}

func (f *fake) Services(ctx context.Context) ([]api.Service, error) {
	return called(f, ctx, "services", []api.Service{aService})
}

func (f *fake) At(ctx context.Context, service string) (admin.API, error) {
	if service == "nobody" {
		return nil, fmt.Errorf("%w: no service %q announced itself", api.ErrNotFound, service)
	}
	_, err := called(f, ctx, "at "+service, 0)
	return fakeService{f}, err
}

func (f *fake) Search(ctx context.Context, q api.TraceQuery) (api.Page[api.TraceSummary], error) {
	return called(f, ctx, fmt.Sprintf("search %+v", q), pageOf(aTrace))
}

func (f *fake) Trace(ctx context.Context, id string) (api.Trace, error) {
	return called(f, ctx, "trace "+id, api.Trace{Query: id, CorrelationID: "c1", Keys: []string{"o1"}, Begin: at0, End: at0,
		Hops:  []api.Hop{{ID: "h1", Kind: api.HopRecord, State: api.Stalled, Event: &anEvent, Topic: "orders", Partition: &partition2, Offset: &offset7, At: at0, LatencyMicros: -1}},
		Stuck: &api.Stuck{Hop: "h1", Cause: api.CauseLag, Explanation: "it lags", Action: anAction}, Gaps: []api.Gap{{Topic: "orders", From: 1, To: 2, At: at0}}})
}

func (f *fake) State(ctx context.Context) (api.LensState, error) {
	return called(f, ctx, "state", api.LensState{Events: 3, Bytes: 300, Oldest: at0})
}

func (f *fake) Violations(ctx context.Context) ([]api.Violation, error) {
	f.mu.Lock()
	v := f.violations
	f.mu.Unlock()
	if v == nil {
		v = []api.Violation{aViolation}
	}
	return called(f, ctx, "violations", v)
}

func (f *fake) Fingerprints(ctx context.Context, q api.FingerprintQuery) (api.Page[api.Fingerprint], error) {
	return called(f, ctx, fmt.Sprintf("fingerprints %+v", q), pageOf(aFingerprint))
}

func (f *fake) Letters(ctx context.Context, q api.LetterQuery) (api.Page[api.DeadLetter], error) {
	return called(f, ctx, fmt.Sprintf("letters %+v", q), pageOf(aLetter))
}

func (f *fake) Letter(ctx context.Context, id string) (api.DeadLetter, error) {
	return called(f, ctx, "letter "+id, aLetter)
}

func (f *fake) Redrive(ctx context.Context, r api.RedriveRequest) (api.Redrive, error) {
	return called(f, ctx, "redrive "+r.Fingerprint+strings.Join(r.IDs, ","), aRedrive)
}

func (f *fake) Redrives(ctx context.Context, q api.PageQuery) (api.Page[api.Redrive], error) {
	return called(f, ctx, fmt.Sprintf("redrives %+v", q), pageOf(aRedrive))
}

func (f *fake) RedriveByID(ctx context.Context, id string) (api.Redrive, error) {
	return called(f, ctx, "redrive "+id, aRedrive)
}

func (f *fake) CancelRedrive(ctx context.Context, id string) (api.Redrive, error) {
	return called(f, ctx, "cancel "+id, aRedrive)
}

func (f *fake) Record(_ context.Context, e api.AuditEntry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return f.broken
	}
	f.audit = append(f.audit, e)
	f.calls = append(f.calls, "record "+e.Act+" "+e.Outcome)
	return nil
}

func (f *fake) Entries(ctx context.Context, q api.PageQuery) (api.Page[api.AuditEntry], error) {
	return called(f, ctx, fmt.Sprintf("entries %+v", q), pageOf(api.AuditEntry{At: at0, User: "ann", Role: api.Admin, From: "h", Act: "produce", Target: "orders", Outcome: "done"}))
}

// fakeService is a service's own side.
type fakeService struct{ f *fake }

func (s fakeService) Status(ctx context.Context) (admin.Status, error) {
	return called(s.f, ctx, "status", aStatus)
}

func (s fakeService) Rows(ctx context.Context, q outbox.RowQuery) (admin.RowPage, error) {
	return called(s.f, ctx, "rows "+queryText(q), admin.RowPage{After: 9, Rows: []outbox.StoredRow{{ID: 9, Status: "FAILED", Topic: "orders", Key: "o1", EventID: "e1",
		Type: "paid", EnqueuedAt: at0, Size: 3, Payload: []byte("abc"), Headers: []event.Header{{Key: "h", Value: []byte("v")}}}}})
}

func (s fakeService) Replay(ctx context.Context, ids ...int64) (int64, error) {
	return called(s.f, ctx, fmt.Sprintf("replay %v", ids), int64(3))
}

func (s fakeService) PauseRelay(ctx context.Context, reason string) error {
	_, err := called(s.f, ctx, "pause "+reason, 0)
	return err
}

func (s fakeService) ResumeRelay(ctx context.Context) error {
	_, err := called(s.f, ctx, "resume", 0)
	return err
}

func (s fakeService) Positions(ctx context.Context, consumer string) ([]inbox.Position, error) {
	return called(s.f, ctx, "positions "+consumer, []inbox.Position{{Partition: inbox.Partition{Cluster: "k", TopicID: "t", Topic: "orders", Partition: 2}, Next: []int64{7, 9}, Epoch: 3}})
}

func (s fakeService) Marks(ctx context.Context, consumer string, ids ...string) ([]inbox.StoredMark, error) {
	return called(s.f, ctx, fmt.Sprintf("marks %s %v", consumer, ids), []inbox.StoredMark{{ID: "e1", Outcome: inbox.Handled, MarkedAt: at0}})
}

func (s fakeService) Waiting(ctx context.Context, q inbox.WaitingQuery) (admin.WaitingPage, error) {
	return called(s.f, ctx, "waiting "+queryText(q), admin.WaitingPage{
		Waiting: []inbox.StoredWaiting{{Place: inbox.Place{Topic: "orders", Partition: 2, Offset: 7}, Key: "o1", Attempts: 2, Parked: true, Size: 3, Reason: "boom"}},
		Next:    &inbox.WaitingQuery{Consumer: "payment", After: &inbox.Place{Topic: "orders", Partition: 2, Offset: 7}},
	})
}

func (s fakeService) StartReplay(ctx context.Context, r admin.ReplayRequest) (inbox.Replay, error) {
	return called(s.f, ctx, fmt.Sprintf("start replay %+v", r), inbox.Replay{Generation: 2, From: 1, To: 8})
}

func (s fakeService) Release(ctx context.Context, consumer, topic, key string) (int64, error) {
	return called(s.f, ctx, fmt.Sprintf("release %s %s %s", consumer, topic, key), int64(2))
}

func queryText(q any) string {
	values, err := api.EncodeQuery(q)
	if err != nil {
		return err.Error()
	}
	return values.Encode()
}

var errBroken = errors.New("disk full")
