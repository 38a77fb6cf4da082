package admin

import (
	"net/http"

	"github.com/pabal-dev/pabal/saga"
)

func (h handler) sagaCounts(r *http.Request) (any, error) { return h.api.SagaCounts(r.Context()) }

func (h handler) sagas(r *http.Request) (any, error) {
	q, err := readSagaQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	return h.api.Sagas(r.Context(), q)
}

func (h handler) saga(r *http.Request) (any, error) {
	p := params{v: r.URL.Query()}
	name, id := p.text("name"), p.text("id")
	if err := p.end(); err != nil {
		return nil, err
	}
	return h.api.Saga(r.Context(), name, id)
}

func (h handler) actOnSaga(r *http.Request) (any, error) {
	body, err := read[saga.Act](r)
	if err != nil {
		return nil, err
	}
	line, err := h.api.ActOnSaga(r.Context(), body)
	h.did(r, "act on a saga", err, "saga", body.Saga, "id", body.ID, "do", body.Do, "step", body.Step, "actor", body.Actor, "reason", body.Reason)
	return line, err
}
