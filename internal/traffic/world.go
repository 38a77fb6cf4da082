package traffic

import (
	"context"
	"fmt"
	"sync"

	"github.com/pabal-dev/pabal/event"
)

// world holds the ids behind the plan's numbers.
type world struct {
	mu          sync.RWMutex
	customers   []string // "" where the customer is not ready yet
	restaurants [restaurants]string
	products    [restaurants][products]string
}

// setUp creates the first customers and restaurants, all at once.
func (t *Traffic) setUp(ctx context.Context) error {
	t.world.customers = make([]string, mostCustomers)
	var wg sync.WaitGroup
	failed := make([]error, firstCustomers+restaurants)
	for i := range firstCustomers {
		wg.Go(func() { failed[i] = t.addCustomer(ctx, i, amountFor(i)) })
	}
	for r := range restaurants {
		wg.Go(func() { failed[firstCustomers+r] = t.addRestaurant(ctx, r) })
	}
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			return err // the others are of the same kind
		}
	}
	return nil
}

func amountFor(customer int) int64 {
	if customer < poorCustomers {
		return pocketMoney
	}
	return depositAmount
}

func (t *Traffic) addCustomer(ctx context.Context, number int, amount int64) error {
	id, err := t.client.createCustomer(ctx, fmt.Sprintf("customer-%s-%d", t.run, number))
	if err != nil {
		return err
	}
	if err := t.client.deposit(ctx, id, amount); err != nil {
		return err
	}
	t.world.mu.Lock()
	defer t.world.mu.Unlock()
	t.world.customers[number] = id
	return nil
}

func (t *Traffic) addRestaurant(ctx context.Context, number int) error {
	id, err := t.client.createRestaurant(ctx, fmt.Sprintf("Restaurant %d", number+1))
	if err != nil {
		return err
	}
	t.world.mu.Lock()
	t.world.restaurants[number] = id
	t.world.mu.Unlock()
	for i := range products {
		quantity := int64(plentyInStock)
		if i == scarce {
			quantity = scarceInStock
		}
		if err := t.addProduct(ctx, number, i, quantity); err != nil {
			return err
		}
	}
	return nil
}

// addProduct puts a new product in the place of the old one.
func (t *Traffic) addProduct(ctx context.Context, restaurant, number int, quantity int64) error {
	id, err := t.client.createProduct(ctx, t.restaurant(restaurant), fmt.Sprintf("Dish %d", number+1), priceOf(restaurant, number), quantity)
	if err != nil {
		return err
	}
	t.world.mu.Lock()
	defer t.world.mu.Unlock()
	t.world.products[restaurant][number] = id
	return nil
}

func (t *Traffic) restaurant(number int) string {
	t.world.mu.RLock()
	defer t.world.mu.RUnlock()
	return t.world.restaurants[number]
}

// customer is a customer's id; while that one is not ready, that of one of the
// first.
func (t *Traffic) customer(number int) string {
	t.world.mu.RLock()
	defer t.world.mu.RUnlock()
	if id := t.world.customers[number]; id != "" {
		return id
	}
	return t.world.customers[poorCustomers+number%(firstCustomers-poorCustomers)]
}

// body is the order as the services get it.
func (t *Traffic) body(in Intent) orderBody {
	body := orderBody{CustomerID: t.customer(in.Customer), RestaurantID: t.restaurant(in.Restaurant), Price: in.Price}
	if in.Kind == UnknownRestaurant {
		body.RestaurantID = event.NewID()
	}
	t.world.mu.RLock()
	defer t.world.mu.RUnlock()
	for _, l := range in.Items {
		body.Items = append(body.Items, itemBody{t.world.products[in.Restaurant][l.Product], l.Quantity})
	}
	return body
}

// Sample is an order that somebody could place.
type Sample struct {
	Customer, Restaurant, Product string
	Price                         int64
}

// Sample may be called after Prepare.
func (t *Traffic) Sample() Sample {
	t.world.mu.RLock()
	defer t.world.mu.RUnlock()
	return Sample{t.world.customers[poorCustomers], t.world.restaurants[0], t.world.products[0][0], priceOf(0, 0)}
}
