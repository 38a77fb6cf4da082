package pages_test

import (
	"context"
	"encoding/json"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/saga"
)

var (
	sagaLine = admin.SagaLine{Name: "place-order", ID: "order/1", Version: 2, Revision: 12, Status: saga.NeedsReview, CorrelationID: "c1",
		Reason: "compensation of pay: no account 4711", Current: "pay", Started: before(90), Changed: before(20), Due: now.Add(30e9)}
	sagaDetail = admin.SagaDetail{SagaLine: sagaLine, Operable: true, LeftOut: 3, StateSize: 21, State: json.RawMessage(`{"customer":"•••"}`), Masked: []string{"customer"},
		Steps: []saga.StepState{
			{Name: "pay", Phase: saga.StepUndoFailed, Attempt: 2, Undo: 5, Unanswered: 1, Parked: true, Command: "e5", Reason: "no account 4711", Since: before(20)},
			{Name: "reserve", Phase: saga.StepRunning, Attempt: 1, Left: 2, Command: "e2", Since: before(60)},
		},
		Timers: []saga.Timer{{Kind: saga.DeadlineTimer, Due: now.Add(600e9)}, {Kind: saga.TimeoutTimer, Step: "reserve", Attempt: 1, Due: now.Add(30e9)}},
		Entries: []saga.Entry{
			{At: before(90), Kind: saga.EntryStarted, MessageID: "e1", Type: "order-placed", Status: saga.Running},
			{At: before(90), Kind: saga.EntryCommand, Step: "pay", Attempt: 1, MessageID: "e2", Type: "pay", Topic: "payments"},
			{At: before(70), Kind: saga.EntryAnswer, Step: "pay", MessageID: "e3", Type: "paid", Topic: "paid", Note: "SUCCEEDED"},
			{At: before(60), Kind: saga.EntryCommand, Step: "reserve", Attempt: 1, MessageID: "e4", Type: "reserve", Topic: "reservations"},
			{At: before(40), Kind: saga.EntryTimer, Step: "reserve", Attempt: 1, Note: "timeout"},
			{At: before(40), Kind: saga.EntryStatus, Status: saga.Compensating, Note: "no answer within 20s (attempt 1)"},
			{At: before(40), Kind: saga.EntryUndo, Step: "pay", Attempt: 5, MessageID: "e5", Type: "refund", Topic: "payments"},
			{At: before(20), Kind: saga.EntryStatus, Status: saga.NeedsReview, Note: "compensation of pay: no account 4711"},
			{At: before(10), Kind: saga.EntryAct, Step: "pay", Note: "retry: the account is there again", Actor: "ann"},
		}}
	sagaCounts = []saga.Count{{Name: "place-order", Status: saga.NeedsReview, Count: 1, Oldest: before(90)}, {Name: "place-order", Status: saga.Completed, Count: 1200, Oldest: before(9000)}}
)

func (s fakeService) SagaCounts(ctx context.Context) ([]saga.Count, error) {
	return answer(ctx, s.f, sagaCounts)
}

func (s fakeService) Sagas(ctx context.Context, _ saga.Query) (admin.SagaPage, error) {
	return answer(ctx, s.f, admin.SagaPage{Sagas: []admin.SagaLine{sagaLine}, Next: &saga.Place{Started: before(90), Name: "place-order", ID: "order/1"}})
}

func (s fakeService) Saga(ctx context.Context, _, _ string) (admin.SagaDetail, error) {
	return answer(ctx, s.f, sagaDetail)
}
