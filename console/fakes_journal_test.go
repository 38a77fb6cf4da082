package console

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/projection"
)

var (
	aRunning = admin.ProjectionStatus{Name: "order-view", Source: "events", State: "failed",
		Ranges:    []projection.RangeStats{{Slices: "0-1023", State: projection.StateStopped, Epoch: 4, Latest: at0, Consumed: at0, LagEvents: 12, Problem: "order|1 at event 2: boom"}},
		LagEvents: 12, LagMicros: 3400, Handled: 99, Problem: "order|1 at event 2: boom", Rebuild: &admin.RebuildStatus{State: "running", LagEvents: 5, Problem: "order|1 again"}}
	aProjection = admin.ProjectionInfo{Name: "order-view", Source: "events", Paused: true, Workers: []string{"w1"},
		Ranges: []admin.ProjectionRange{{Slices: "0-1023", Epoch: 4, Saved: at0}}, Latest: at0, Consumed: at0, Running: &aRunning}
	// someStates are those of order|1 after each of its events.
	someStates = []string{`{"card":"4111","total":0,"items":[]}`, `{"card":"4111","total":5,"items":[{"id":"a","n":1}]}`, `{"card":"4222","total":5,"items":[{"id":"a","n":1}]}`}
)

// anEvents are the events of order|1.
func storedEvent(n int64) admin.StoredEvent {
	return admin.StoredEvent{SeqNr: n, Time: at0, Tags: []string{"orders"}, Writer: "w",
		Payload:  admin.Content{Serializer: 31, Manifest: fmt.Sprintf("changed-%d", n), Size: 12, Format: "json", Text: `{"card":"4111"}`},
		Metadata: &admin.Content{Format: "json", Text: `{"card":"4111","trace":"t"}`}}
}

func (s fakeService) EntityTypes(ctx context.Context) ([]admin.EntityType, error) {
	return called(s.f, ctx, "entity types", []admin.EntityType{{Name: "order", Kind: admin.EventSourced, States: true}, {Name: "cart", Kind: admin.Durable}})
}

func (s fakeService) Entities(ctx context.Context, q admin.EntityQuery) (admin.EntityPage, error) {
	return called(s.f, ctx, "entities "+queryText(q), admin.EntityPage{Entities: []admin.EntityLine{{PersistenceID: "order|1", SeqNr: 3}}, Next: "order|1"})
}

func (s fakeService) Entity(ctx context.Context, id string) (admin.Entity, error) {
	return called(s.f, ctx, "entity "+id, admin.Entity{PersistenceID: id, Type: "order", ID: "1", Slice: 253, SeqNr: 3, First: 1, States: true,
		Snapshot: &admin.SnapshotInfo{SeqNr: 2, Time: at0, Serializer: 31, Size: 9},
		State:    &admin.StoredState{Revision: 3, Time: at0, Tags: []string{"x"}, Payload: admin.Content{Serializer: 31, Format: "json", Text: someStates[2], Size: len(someStates[2])}}})
}

func (s fakeService) Events(ctx context.Context, q admin.EventQuery) (admin.EventPage, error) {
	page := admin.EventPage{Events: []admin.StoredEvent{}}
	for n := max(q.From, 1); n <= 3 && (q.To == 0 || n <= q.To); n++ {
		page.Events = append(page.Events, storedEvent(n))
	}
	return called(s.f, ctx, "events "+queryText(q), page)
}

func (s fakeService) States(ctx context.Context, q admin.StateQuery) (admin.StatePage, error) {
	page := admin.StatePage{States: []admin.EntityState{}}
	if q.To == 0 {
		q.From, q.To = 3, 3
	}
	for n := max(q.From, 1); n <= min(q.To, 3); n++ {
		page.States = append(page.States, admin.EntityState{SeqNr: n, State: json.RawMessage(someStates[n-1])})
	}
	return called(s.f, ctx, "states "+queryText(q), page)
}

func (s fakeService) Projections(ctx context.Context) ([]admin.ProjectionInfo, error) {
	return called(s.f, ctx, "projections", []admin.ProjectionInfo{aProjection})
}

func (s fakeService) PauseProjection(ctx context.Context, name string) error {
	_, err := called(s.f, ctx, "pause projection "+name, 0)
	return err
}

func (s fakeService) ResumeProjection(ctx context.Context, name string) error {
	_, err := called(s.f, ctx, "resume projection "+name, 0)
	return err
}

func (s fakeService) ResetProjection(ctx context.Context, r admin.ProjectionReset) error {
	_, err := called(s.f, ctx, fmt.Sprintf("reset projection %+v", r), 0)
	return err
}

func (s fakeService) RebuildProjection(ctx context.Context, r admin.RebuildRequest) (admin.Rebuilt, error) {
	return called(s.f, ctx, fmt.Sprintf("rebuild %+v", r), admin.Rebuilt{Differences: []projection.Difference{
		{Table: "orders", Live: 3, Copy: 2, OnlyLive: 1, LiveRows: []string{`{"card":"4111"}`}}}})
}
