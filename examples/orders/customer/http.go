package customer

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/customer/domain"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/storage"
)

type api struct{ env service.Env }

func routes(env service.Env, r *service.Router) {
	a := api{env}
	r.Handle("POST /customers", a.create)
	r.Handle("GET /customers/{id}", a.show)
}

type createRequest struct {
	Username string `json:"username"`
	Email    string `json:"email"`
}

func (c createRequest) validate() error {
	var v service.Validation
	v.Text("username", c.Username, domain.MaxUsername)
	v.Text("email", c.Email, domain.MaxEmail)
	if c.Email != "" {
		err := domain.CheckEmail(c.Email)
		v.Check(err == nil, "email", "%v", err)
	}
	return v.Err()
}

type created struct {
	ID string `json:"id"`
}

func (a api) create(ctx context.Context, r *http.Request) (service.Response, error) {
	request, err := service.Decode[createRequest](r)
	if err != nil {
		return service.Response{}, err
	}
	if err := request.validate(); err != nil {
		return service.Response{}, err
	}
	c := domain.Customer{ID: event.NewID(), Username: request.Username, Email: request.Email}
	err = a.env.Update(ctx, func(tx storage.Tx) error {
		inserted, err := insert(ctx, tx, c, a.env.Now())
		if err != nil || !inserted {
			return err
		}
		e := a.env.Event(message.TypeCustomerCreated, c.ID, message.CustomerCreated(c))
		return a.env.Send(ctx, tx, message.TypeCustomerCreated, e)
	})
	return service.Response{Status: http.StatusCreated, Body: created{c.ID}, Location: "/customers/" + c.ID}, err
}

// insert returns false where the id is there already.
func insert(ctx context.Context, tx storage.Tx, c domain.Customer, at time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO customers (id, username, email, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO NOTHING`, c.ID, c.Username, c.Email, at.UnixMicro())
	return n == 1, err
}

type view struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Email    string `json:"email"`
}

func (a api) show(ctx context.Context, r *http.Request) (service.Response, error) {
	v := view{ID: r.PathValue("id")}
	err := a.env.DB.View(ctx, func(q storage.Querier) error {
		return q.QueryRow(ctx, `SELECT username, email FROM customers WHERE id = $1`, v.ID).Scan(&v.Username, &v.Email)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return service.Response{}, service.Refuse(http.StatusNotFound, "there is no customer %q", v.ID)
	}
	return service.Response{Status: http.StatusOK, Body: v}, err
}
