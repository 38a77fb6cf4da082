package adapters

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

// transactionView is a business transaction as its saga has seen it.
type transactionView struct {
	ID        string         `json:"transactionId"`
	EventType string         `json:"eventType"`
	IDName    message.IDName `json:"idName"`
	Item      message.Item   `json:"item,omitzero"`
	Point     int64          `json:"point"`
	// Status is STARTED, COMPLETED, COMPENSATING, COMPENSATED or NEEDS_REVIEW, or
	// RESOLVED by people.
	Status       string            `json:"status"`
	Reason       string            `json:"reason,omitempty"`
	Participants []participantView `json:"participants"`
	StartedAt    time.Time         `json:"startedAt"`
	ChangedAt    time.Time         `json:"changedAt"`
}

type participantView struct {
	Name string `json:"name"`
	// Result is PENDING, SUCCESS or FAILED.
	Result string `json:"result"`
	Reason string `json:"reason,omitempty"`
	// Compensation of a success is PENDING, DONE or FAILED; "" where there is none.
	Compensation string `json:"compensation,omitempty"`
}

func (a api) transaction(ctx context.Context, r *http.Request) (service.Response, error) {
	id := r.PathValue("id")
	of, m, err := a.sagas.find(ctx, id)
	var i saga.Instance[Transaction]
	if err == nil {
		err = a.sagas.env.Update(ctx, func(tx storage.Tx) (err error) {
			i, err = m.Load(ctx, tx, id)
			return err
		})
	}
	if errors.Is(err, saga.ErrNotFound) {
		return service.Response{}, service.Refuse(http.StatusNotFound, "there is no transaction %q", id)
	}
	return service.Response{Status: http.StatusOK, Body: viewOfSaga(of, i)}, err
}

// find says which kind of transaction has that id, and who watches over it;
// saga.ErrNotFound where none has.
func (s *Sagas) find(ctx context.Context, id string) (message.EventType, *manager, error) {
	var of string
	err := s.env.DB.View(ctx, func(q storage.Querier) error {
		return q.QueryRow(ctx, `SELECT 'RENT' FROM rentals WHERE id = $1 UNION ALL SELECT 'RETURN' FROM returns WHERE id = $1
			UNION ALL SELECT 'OVERDUE' FROM clearings WHERE id = $1`, id).Scan(&of)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil, saga.ErrNotFound
	}
	managers := map[message.EventType]*manager{message.Rent: s.rents, message.Return: s.returns, message.Overdue: s.overdue}
	return message.EventType(of), managers[message.EventType(of)], err
}

func viewOfSaga(of message.EventType, i saga.Instance[Transaction]) transactionView {
	v := transactionView{
		ID: i.ID, EventType: string(of), IDName: i.State.IDName, Item: i.State.Item, Point: i.State.Point,
		Status: string(i.Status), Reason: i.Reason, StartedAt: i.Started, ChangedAt: i.Changed,
	}
	if i.Status == saga.Running {
		v.Status = "STARTED"
	}
	for _, step := range i.Steps {
		v.Participants = append(v.Participants, viewOfStep(step))
	}
	return v
}

func viewOfStep(s saga.StepState) participantView {
	v := participantView{Name: s.Name, Reason: s.Reason}
	switch s.Phase {
	case saga.StepSucceeded:
		v.Result = "SUCCESS"
	case saga.StepRefused, saga.StepFailed:
		v.Result = "FAILED"
	case saga.StepUndoing:
		v.Result, v.Compensation = "SUCCESS", "PENDING"
	case saga.StepUndone:
		v.Result, v.Compensation = "SUCCESS", "DONE"
	case saga.StepUndoFailed, saga.StepUndoSkipped:
		v.Result, v.Compensation = "SUCCESS", "FAILED"
	default: // no answer yet, or none any more
		v.Result = "PENDING"
	}
	return v
}

func cardPath(memberID string) string { return "/rental-cards/" + url.PathEscape(memberID) }
