package rest

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/internal/restapi"
)

// Config of the API. Worker is required.
type Config struct {
	Worker *connect.Worker
	// Local refuses requests for a Host that is not this machine's own name for itself: of pages that
	// had their name point here. For an API that listens on loopback.
	Local bool
	// Level is changed by /admin/loggers, and shown there; nil has no loggers.
	Level  *slog.LevelVar
	Logger *slog.Logger
}

// Version of Kafka Connect whose API this is.
const Version = "4.3.1"

// maxBody bounds a request: configurations are small.
const maxBody = 4 << 20

type api struct {
	Config
	mux *http.ServeMux
}

// New is the API as a handler. Requests of pages of other origins are refused.
func New(c Config) http.Handler {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	a := &api{Config: c, mux: http.NewServeMux()}
	a.routes()
	return http.NewCrossOriginProtection().Handler(a)
}

func (a *api) routes() {
	for pattern, h := range map[string]handler{
		"GET /{$}":                                       a.root,
		"GET /health":                                    a.health,
		"GET " + reportsPath:                             a.reports,
		"GET /connectors":                                a.list,
		"GET /connectors/{name}":                         a.info,
		"GET /connectors/{name}/config":                  a.config,
		"GET /connectors/{name}/status":                  a.status,
		"GET /connectors/{name}/tasks":                   a.tasks,
		"GET /connectors/{name}/tasks/{task}/status":     a.taskStatus,
		"GET /connectors/{name}/topics":                  a.topics,
		"GET /connectors/{name}/offsets":                 a.offsets,
		"GET /connector-plugins":                         a.plugins,
		"GET /connector-plugins/{class}/config":          a.pluginKeys,
		"PUT /connector-plugins/{class}/config/validate": a.validate,
		"GET /admin/loggers":                             a.loggers,
		"GET /admin/loggers/{logger}":                    a.logger,
		"PUT /admin/loggers/{logger}":                    a.setLogger,
		"POST /connectors":                               a.create,
		"PUT /connectors/{name}/config":                  a.put,
		"PATCH /connectors/{name}/config":                a.patch,
		"DELETE /connectors/{name}":                      a.remove,
		"PUT /connectors/{name}/pause":                   a.target(connect.Paused),
		"PUT /connectors/{name}/resume":                  a.target(connect.Started),
		"PUT /connectors/{name}/stop":                    a.target(connect.Stopped),
		"POST /connectors/{name}/restart":                a.restart,
		"POST /connectors/{name}/tasks/{task}/restart":   a.restartTask,
		"PUT /connectors/{name}/topics/reset":            a.resetTopics,
		"PATCH /connectors/{name}/offsets":               a.alterOffsets,
		"DELETE /connectors/{name}/offsets":              a.resetOffsets,
	} {
		a.mux.Handle(pattern, a.wrap(h))
	}
}

// ServeHTTP takes a slash at the end of a path as if it were not there.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path := r.URL.EscapedPath(); len(path) > 1 && strings.HasSuffix(path, "/") {
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = strings.TrimRight(r.URL.Path, "/"), strings.TrimRight(r.URL.RawPath, "/")
	}
	if status, body, refused := restapi.Refusal(a.mux, a.Local, r); refused {
		answer(w, status, body)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	a.mux.ServeHTTP(w, r)
}

// handler answers a status and a body, nil for none.
type handler func(r *http.Request) (status int, body any, err error)

// located is a body with a Location.
type located struct {
	path string
	body any
}

func (a *api) wrap(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, body, err := h(r)
		if err != nil {
			status = statusOf(err)
			if status >= http.StatusInternalServerError {
				a.Logger.Warn("connect: a request failed", "method", r.Method, "path", r.URL.Path, "error", err)
			}
			body = restapi.Error{Code: status, Message: err.Error()}
		}
		if b, ok := body.(located); ok {
			w.Header().Set("Location", b.path)
			body = b.body
		}
		answer(w, status, body)
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	restapi.WriteJSON(w, body)
}

func statusOf(err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, connect.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, connect.ErrConflict):
		return http.StatusConflict
	case errors.Is(err, connect.ErrInvalid):
		return http.StatusBadRequest
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &unsupported{}):
		return http.StatusUnsupportedMediaType
	case errors.Is(err, connect.ErrUnready):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// invalid is a request that cannot be read.
type invalid string

func (e invalid) Error() string { return string(e) }

func (invalid) Is(target error) bool { return target == connect.ErrInvalid }

// unsupported is a body that is not said to be JSON.
type unsupported struct{}

func (unsupported) Error() string { return "HTTP 415 Unsupported Media Type" }

// read a JSON body.
func read(r *http.Request, into any) error {
	if r.ContentLength == 0 {
		return invalid("the request has no body; JSON is expected")
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return unsupported{}
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return err
	case errors.Is(err, io.EOF):
		return invalid("the request has no body; JSON is expected")
	case err != nil:
		return invalid("the request's body is not the JSON that is expected: " + err.Error())
	}
	return nil
}
