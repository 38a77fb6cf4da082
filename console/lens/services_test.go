package lens

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/outbox"
)

// fakeServices are services as their statuses, and one API for all.
type fakeServices struct {
	list []api.Service
	hang func() bool
	api  fakeAPI
}

func (f *fakeServices) Services(ctx context.Context) ([]api.Service, error) {
	if f.hang != nil && f.hang() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return f.list, nil
}

func (f *fakeServices) At(_ context.Context, name string) (admin.API, error) {
	if name == "nobody" {
		return nil, api.ErrNotFound
	}
	return f.api, nil
}

// fakeAPI answers with what it has; its other methods are not called.
type fakeAPI struct {
	admin.API
	rows      func(context.Context, outbox.RowQuery) ([]outbox.StoredRow, error)
	marks     []inbox.StoredMark
	positions []inbox.Position
}

func (f fakeAPI) Rows(ctx context.Context, q outbox.RowQuery) (admin.RowPage, error) {
	if f.rows == nil {
		return admin.RowPage{}, nil
	}
	rows, err := f.rows(ctx, q)
	return admin.RowPage{Rows: rows}, err
}

func (f fakeAPI) Positions(context.Context, string) ([]inbox.Position, error) {
	return f.positions, nil
}

func (f fakeAPI) Marks(context.Context, string, ...string) ([]inbox.StoredMark, error) {
	return f.marks, nil
}

func (f fakeAPI) Waiting(context.Context, inbox.WaitingQuery) (admin.WaitingPage, error) {
	return admin.WaitingPage{}, nil
}

func oneService() []api.Service {
	return []api.Service{{Name: "order", Instance: "order-1", Status: &admin.Status{
		Name: "order", Outbox: &admin.OutboxStatus{Name: "order", Source: "/orders/order", Relay: admin.RelayStatus{State: outbox.Active}},
		Consumers: []admin.ConsumerStatus{{Name: "order-service", Topics: []string{"orders"}}},
	}}}
}

// TestHangingService: the trace comes in time, with what the log knows, what the
// services said before, and what could not be asked.
func TestHangingService(t *testing.T) {
	cluster := kafkatest.Start(t)
	cluster.Topics(t, "orders")
	e := event.New("orders", "order-1", 1)
	hang := make(chan struct{})
	hanging := func() bool {
		select {
		case <-hang:
			return true
		default:
			return false
		}
	}
	services := &fakeServices{list: oneService(), hang: hanging}
	services.api.rows = func(ctx context.Context, q outbox.RowQuery) ([]outbox.StoredRow, error) {
		if hanging() {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return nil, nil
	}
	services.api.marks = []inbox.StoredMark{{ID: e.ID, Outcome: inbox.Handled, MarkedAt: time.Now().Add(time.Second)}}
	var later atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	l, _ := run(t, cluster.Config, Config{Services: services, AskTimeout: 3 * time.Second, Clock: clock})
	produce(t, cluster.Client(t), "orders", e)
	await(t, "the event", func() bool { return l.events(t) == 1 })
	trace, err := l.Trace(t.Context(), e.ID)
	if err != nil || !trace.Complete || len(trace.Notes) > 0 {
		t.Fatalf("%+v, %v", trace, err)
	}
	close(hang)
	later.Store(int64(roundAge)) // so long the last answer is good for
	begun := time.Now()
	trace, err = l.Trace(t.Context(), e.ID)
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("the trace took %v", took)
	}
	notes := strings.Join(trace.Notes, "\n")
	if err != nil || len(trace.Hops) != 3 || !strings.Contains(notes, "what they said at") || !strings.Contains(notes, "outbox of order cannot be asked: no answer in time") {
		t.Errorf("%s%s\n%v", picture(trace), notes, err)
	}
	begun = time.Now()
	if _, err := l.Violations(t.Context()); err != nil || time.Since(begun) > time.Minute {
		t.Errorf("violations took %v: %v", time.Since(begun), err)
	}
}

// TestOutboxOnly: what no log has is found in the outboxes, by each of its names.
func TestOutboxOnly(t *testing.T) {
	cluster := kafkatest.Start(t)
	row := outbox.StoredRow{ID: 5, Status: outbox.Started, Topic: "orders", Key: "order-1", EventID: "e1", CorrelationID: "c1", EnqueuedAt: time.Now().Add(-time.Minute)}
	services := &fakeServices{list: oneService()}
	services.api.rows = func(_ context.Context, q outbox.RowQuery) ([]outbox.StoredRow, error) {
		if q.Status == row.Status && (q.Correlation == "c1" || q.Key == "order-1" || len(q.EventIDs) == 1 && q.EventIDs[0] == "e1") {
			return []outbox.StoredRow{row}, nil
		}
		return nil, nil
	}
	l, _ := run(t, cluster.Config, Config{Services: services})
	for _, name := range []string{"c1", "order-1", "e1"} {
		trace, err := l.Trace(t.Context(), name)
		if err != nil || trace.CorrelationID != "c1" || len(trace.Hops) != 2 || trace.Stuck == nil || trace.Hops[1].Row != 5 {
			t.Errorf("%s: %s%+v %v", name, picture(trace), trace.Stuck, err)
		}
	}
	if _, err := l.Trace(t.Context(), "c2"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("c2: %v", err)
	}
}

// TestMemory: a service that is gone is remembered, also after a restart, for as
// long as the index reaches back.
func TestMemory(t *testing.T) {
	now := t0
	config := Config{Services: &fakeServices{list: oneService()}, Clock: func() time.Time { return now }}
	config, err := config.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	ask := func(s *services) []serviceFact {
		s.start()
		defer s.stop()
		return s.all(t.Context(), patience).services
	}
	s := newServices(config)
	if found := ask(s); len(found) != 1 || found[0].away != "" || len(found[0].Consumers) != 1 {
		t.Fatalf("found %+v", found)
	}
	config.Services = &fakeServices{}
	again := newServices(config)
	again.remember(s.memory())
	if found := ask(again); len(found) != 1 || !strings.Contains(found[0].away, "05:06:07") || len(found[0].Consumers) != 1 {
		t.Errorf("found %+v", found)
	}
	now = now.Add(25 * time.Hour)
	if found := ask(again); len(found) != 0 {
		t.Errorf("a day later: %+v", found)
	}
}

// TestServicesAreRememberedUnasked: a service is known also where nobody looked while it
// was there.
func TestServicesAreRememberedUnasked(t *testing.T) {
	fake := &fakeServices{list: []api.Service{{Name: "payment", Instance: "payment-1", Status: &admin.Status{Name: "payment"}}}}
	config, err := Config{Services: fake}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	s := newServices(config)
	s.start()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.acquaint(ctx, 10*time.Millisecond)
	}()
	await(t, "the service is known", s.news)
	stop()
	<-done
	s.stop()
	if known := s.memory(); len(known) != 1 || known[0].Name != "payment" {
		t.Errorf("remembered: %+v", known)
	}
	if s.news() {
		t.Error("a service that was known is news")
	}
}
