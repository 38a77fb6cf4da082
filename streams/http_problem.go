package streams

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
)

// problem is one of RFC 9457. Its type tells instances what each other means.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Host has the key, where it is elsewhere.
	Host *Host `json:"host,omitempty"`
}

const problemPrefix = "urn:pabal:streams:"

var (
	errInvalid  = errors.New("the request is not understood")
	errNotFound = errors.New("not found")
)

// problemKinds is the one mapping of errors.
var problemKinds = []struct {
	err    error
	status int
	name   string
}{
	{errInvalid, http.StatusBadRequest, "invalid"},
	{errNotFound, http.StatusNotFound, "not-found"},
	{ErrNoStore, http.StatusNotFound, "no-store"},
	{ErrUnreachable, http.StatusBadGateway, "unreachable"},
	{ErrNotReady, http.StatusServiceUnavailable, "not-ready"},
	{ErrElsewhere, http.StatusMisdirectedRequest, "elsewhere"},
	{context.DeadlineExceeded, http.StatusGatewayTimeout, "timeout"},
	{context.Canceled, http.StatusGatewayTimeout, "timeout"},
}

func writeProblem(w http.ResponseWriter, log *slog.Logger, r *http.Request, err error) {
	p := problem{Type: problemPrefix + "internal", Status: http.StatusInternalServerError}
	for _, k := range problemKinds {
		if errors.Is(err, k.err) {
			p.Type, p.Status, p.Detail = problemPrefix+k.name, k.status, err.Error()
			break
		}
	}
	if p.Status == http.StatusInternalServerError {
		log.Error("streams: a query failed", "path", r.URL.Path, "error", err)
		p.Detail = "the log of this instance says why"
	}
	if place, ok := ElsewhereOf(err); ok {
		p.Host = place.Active
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	p.Title = http.StatusText(p.Status)
	data, _ := json.Marshal(p)
	send(w, p.Status, "application/problem+json", data)
}

func writeJSON(w http.ResponseWriter, body any) error {
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		return err
	}
	send(w, http.StatusOK, "application/json", data.Bytes())
	return nil
}

func send(w http.ResponseWriter, status int, contentType string, data []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}
