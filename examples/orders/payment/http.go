package payment

import (
	"context"
	"net/http"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/payment/domain"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/storage"
)

type api struct{ env service.Env }

func routes(env service.Env, r *service.Router) {
	a := api{env}
	r.Handle("POST /credits/{customerId}/deposits", a.deposit)
	r.Handle("GET /credits/{customerId}", a.show)
}

type depositRequest struct {
	Amount int64 `json:"amount"`
}

type creditView struct {
	CustomerID string `json:"customerId"`
	Balance    int64  `json:"balance"`
}

// deposit adds to the credit of a customer that payment has heard of.
func (a api) deposit(ctx context.Context, r *http.Request) (service.Response, error) {
	request, err := service.Decode[depositRequest](r)
	if err != nil {
		return service.Response{}, err
	}
	if request.Amount <= 0 {
		return service.Response{}, service.BadField("amount", "must be above 0")
	}
	id, customerID := event.NewID(), r.PathValue("customerId")
	var after domain.Credit
	err = a.env.Update(ctx, func(tx storage.Tx) error {
		// Looked for first: a credit that is opened meanwhile is not a full one.
		before, err := loadCredit(ctx, tx, customerID)
		if err != nil {
			return err
		}
		if !before.Known {
			return unknownCustomer(customerID)
		}
		done, err := deposit(ctx, tx, id, customerID, request.Amount, a.env.Now())
		if err != nil {
			return err
		}
		if !done {
			return service.BadField("amount", "%d is more than this credit can hold", request.Amount)
		}
		after, err = loadCredit(ctx, tx, customerID)
		return err
	})
	if err != nil {
		return service.Response{}, err
	}
	return service.Response{Status: http.StatusCreated, Body: creditView{customerID, after.Balance}}, nil
}

func (a api) show(ctx context.Context, r *http.Request) (service.Response, error) {
	customerID := r.PathValue("customerId")
	var c domain.Credit
	err := a.env.DB.View(ctx, func(q storage.Querier) (err error) {
		c, err = loadCredit(ctx, q, customerID)
		return err
	})
	if err != nil {
		return service.Response{}, err
	}
	if !c.Known {
		return service.Response{}, unknownCustomer(customerID)
	}
	return service.Response{Status: http.StatusOK, Body: creditView{customerID, c.Balance}}, nil
}

func unknownCustomer(id string) error {
	return service.Refuse(http.StatusNotFound, "there is no credit of customer %q; it is opened soon after the customer is created", id)
}
