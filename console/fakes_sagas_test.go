package console

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/saga"
)

var (
	aSagaLine = admin.SagaLine{Name: "place-order", ID: "o1", Version: 1, Revision: 7, Status: saga.NeedsReview, CorrelationID: "c1",
		Reason: "card 4111 was refused", Current: "pay", Started: at0, Changed: at0, Due: at0}
	aSaga = admin.SagaDetail{SagaLine: aSagaLine, Operable: true,
		Steps:  []saga.StepState{{Name: "pay", Phase: saga.StepUndoFailed, Attempt: 1, Undo: 5, Command: "e1", Reason: "card 4111", Since: at0}},
		Timers: []saga.Timer{{Kind: saga.DeadlineTimer, Due: at0}},
		State:  json.RawMessage(`{"card":"4111","total":5}`), StateSize: 25,
		Entries: []saga.Entry{
			{At: at0, Kind: saga.EntryStarted, MessageID: "e0", Type: "placed", Topic: "orders", Status: saga.Running},
			{At: at0, Kind: saga.EntryCommand, Step: "pay", Attempt: 1, MessageID: "e1", Type: "pay", Topic: "payments", Note: "card 4111"},
			{At: at0, Kind: saga.EntryAct, Step: "pay", Note: "try again", Actor: "ann"},
		}}
)

func (s fakeService) SagaCounts(ctx context.Context) ([]saga.Count, error) {
	return called(s.f, ctx, "saga counts", []saga.Count{{Name: "place-order", Status: saga.Completed, Count: 9, Oldest: at0}, {Name: "place-order", Status: saga.NeedsReview, Count: 1, Oldest: at0}})
}

func (s fakeService) Sagas(ctx context.Context, q saga.Query) (admin.SagaPage, error) {
	after := saga.Place{}
	if q.After != nil {
		after, q.After = *q.After, nil
	}
	return called(s.f, ctx, fmt.Sprintf("sagas %+v after %+v", q, after), admin.SagaPage{Sagas: []admin.SagaLine{aSagaLine}, Next: &saga.Place{Started: at0, Name: "place-order", ID: "o1"}})
}

func (s fakeService) Saga(ctx context.Context, name, id string) (admin.SagaDetail, error) {
	return called(s.f, ctx, "saga "+name+" "+id, aSaga)
}

func (s fakeService) ActOnSaga(ctx context.Context, a saga.Act) (admin.SagaLine, error) {
	return called(s.f, ctx, fmt.Sprintf("act on saga %+v", a), aSagaLine)
}
