package admin

import (
	"fmt"
	"net/http"
)

type pauseStreamsBody struct {
	Paused bool `json:"paused"`
}

func (h handler) streamsTopology(r *http.Request) (any, error) {
	apps, err := h.streams()
	if err != nil {
		return nil, err
	}
	return apps.StreamsTopology(r.Context(), r.PathValue("application"))
}

func (h handler) queryStore(r *http.Request) (any, error) {
	apps, err := h.streams()
	if err != nil {
		return nil, err
	}
	q, err := readStoreQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	q.Application = r.PathValue("application")
	return apps.QueryStore(r.Context(), q)
}

func (h handler) pauseStreams(r *http.Request) (any, error) {
	apps, err := h.streams()
	if err != nil {
		return nil, err
	}
	body, err := read[pauseStreamsBody](r)
	if err != nil {
		return nil, err
	}
	application := r.PathValue("application")
	if body.Paused {
		err = apps.PauseStreams(r.Context(), application)
	} else {
		err = apps.ResumeStreams(r.Context(), application)
	}
	h.did(r, "application paused or resumed", err, "application", application, "paused", body.Paused)
	return struct{}{}, err
}

func (h handler) streams() (Streams, error) {
	if h.apps == nil {
		return nil, fmt.Errorf("%w: the service has no stream processing applications", ErrNotFound)
	}
	return h.apps, nil
}
