package adapters

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/pabal-dev/pabal/examples/library/bestbook/ports"
	"github.com/pabal-dev/pabal/examples/service"
)

// Routes registers the REST API over books.
func Routes(books ports.Books) func(service.Env, *service.Router) {
	return func(env service.Env, r *service.Router) {
		a := api{env, books}
		r.Handle("GET /best-books", a.best)
	}
}

type api struct {
	env   service.Env
	books ports.Books
}

const (
	defaultLimit = 10
	maxLimit     = 100
)

type bestBook struct {
	No        int64  `json:"no"`
	Title     string `json:"title"`
	RentCount int64  `json:"rentCount"`
}

type bestBooks struct {
	BestBooks []bestBook `json:"bestBooks"`
}

func (a api) best(ctx context.Context, r *http.Request) (service.Response, error) {
	limit, err := readLimit(r.URL.RawQuery)
	if err != nil {
		return service.Response{}, err
	}
	best, err := a.books.Best(ctx, limit)
	if errors.Is(err, ports.ErrUnavailable) {
		a.env.Log.Warn("no best books", "error", err)
		return service.Response{}, service.Refuse(http.StatusServiceUnavailable, "the database does not answer; try again")
	}
	body := bestBooks{BestBooks: make([]bestBook, len(best))}
	for i, b := range best {
		body.BestBooks[i] = bestBook{b.BookNo, b.Title, b.Rents}
	}
	return service.Response{Status: http.StatusOK, Body: body}, err
}

func readLimit(rawQuery string) (int, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return 0, service.Refuse(http.StatusBadRequest, "the query cannot be read: %s", err)
	}
	var v service.Validation
	limit := defaultLimit
	for name, values := range query {
		if name != "limit" {
			v.Check(false, name, "is not known; there is limit")
			continue
		}
		limit, err = strconv.Atoi(values[0])
		v.Check(err == nil && len(values) == 1 && 1 <= limit && limit <= maxLimit, name, "must be a number from 1 to %d", maxLimit)
	}
	return limit, v.Err()
}
