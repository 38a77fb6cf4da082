package simulation_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/examples/orders"
	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/internal/simulation"
	"github.com/pabal-dev/pabal/storage"
)

// buyAndCancel places orders that end in every way there is, and cancels two.
func buyAndCancel(c *simulation.Client) {
	customer := c.Must(201, "POST", "customer", "/customers", `{"username":"jenny","email":"jenny@example.com"}`).Body["id"].(string)
	c.Settle() // payment has to have heard of her
	c.Must(201, "POST", "payment", "/credits/"+customer+"/deposits", `{"amount":250}`)
	restaurant := c.Must(201, "POST", "restaurant", "/restaurants", `{"name":"Soup"}`).Body["id"].(string)
	product := c.Must(201, "POST", "restaurant", "/restaurants/"+restaurant+"/products", `{"name":"soup","price":100,"quantity":2}`).Body["id"].(string)
	place := func(key, restaurant string, price int) string {
		body := fmt.Sprintf(`{"customerId":%q,"restaurantId":%q,"price":%d,"items":[{"productId":%q,"quantity":1}]}`, customer, restaurant, price, product)
		return c.Must(202, "POST", "order", "/orders", body, "Idempotency-Key", key).Body["orderId"].(string)
	}
	first := place("approved", restaurant, 100)
	second := place("cancelled or approved", restaurant, 100)
	c.Call("DELETE", "order", "/orders/"+second, "")
	place("rejected and refunded", restaurant, 99)
	place("no restaurant", "nowhere", 50)
	place("no credit", restaurant, 1000)
	c.Call("DELETE", "order", "/orders/"+first, "")
}

func checkOrders(ctx context.Context, databases map[string]storage.DB) error {
	dbs := invariants.Databases{
		Order: databases["order"], Payment: databases["payment"], Restaurant: databases["restaurant"], Customer: databases["customer"],
	}
	results, err := invariants.Check(ctx, dbs, nothingAccepted)
	return verdict(results, err)
}

func TestOrders(t *testing.T) {
	explore(t, simulation.Scenario{System: orders.System(), Script: buyAndCancel, Check: checkOrders})
}
