package restaurant

import (
	"context"
	"database/sql"
	"errors"
	"net/http"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/storage"
)

type api struct{ env service.Env }

func routes(env service.Env, r *service.Router) {
	a := api{env}
	r.Handle("POST /restaurants", a.create)
	r.Handle("GET /restaurants/{id}", a.show)
	r.Handle("PATCH /restaurants/{id}", a.activate)
	r.Handle("POST /restaurants/{id}/products", a.addProduct)
	r.Handle("PATCH /restaurants/{id}/products/{productId}", a.activateProduct)
}

const maxName = 100 // characters

type created struct {
	ID string `json:"id"`
}

type createRequest struct {
	Name string `json:"name"`
}

func (a api) create(ctx context.Context, r *http.Request) (service.Response, error) {
	request, err := service.Decode[createRequest](r)
	if err != nil {
		return service.Response{}, err
	}
	var v service.Validation
	v.Text("name", request.Name, maxName)
	if err := v.Err(); err != nil {
		return service.Response{}, err
	}
	id := event.NewID()
	err = a.env.Update(ctx, func(tx storage.Tx) error {
		inserted, err := insertRestaurant(ctx, tx, id, request.Name, a.env.Now())
		if err != nil || !inserted {
			return err
		}
		return a.changed(ctx, tx, id, request.Name, true)
	})
	return service.Response{Status: http.StatusCreated, Body: created{id}, Location: "/restaurants/" + id}, err
}

func (a api) changed(ctx context.Context, tx storage.Tx, id, name string, active bool) error {
	e := a.env.Event(message.TypeRestaurantChanged, id, message.RestaurantChanged{
		RestaurantID: id, Name: name, Active: active, ChangedAt: a.env.Now(),
	})
	return a.env.Send(ctx, tx, message.TypeRestaurantChanged, e)
}

type productRequest struct {
	Name     string `json:"name"`
	Price    int64  `json:"price"`
	Quantity int64  `json:"quantity"`
}

func (p productRequest) validate() error {
	var v service.Validation
	v.Text("name", p.Name, maxName)
	v.Check(p.Price > 0, "price", "must be above 0")
	v.Check(p.Quantity >= 0, "quantity", "must not be below 0")
	return v.Err()
}

func (a api) addProduct(ctx context.Context, r *http.Request) (service.Response, error) {
	request, err := service.Decode[productRequest](r)
	if err != nil {
		return service.Response{}, err
	}
	if err := request.validate(); err != nil {
		return service.Response{}, err
	}
	restaurantID := r.PathValue("id")
	p := productView{ProductID: event.NewID(), Name: request.Name, Price: request.Price, Quantity: request.Quantity}
	err = a.env.Update(ctx, func(tx storage.Tx) error {
		if _, err := loadRestaurant(ctx, tx, restaurantID); err != nil {
			return err
		}
		return insertProduct(ctx, tx, restaurantID, p, a.env.Now())
	})
	return service.Response{Status: http.StatusCreated, Body: created{p.ProductID}}, orNotFound(err, "restaurant", restaurantID)
}

type activateRequest struct {
	Active *bool `json:"active"`
}

func readActive(r *http.Request) (bool, error) {
	request, err := service.Decode[activateRequest](r)
	if err != nil {
		return false, err
	}
	if request.Active == nil {
		return false, service.BadField("active", "is required: true or false")
	}
	return *request.Active, nil
}

// activate opens or closes a restaurant; a closed one rejects every order.
func (a api) activate(ctx context.Context, r *http.Request) (service.Response, error) {
	active, err := readActive(r)
	if err != nil {
		return service.Response{}, err
	}
	id := r.PathValue("id")
	var body restaurantView
	err = a.env.Update(ctx, func(tx storage.Tx) error {
		name, err := setActive(ctx, tx, id, active)
		if err != nil {
			return err
		}
		if err := a.changed(ctx, tx, id, name, active); err != nil {
			return err
		}
		body, err = loadRestaurant(ctx, tx, id)
		return err
	})
	return service.Response{Status: http.StatusOK, Body: body}, orNotFound(err, "restaurant", id)
}

func (a api) activateProduct(ctx context.Context, r *http.Request) (service.Response, error) {
	active, err := readActive(r)
	if err != nil {
		return service.Response{}, err
	}
	id, restaurantID := r.PathValue("productId"), r.PathValue("id")
	var body restaurantView
	err = a.env.Update(ctx, func(tx storage.Tx) error {
		if err := setProductActive(ctx, tx, restaurantID, id, active); err != nil {
			return err
		}
		body, err = loadRestaurant(ctx, tx, restaurantID)
		return err
	})
	return service.Response{Status: http.StatusOK, Body: body}, orNotFound(err, "product", id)
}

func (a api) show(ctx context.Context, r *http.Request) (service.Response, error) {
	id := r.PathValue("id")
	var body restaurantView
	err := a.env.DB.View(ctx, func(q storage.Querier) (err error) {
		body, err = loadRestaurant(ctx, q, id)
		return err
	})
	return service.Response{Status: http.StatusOK, Body: body}, orNotFound(err, "restaurant", id)
}

func orNotFound(err error, what, id string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return service.Refuse(http.StatusNotFound, "there is no %s %q", what, id)
	}
	return err
}
