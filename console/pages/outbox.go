package pages

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/outbox"
)

func (h *handler) outboxes(ctx context.Context, _ *http.Request) (content, error) {
	b := h.allServices(ctx)
	b.Services = slices.DeleteFunc(b.Services, func(s service) bool { return !s.HasOutbox && s.Down == 0 })
	return content{template: "outboxes", title: "Outbox", section: "outbox", body: b}, nil
}

// outboxBody is one service's outbox.
type outboxBody struct {
	Service service
	Query   outbox.RowQuery
	Status  string
	Rows    part[admin.RowPage]
	// Services says why the service's state is not known.
	Services *problem
}

func (h *handler) outbox(ctx context.Context, r *http.Request) (content, error) {
	name := r.PathValue("service")
	b := outboxBody{Service: service{Name: name}, Status: param(r, "status")}
	c := content{template: "outbox", title: "Outbox of " + name, section: "outbox"}
	var err error
	if b.Query, err = rowQuery(r); err != nil {
		return c, err
	}
	var rowsErr error
	gather(
		func() {
			all := h.allServices(ctx)
			b.Services = all.Problem
			if i := slices.IndexFunc(all.Services, func(s service) bool { return s.Name == name }); i >= 0 {
				b.Service = all.Services[i]
			}
		},
		func() { b.Rows, rowsErr = h.rows(ctx, name, b.Query) },
	)
	c.body = b
	return c, onlyFatal(rowsErr)
}

func (h *handler) rows(ctx context.Context, service string, q outbox.RowQuery) (part[admin.RowPage], error) {
	of, err := h.Engines.Services.At(ctx, service)
	if err != nil {
		return ask(admin.RowPage{}, err), err
	}
	return ask(of.Rows(ctx, q)), nil
}

func rowQuery(r *http.Request) (outbox.RowQuery, error) {
	q := outbox.RowQuery{
		Status: outbox.Status(param(r, "status")), Topic: param(r, "topic"), Key: param(r, "key"),
		Correlation: param(r, "correlation"), Limit: 50,
	}
	if id := param(r, "event"); id != "" {
		q.EventIDs = []string{id}
	}
	if q.Status != "" && !slices.Contains([]outbox.Status{outbox.Started, outbox.Failed, outbox.Completed}, q.Status) {
		return q, errorf(api.ErrInvalid, "status %q is none of STARTED, FAILED, COMPLETED", q.Status)
	}
	if after := param(r, "after"); after != "" {
		n, err := strconv.ParseInt(after, 10, 64)
		if err != nil || n < 0 {
			return q, errorf(api.ErrInvalid, "after=%q is no id of a row", after)
		}
		q.After = n
	}
	return q, nil
}
