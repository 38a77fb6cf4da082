package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/event"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// requestTimeout bounds the work for one request.
const requestTimeout = 15 * time.Second

// Response is what an endpoint answers.
type Response struct {
	Status int
	// Body is sent as JSON.
	Body any
	// Location, where not empty, is the header of that name.
	Location string
	// Header are further ones.
	Header http.Header
}

// Endpoint answers a request. A *Problem becomes problem JSON; any other error
// is logged and becomes 500, or 503 where the database is away.
type Endpoint func(ctx context.Context, r *http.Request) (Response, error)

// Router is the service's REST API.
type Router struct {
	mux     *http.ServeMux
	log     *slog.Logger
	set     *metrics.Set
	tracer  trace.Tracer
	isAway  func(error) bool
	answers [6]*metrics.Counter // by hundred of the status
}

// NewRouter is an API without endpoints.
func NewRouter(env Env) *Router {
	r := &Router{
		mux: http.NewServeMux(), log: env.Log, set: env.Metrics, isAway: func(error) bool { return false },
		tracer: otel.Tracer("github.com/pabal-dev/pabal/examples/service"),
	}
	if env.DB != nil {
		r.isAway = env.DB.Transient
	}
	for hundred := 1; hundred < len(r.answers); hundred++ {
		r.answers[hundred] = env.Counter(fmt.Sprintf(`http_responses_total{status="%dxx"}`, hundred))
	}
	return r
}

// Handle registers an endpoint under a pattern such as "GET /orders/{id}".
func (rt *Router) Handle(pattern string, endpoint Endpoint) {
	duration := rt.set.NewHistogram(fmt.Sprintf(`http_request_duration_seconds{route=%q}`, pattern))
	rt.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		rt.serve(w, r, pattern, endpoint)
		duration.UpdateDuration(began)
	})
}

func (rt *Router) serve(w http.ResponseWriter, r *http.Request, pattern string, endpoint Endpoint) {
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
	ctx, span := rt.tracer.Start(ctx, pattern, trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	response, err := endpoint(ctx, r)
	if err != nil {
		p := rt.problem(pattern, err)
		if p.Status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, err.Error())
		}
		rt.refuse(w, p)
		return
	}
	maps.Copy(w.Header(), response.Header)
	if response.Location != "" {
		w.Header().Set("Location", response.Location)
	}
	rt.answers[response.Status/100].Inc()
	writeJSON(w, response.Status, "application/json", response.Body)
}

func (rt *Router) problem(pattern string, err error) *Problem {
	var p *Problem
	switch {
	case errors.As(err, &p):
		return p
	case rt.isAway(err), errors.Is(err, context.DeadlineExceeded):
		rt.log.Warn("request given up", "route", pattern, "error", err)
		return Refuse(http.StatusServiceUnavailable, "the database does not answer; try again")
	}
	if errors.Is(err, event.ErrUnavailable) {
		rt.log.Warn("request given up", "route", pattern, "error", err)
		return Refuse(http.StatusServiceUnavailable, "the schema registry does not answer; try again")
	}
	rt.log.Error("request failed", "route", pattern, "error", err)
	return Refuse(http.StatusInternalServerError, "an error of the service; its log says more")
}

func (rt *Router) refuse(w http.ResponseWriter, p *Problem) {
	rt.answers[p.Status/100].Inc()
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	p.write(w)
}

// ServeHTTP answers unknown paths and methods with problem JSON too.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !utf8.ValidString(r.URL.Path) || strings.ContainsRune(r.URL.Path, 0) {
		rt.refuse(w, Refuse(http.StatusBadRequest, "the path is not text"))
		return
	}
	if _, pattern := rt.mux.Handler(r); pattern != "" {
		rt.mux.ServeHTTP(w, r)
		return
	}
	var probe statusProbe
	rt.mux.ServeHTTP(&probe, r)
	allow := probe.Header().Get("Allow")
	switch {
	case probe.status == http.StatusMethodNotAllowed:
		w.Header().Set("Allow", allow)
		rt.refuse(w, Refuse(http.StatusMethodNotAllowed, "%s is not possible here, only %s", r.Method, strings.TrimSpace(allow)))
	case probe.status >= 300 && probe.status < 400:
		http.Redirect(w, r, probe.Header().Get("Location"), probe.status)
	default:
		rt.refuse(w, Refuse(http.StatusNotFound, "there is nothing at %s", strconv.Quote(r.URL.Path)))
	}
}

// statusProbe learns what the mux would answer where no pattern matches.
type statusProbe struct {
	header http.Header
	status int
}

func (p *statusProbe) Header() http.Header {
	if p.header == nil {
		p.header = http.Header{}
	}
	return p.header
}

func (p *statusProbe) WriteHeader(status int) {
	if p.status == 0 {
		p.status = status
	}
}

func (p *statusProbe) Write(data []byte) (int, error) {
	p.WriteHeader(http.StatusOK)
	return len(data), nil
}
