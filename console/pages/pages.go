// Package pages is the console as people see it: HTML made on the server from the
// engines of console/api. Reading needs no JavaScript; acts are sent by a small
// module to the JSON API, so that roles and audit have one path.
package pages

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// ContentSecurityPolicy is what the pages are written for: nothing inline, nothing
// from elsewhere. Every page carries it.
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// Config of the pages.
type Config struct {
	Engines api.Engines
	// Overview gathers the first page, as for the JSON API.
	Overview func(context.Context) (api.Overview, error)
	// Base is the path the console is mounted at, "" or such as "/pabal". It
	// begins every link. Requests come without it (http.StripPrefix).
	Base string
	// Open says that nobody needs to log in.
	Open bool
	// Timeout is how long a page waits for the engines, 5 s where zero. What did
	// not answer by then is a notice within the page.
	Timeout time.Duration
	// Clock is time.Now where nil.
	Clock func() time.Time
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
}

// handler serves the pages.
type handler struct {
	Config
	mux     *http.ServeMux
	layouts layouts
	static  *static
}

// New returns the handler of the pages, "/" to "/help", and of /static/. The user
// is in the request's context (api.WithUser); one without a role is sent to /login.
func New(cfg Config) http.Handler {
	cfg.Timeout = cmp.Or(cfg.Timeout, 5*time.Second)
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	h := &handler{Config: cfg, mux: http.NewServeMux(), static: loadStatic()}
	h.layouts = parseLayouts(cfg.Base, h.static)
	for _, r := range routes {
		h.mux.Handle("GET "+r.pattern, h.serve(r))
	}
	h.mux.Handle("GET /static/", h.static)
	h.mux.Handle("GET /", h.serve(route{role: "", build: (*handler).nowhere}))
	return h
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// content is one page: its template and what that shows.
type content struct {
	template string // name of the file, without .html
	title    string
	section  string // the part of the navigation it belongs to
	body     any
}

// route is a page and who may see it.
type route struct {
	pattern string
	role    api.Role // "" for everyone
	build   func(h *handler, ctx context.Context, r *http.Request) (content, error)
}

var routes = []route{
	{"/{$}", api.Viewer, (*handler).overview},
	{"/traces", api.Viewer, (*handler).traces},
	{"/traces/{id}", api.Viewer, (*handler).trace},
	{"/topics", api.Viewer, (*handler).topics},
	{"/topics/{topic}", api.Viewer, (*handler).topic},
	{"/groups", api.Viewer, (*handler).groups},
	{"/groups/{group}", api.Viewer, (*handler).group},
	{"/broker", api.Viewer, (*handler).broker},
	{"/broker/topics", api.Viewer, (*handler).brokerTopics},
	{"/broker/topics/{topic}", api.Viewer, (*handler).brokerTopic},
	{"/broker/transactions", api.Viewer, (*handler).brokerTransactions},
	{"/outbox", api.Viewer, (*handler).outboxes},
	{"/outbox/{service}", api.Viewer, (*handler).outbox},
	{"/dead-letters", api.Viewer, (*handler).fingerprints},
	{"/dead-letters/{fingerprint}", api.Viewer, (*handler).letters},
	{"/dead-letters/letter/{topic}/{partition}/{offset}", api.Viewer, (*handler).letter},
	{"/redrives/{id}", api.Viewer, (*handler).redrive},
	{"/journal", api.Viewer, (*handler).journal},
	{"/journal/{service}/{id}", api.Viewer, (*handler).entity},
	{"/projections", api.Viewer, (*handler).projections},
	{"/projections/{service}/{projection}", api.Viewer, (*handler).projection},
	{"/sagas", api.Viewer, (*handler).sagas},
	{"/sagas/{service}/{name}/{id}", api.Viewer, (*handler).saga},
	{"/streams", api.Viewer, (*handler).streams},
	{"/streams/{application}", api.Viewer, (*handler).application},
	{"/streams/{application}/stores/{store}", api.Viewer, (*handler).store},
	{"/streams/{application}/stores/{store}/top", api.Viewer, (*handler).top},
	{"/connectors", api.Viewer, (*handler).connectors},
	{"/connectors/{connector}", api.Viewer, (*handler).connector},
	{"/connector-plugins", api.Viewer, (*handler).connectorPlugins},
	{"/connector-plugins/{class}", api.Viewer, (*handler).connectorPlugin},
	{"/schemas", api.Viewer, (*handler).subjects},
	{"/schemas/{subject}", api.Viewer, (*handler).subject},
	{"/services", api.Viewer, (*handler).services},
	{"/services/{service}/consumers/{consumer}", api.Viewer, (*handler).consumer},
	{"/audit", api.Admin, (*handler).audit},
	{"/login", "", (*handler).login},
	{"/help", "", (*handler).help},
}

func (h *handler) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := api.UserOf(r.Context())
		if rt.role != "" && user.Role == "" {
			http.Redirect(w, r, h.Base+"/login?next="+queryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), h.Timeout)
		defer cancel()
		c, err := content{}, error(nil)
		if rt.role != "" && !user.Role.Includes(rt.role) {
			err = errorf(api.ErrForbidden, "this page is for the role %q; you are %q with the role %q", rt.role, user.Name, user.Role)
		} else {
			c, err = rt.build(h, ctx, r)
		}
		status := http.StatusOK
		if err != nil {
			status, c = statusOf(err), content{template: "error", title: problemOf(err).Title, section: c.section, body: problemOf(err)}
		}
		h.render(w, r, status, c)
	})
}

func (h *handler) nowhere(_ context.Context, r *http.Request) (content, error) {
	return content{}, errorf(api.ErrNotFound, "there is no page %s", r.URL.Path)
}

// statusOf is the status of a page whose very subject failed.
func statusOf(err error) int {
	switch {
	case errors.Is(err, api.ErrInvalid):
		return http.StatusBadRequest
	case errors.Is(err, api.ErrForbidden):
		return http.StatusForbidden
	case errors.Is(err, api.ErrNotFound):
		return http.StatusNotFound
	}
	return http.StatusServiceUnavailable
}
