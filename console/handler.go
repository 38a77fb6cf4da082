package console

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// newMux has the routes of the API, and an answer to all others below it.
func (c *Console) newMux() *http.ServeMux {
	mux := http.NewServeMux()
	for _, rt := range routes {
		mux.Handle(rt.method+" "+apiRoot+rt.pattern, c.served(rt))
	}
	mux.HandleFunc(apiRoot, func(w http.ResponseWriter, r *http.Request) { writeProblem(w, c.noRoute(mux, w, r)) })
	return mux
}

// served checks the role and answers an error as a problem.
func (c *Console) served(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if answer, ok := w.(*counted); ok {
			answer.route = rt.method + " " + rt.pattern
		}
		err := mayUse(rt, api.UserOf(r.Context()))
		if err == nil {
			err = rt.serve(c, w, r)
		}
		if err == nil {
			return
		}
		if api.Status(err) == http.StatusInternalServerError {
			c.logger.Error("console: request failed", "route", rt.method+" "+rt.pattern, "error", err)
		}
		writeProblem(w, err)
	}
}

func mayUse(rt route, u api.User) error {
	switch {
	case rt.role == "" || u.Role.Includes(rt.role):
		return nil
	case u.Role == "":
		return fmt.Errorf("%w: log in, or send a token: Authorization: Bearer …", api.ErrUnauthenticated)
	}
	return fmt.Errorf("%w: this needs the role %s; %s has the role %s", api.ErrForbidden, rt.role, u.Name, u.Role)
}

// noRoute says that there is nothing at a path, or not with that method.
func (c *Console) noRoute(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) error {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != apiRoot {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return fmt.Errorf("%w: the API has nothing at %.200q; see openapi.json", api.ErrNotFound, r.URL.Path)
	}
	methods := strings.Join(allowed, ", ")
	w.Header().Set("Allow", methods)
	return &api.Problem{
		Type: "urn:pabal:problem:method", Title: http.StatusText(http.StatusMethodNotAllowed), Status: http.StatusMethodNotAllowed,
		Detail: fmt.Sprintf("%.20q is not for this path; allowed: %s", r.Method, methods),
	}
}

// ServeHTTP takes the whole path, with the base.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := &counted{ResponseWriter: w, route: "pages"}
	begun := time.Now()
	defer func() {
		c.recovered(answer, r, recover())
		c.metrics.count(answer, time.Since(begun))
	}()
	secure(w.Header())
	if r.ContentLength != 0 { // a body that trickles must not hold the connection for ever
		_ = http.NewResponseController(w).SetReadDeadline(begun.Add(bodyTime))
	}
	switch {
	case r.URL.Path == c.base && c.base != "":
		c.redirect(answer, c.base+"/")
	case !strings.HasPrefix(r.URL.EscapedPath(), c.base+"/"):
		writeProblem(answer, fmt.Errorf("%w: the console is below %s/", api.ErrNotFound, c.base))
	default:
		http.StripPrefix(c.base, http.HandlerFunc(c.serve)).ServeHTTP(answer, r)
	}
}

// recovered answers a panic, which is ours to mend and not the end of the console.
func (c *Console) recovered(w *counted, r *http.Request, what any) {
	if what == nil {
		return
	}
	if what == http.ErrAbortHandler {
		panic(what)
	}
	c.logger.Error("console: a request failed badly", "method", r.Method, "path", r.URL.Path, "panic", what, "stack", string(debug.Stack()))
	if w.status == 0 {
		writeProblem(w, errors.New("the console failed; its log says more"))
	}
}

// lastWrite says how long an answer may take.
func lastWrite(w http.ResponseWriter, longer time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime + longer + 2*recordTime + slow))
}

// serve takes the path without the base.
func (c *Console) serve(w http.ResponseWriter, r *http.Request) {
	if probe, ok := probes[r.URL.Path]; ok {
		probe(c, w, r)
		return
	}
	isAPI := strings.HasPrefix(r.URL.Path, apiRoot)
	err := checkPath(r.URL)
	if err == nil {
		err = c.guard.check(r, isAPI)
	}
	if err == nil {
		user, denied := c.user(r)
		err = denied
		r = r.WithContext(api.WithUser(r.Context(), user))
	}
	// An answer that nobody reads must not be kept for ever; streams set their own.
	lastWrite(w, 0)
	switch {
	case err != nil:
		writeProblem(w, err)
	case isAPI:
		c.api.ServeHTTP(w, r)
	case r.URL.Path == "/metrics":
		c.serveMetrics(w, r)
	default:
		c.pages.ServeHTTP(w, r)
	}
}
