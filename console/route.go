package console

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// apiRoot is where the JSON API is, below the console's base.
const apiRoot = "/api/v1/"

// answerTime bounds a request that is no stream, in the engines.
const answerTime = 20 * time.Second

// route is a line of the API: what is served, checked and described comes from it.
type route struct {
	method  string
	pattern string // below apiRoot
	summary string
	role    api.Role // the least; "" for everyone, also without login
	// query, body and answer are the types of the parameters (those in the path
	// included), the body and the answer; nil for none.
	query, body, answer reflect.Type
	// media of the answer; application/json where empty.
	media string
	serve func(c *Console, w http.ResponseWriter, r *http.Request) error
}

// inPath are the names of the parameters in the path.
func (rt route) inPath() []string {
	var names []string
	for _, segment := range strings.Split(rt.pattern, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

// none is for routes without parameters, bodies or answers.
type none struct{}

// get is a route that reads, for viewers.
func get[Q, A any](pattern, summary string, read func(*Console, context.Context, Q) (A, error)) route {
	rt := route{method: http.MethodGet, pattern: pattern, summary: summary, role: api.Viewer, query: reflect.TypeFor[Q](), answer: reflect.TypeFor[A]()}
	rt.serve = func(c *Console, w http.ResponseWriter, r *http.Request) error {
		var q Q
		if err := decodeQuery(r, rt, &q); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(r.Context(), answerTime)
		defer cancel()
		answer, err := read(c, ctx, q)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, answer)
	}
	return rt
}

// by is the same route for another role.
func (rt route) by(role api.Role) route {
	rt.role = role
	return rt
}

// act is something that changes something: it is in the audit log under name, with
// target. A dry run changes nothing and is not.
type act[B any] struct {
	name   string
	target func(B) string
	dryRun func(B) bool  // nil: never
	longer time.Duration // than answerTime it may take
	// recorded acts are put into the audit log by their engine, which goes on with them
	// when the answer is long given.
	recorded bool
}

// post is a route that acts. What has begun goes on though the client goes away.
func post[B, A any](pattern, summary string, role api.Role, a act[B], do func(*Console, context.Context, B) (A, error)) route {
	rt := route{method: http.MethodPost, pattern: pattern, summary: summary, role: role, body: reflect.TypeFor[B](), answer: reflect.TypeFor[A]()}
	rt.serve = func(c *Console, w http.ResponseWriter, r *http.Request) error {
		var body B
		if err := decodeBody(w, r, rt, &body); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), answerTime+a.longer)
		defer cancel()
		if a.longer > 0 {
			lastWrite(w, a.longer)
		}
		var answer A
		attempt := func() (err error) {
			answer, err = do(c, ctx, body)
			return err
		}
		var err error
		if a.recorded || a.dryRun != nil && a.dryRun(body) {
			err = attempt()
		} else {
			err = c.recorded(ctx, a.name, a.target(body), detail(body), attempt)
		}
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, answer)
	}
	return rt
}
