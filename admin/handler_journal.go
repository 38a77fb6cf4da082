package admin

import "net/http"

func (h handler) entityTypes(r *http.Request) (any, error) { return h.api.EntityTypes(r.Context()) }

func (h handler) entities(r *http.Request) (any, error) {
	q, err := readEntityQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	return h.api.Entities(r.Context(), q)
}

func (h handler) entity(r *http.Request) (any, error) {
	return h.api.Entity(r.Context(), r.PathValue("id"))
}

func (h handler) events(r *http.Request) (any, error) {
	q, err := readEventQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	q.PersistenceID = r.PathValue("id")
	return h.api.Events(r.Context(), q)
}

func (h handler) states(r *http.Request) (any, error) {
	q, err := readStateQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	q.PersistenceID = r.PathValue("id")
	return h.api.States(r.Context(), q)
}

func (h handler) projections(r *http.Request) (any, error) { return h.api.Projections(r.Context()) }

// pauseBody pauses a projection, or ends that.
type pauseBody struct {
	Paused bool `json:"paused"`
}

func (h handler) pauseProjection(r *http.Request) (any, error) {
	body, err := read[pauseBody](r)
	if err != nil {
		return nil, err
	}
	name := r.PathValue("name")
	if body.Paused {
		err = h.api.PauseProjection(r.Context(), name)
	} else {
		err = h.api.ResumeProjection(r.Context(), name)
	}
	h.did(r, "projection paused or resumed", err, "projection", name, "paused", body.Paused)
	return struct{}{}, err
}

func (h handler) resetProjection(r *http.Request) (any, error) {
	body, err := read[ProjectionReset](r)
	if err != nil {
		return nil, err
	}
	body.Projection = r.PathValue("name")
	err = h.api.ResetProjection(r.Context(), body)
	h.did(r, "projection reset", err, "projection", body.Projection, "to", body.To)
	return struct{}{}, err
}

func (h handler) rebuildProjection(r *http.Request) (any, error) {
	body, err := read[RebuildRequest](r)
	if err != nil {
		return nil, err
	}
	body.Projection = r.PathValue("name")
	rebuilt, err := h.api.RebuildProjection(r.Context(), body)
	h.did(r, "step of a rebuild", err, "projection", body.Projection, "step", body.Step)
	return rebuilt, err
}
