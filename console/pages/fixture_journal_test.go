package pages_test

import (
	"context"
	"encoding/json"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/projection"
)

var (
	stopped = admin.ProjectionStatus{Name: "order-view", Source: "events", State: "failed",
		Ranges: []projection.RangeStats{
			{Slices: "0-511", State: projection.StateStopped, Epoch: 4, Latest: before(40), Consumed: before(39), LagEvents: 10_000, LagSeconds: 3.4, Problem: "order|42 at event 3: no such customer"},
			{Slices: "512-1023", State: projection.StateRunning, Latest: before(3), Consumed: before(2), Backtracking: true, Blocker: "process 17 of shop has written since 12:00"}},
		LagEvents: 10_000, LagMore: true, LagMicros: 3_400_000, Handled: 99, Skipped: 1, Failed: 1, Retried: 4, Problem: "order|42 at event 3: no such customer",
		Rebuild: &admin.RebuildStatus{State: "running", LagEvents: 5, Problem: "slow"}}
	projections = []admin.ProjectionInfo{
		{Name: "old-view", Source: "events", Workers: []string{}, Ranges: []admin.ProjectionRange{{Slices: "0-1023", Epoch: 2}}, Latest: before(9000), Consumed: before(9000)},
		{Name: "order-view", Source: "events", Paused: true, Workers: []string{"w1", "w2"},
			Ranges: []admin.ProjectionRange{{Slices: "0-511", Epoch: 4, Saved: before(2)}, {Slices: "512-1023", Epoch: 5, Saved: before(1)}}, Latest: before(3), Consumed: before(2)},
	}
	orderStates = []string{`{"total":0,"items":[],"customer":{"id":"c1"}}`, `{"total":20,"items":[{"id":"soup","n":1}],"customer":{"id":"c1"}}`, `{"total":20,"items":[{"id":"soup","n":1}],"customer":{"id":"c1"},"approved":true}`}
)

func (s fakeService) EntityTypes(ctx context.Context) ([]admin.EntityType, error) {
	return answer(ctx, s.f, []admin.EntityType{{Name: "order", Kind: admin.EventSourced, States: true}, {Name: "cart", Kind: admin.Durable, States: true}, {Kind: admin.EventSourced}})
}

func (s fakeService) Entities(ctx context.Context, q admin.EntityQuery) (admin.EntityPage, error) {
	line := admin.EntityLine{PersistenceID: "order|42", SeqNr: 3}
	if q.Kind == admin.Durable {
		line.PersistenceID, line.Time = "cart|😀/7", before(70)
	}
	return answer(ctx, s.f, admin.EntityPage{Entities: []admin.EntityLine{line}, Next: "order|42"})
}

func (s fakeService) Entity(ctx context.Context, id string) (admin.Entity, error) {
	return answer(ctx, s.f, admin.Entity{PersistenceID: id, Type: "order", ID: "42", Slice: 7, SeqNr: 3, First: 1, States: true,
		Snapshot: &admin.SnapshotInfo{SeqNr: 2, Time: before(60), Serializer: 31, Manifest: "order", Size: 90},
		State:    &admin.StoredState{Revision: 3, Time: before(50), Tags: []string{"open"}, Payload: admin.Content{Serializer: 31, Format: "json", Text: orderStates[2], Size: 80}}})
}

func (s fakeService) Events(ctx context.Context, q admin.EventQuery) (admin.EventPage, error) {
	all := []admin.StoredEvent{
		{SeqNr: 1, Time: before(90), Writer: "w", Payload: admin.Content{Serializer: 31, Manifest: "placed", Format: "json", Text: `{"customer":"c1"}`, Size: 17}},
		{SeqNr: 2, Time: before(80), Tags: []string{"orders", "paid"}, Writer: "w", AdapterManifest: "v2", Payload: admin.Content{Serializer: 99, Manifest: "item-added", Format: "binary", Base64: []byte{1, 2}, Size: 2, Problem: "no serializer has the number 99"}},
		{SeqNr: 3, Time: before(70), Writer: "w", Payload: admin.Content{Serializer: 31, Manifest: "approved", Format: "json", Text: `{"by":"•••"}`, Size: 14, Masked: []string{"by"}},
			Metadata: &admin.Content{Serializer: 31, Format: "text", Text: "from a test", Size: 11}},
	}
	if s.f.change == nil {
		all = all[q.From-1 : min(q.To, 3)]
	}
	return answer(ctx, s.f, admin.EventPage{Events: all})
}

func (s fakeService) States(ctx context.Context, q admin.StateQuery) (admin.StatePage, error) {
	page := admin.StatePage{}
	for n := max(q.From, 1); n <= min(q.To, 3); n++ {
		page.States = append(page.States, admin.EntityState{SeqNr: n, State: json.RawMessage(orderStates[n-1]), Masked: []string{"customer.card"}})
	}
	return answer(ctx, s.f, page)
}

func (s fakeService) Projections(ctx context.Context) ([]admin.ProjectionInfo, error) {
	return answer(ctx, s.f, projections)
}
