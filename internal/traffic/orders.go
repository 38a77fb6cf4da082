package traffic

import (
	"context"
	"errors"
	"net/http"
	"net/url"
)

// Addresses are the base URLs of the four services.
type Addresses struct {
	Order, Payment, Restaurant, Customer string
}

// client calls the services of the order system.
type client struct {
	*Client
	at Addresses
}

type created struct {
	ID string `json:"id"`
}

type orderBody struct {
	CustomerID   string     `json:"customerId"`
	RestaurantID string     `json:"restaurantId"`
	Items        []itemBody `json:"items"`
	Price        int64      `json:"price"`
}

type itemBody struct {
	ProductID string `json:"productId"`
	Quantity  int64  `json:"quantity"`
}

func (c *client) placeOrder(ctx context.Context, key string, body orderBody) (id string, err error) {
	var answer struct {
		OrderID string `json:"orderId"`
	}
	err = c.Call(ctx, http.MethodPost, c.at.Order+"/orders", key, body, &answer)
	if err == nil && answer.OrderID == "" {
		err = errors.New("POST /orders: the answer has no orderId")
	}
	return answer.OrderID, err
}

// cancelOrder says whether the order could still be cancelled. A repeat of a
// cancel whose answer got lost may be refused though the first was not.
func (c *client) cancelOrder(ctx context.Context, id string) (bool, error) {
	err := c.Call(ctx, http.MethodDelete, c.at.Order+"/orders/"+url.PathEscape(id), "", nil, nil)
	if StatusOf(err) == http.StatusConflict {
		return false, nil
	}
	return err == nil, err
}

func (c *client) createCustomer(ctx context.Context, username string) (string, error) {
	var answer created
	body := map[string]string{"username": username, "email": username + "@example.org"}
	err := c.Call(ctx, http.MethodPost, c.at.Customer+"/customers", "", body, &answer)
	return answer.ID, err
}

// deposit waits for the customer to become known to payment: that takes a
// message.
func (c *client) deposit(ctx context.Context, customer string, amount int64) error {
	where := c.at.Payment + "/credits/" + url.PathEscape(customer) + "/deposits"
	return c.Call(ctx, http.MethodPost, where, "", map[string]int64{"amount": amount}, nil, http.StatusNotFound)
}

func (c *client) createRestaurant(ctx context.Context, name string) (string, error) {
	var answer created
	err := c.Call(ctx, http.MethodPost, c.at.Restaurant+"/restaurants", "", map[string]string{"name": name}, &answer)
	return answer.ID, err
}

func (c *client) createProduct(ctx context.Context, restaurant, name string, price, quantity int64) (string, error) {
	var answer created
	where := c.at.Restaurant + "/restaurants/" + url.PathEscape(restaurant) + "/products"
	body := map[string]any{"name": name, "price": price, "quantity": quantity}
	err := c.Call(ctx, http.MethodPost, where, "", body, &answer)
	return answer.ID, err
}
