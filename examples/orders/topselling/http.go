package topselling

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/streams"
)

type api struct {
	env service.Env
	app *streams.App
}

func routes(env service.Env, app *streams.App, r *service.Router) {
	r.Handle("GET /top-selling", api{env, app}.top)
}

const (
	defaultLimit = 10
	maxLimit     = 100
	// storeTimeout bounds the wait for the store while instances come and go.
	storeTimeout = 5 * time.Second
)

// question is what a request asks for: the window that at is in, the newest where it is zero.
type question struct {
	at    time.Time
	limit int
}

func readQuestion(query url.Values) (question, error) {
	q := question{limit: defaultLimit}
	var v service.Validation
	for name, values := range query {
		switch name {
		case "at", "limit":
			v.Check(len(values) == 1, name, "is there %d times", len(values))
		default:
			v.Check(false, name, "is not known; there are at and limit")
		}
	}
	if query.Has("at") {
		var err error
		q.at, err = time.Parse(time.RFC3339, query.Get("at"))
		v.Check(err == nil && !q.at.Before(time.Unix(0, 0)), "at", "is no time such as 2026-01-31T12:00:00Z")
	}
	if query.Has("limit") {
		n, err := strconv.Atoi(query.Get("limit"))
		v.Check(err == nil && 1 <= n && n <= maxLimit, "limit", "must be a number from 1 to %d", maxLimit)
		q.limit = n
	}
	return q, v.Err()
}

// top answers from the stores of all instances.
func (a api) top(ctx context.Context, r *http.Request) (service.Response, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return service.Response{}, service.Refuse(http.StatusBadRequest, "the query cannot be read: %s", err)
	}
	q, err := readQuestion(query)
	if err != nil {
		return service.Response{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	store, err := streams.WaitWindowStore[string, Sales](ctx, a.app, Store, streams.Routed(nil))
	var top Top
	if err == nil && q.at.IsZero() {
		top, err = topNow(ctx, store, a.env.Now(), q.limit)
	} else if err == nil {
		top, err = topAt(ctx, store, q.at, q.limit)
	}
	if err != nil {
		a.env.Log.Warn("the counts cannot be read", "error", err)
		return service.Response{}, service.Refuse(http.StatusServiceUnavailable, "the counts cannot be read now; try again")
	}
	return service.Response{Status: http.StatusOK, Body: top}, nil
}
