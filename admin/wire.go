package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// read takes the JSON body of an act.
func read[T any](r *http.Request) (T, error) {
	var body T
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return body, fmt.Errorf("%w: the content type must be application/json", ErrInvalid)
	}
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return body, fmt.Errorf("%w: the body: %w", ErrInvalid, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return body, fmt.Errorf("%w: there is more behind the JSON value", ErrInvalid)
	}
	return body, nil
}

// answering sends what fn returns within a time, as JSON.
func answering(within time.Duration, fn func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), within)
		defer cancel()
		if within > requestTimeout { // for which the server's own limit may be too short
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(within + requestTimeout))
		}
		value, err := fn(r.WithContext(ctx))
		if err != nil {
			refuse(w, err)
			return
		}
		data, err := json.Marshal(value)
		if err == nil && len(data) > maxAnswer {
			err = fmt.Errorf("%w: the answer has %d bytes, %d are allowed: ask with a smaller limit", ErrInvalid, len(data), maxAnswer)
		}
		if err != nil {
			refuse(w, err)
			return
		}
		send(w, http.StatusOK, "application/json", data)
	}
}

// statuses of errors, in both directions.
var statuses = []struct {
	err    error
	status int
}{
	{ErrNotFound, http.StatusNotFound},
	{ErrInvalid, http.StatusBadRequest},
	{ErrConflict, http.StatusConflict},
	{ErrDenied, http.StatusUnauthorized},
	{ErrUnavailable, http.StatusServiceUnavailable},
}

// problem is RFC 9457's.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// refuse answers with an error; one that is none of ours is the database's.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusServiceUnavailable
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			status = s.status
			break
		}
	}
	if errors.Is(err, errForeign) {
		status = http.StatusForbidden
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	data, _ := json.Marshal(problem{http.StatusText(status), status, problemOf(err)}) // strings and a number
	send(w, status, "application/problem+json", data)
}

func send(w http.ResponseWriter, status int, contentType string, data []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.Copy(w, bytes.NewReader(data)) // the client is gone: nobody to tell
}
