// Package domain is how a restaurant decides about an order: no Kafka, no SQL,
// no clock.
package domain

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Menu is what a restaurant has of the products an order names. A restaurant
// that does not exist has the zero Menu.
type Menu struct {
	Known, Active bool
	Products      map[string]Product
}

// Product is something a restaurant sells. Price is in the currency's smallest
// unit.
type Product struct {
	ID     string
	Price  int64
	Stock  int64
	Active bool
}

// Line is one line of an order; two lines may name one product.
type Line struct {
	ProductID string
	Quantity  int64
}

// Decision is the answer. Take is what goes down in stock: each product once,
// in the order of ids; nothing where it is a refusal.
type Decision struct {
	Approved bool
	Reason   string
	Take     []Line
}

// Decide approves an order where the restaurant and every product are there
// and active, the stock suffices (lines of one product add up; an equal stock
// is enough) and the price is what the restaurant asks for.
func Decide(m Menu, restaurantID string, lines []Line, price int64) Decision {
	switch {
	case !m.Known:
		return refuse("unknown restaurant %s", restaurantID)
	case !m.Active:
		return refuse("restaurant %s is not active", restaurantID)
	case len(lines) == 0:
		return refuse("no products")
	}
	take, why := addUp(lines)
	if why != "" {
		return refuse("%s", why)
	}
	total := int64(0)
	for _, line := range take {
		if why := m.lacks(line); why != "" {
			return refuse("%s", why)
		}
		var ok bool
		if total, ok = addCost(total, m.Products[line.ProductID].Price, line.Quantity); !ok {
			return refuse("the order's cost is too large")
		}
	}
	if total != price {
		return refuse("wrong price: the order says %d, the restaurant %d", price, total)
	}
	return Decision{Approved: true, Take: take}
}

func refuse(format string, args ...any) Decision {
	return Decision{Reason: fmt.Sprintf(format, args...)}
}

// lacks says why a line cannot be served, "" where it can.
func (m Menu) lacks(line Line) string {
	p, known := m.Products[line.ProductID]
	switch {
	case !known:
		return "unknown product " + line.ProductID
	case !p.Active:
		return fmt.Sprintf("product %s is not active", p.ID)
	case p.Stock < line.Quantity:
		return fmt.Sprintf("not enough of product %s: %d wanted, %d there", p.ID, line.Quantity, p.Stock)
	}
	return ""
}

// addUp returns one line per product, in the order of ids.
func addUp(lines []Line) (sums []Line, why string) {
	of := make(map[string]int64, len(lines))
	for _, line := range lines {
		if line.Quantity <= 0 {
			return nil, fmt.Sprintf("quantity %d of product %s is not above 0", line.Quantity, line.ProductID)
		}
		if of[line.ProductID] > math.MaxInt64-line.Quantity {
			return nil, fmt.Sprintf("quantity of product %s is too large", line.ProductID)
		}
		of[line.ProductID] += line.Quantity
	}
	for id, quantity := range of {
		sums = append(sums, Line{id, quantity})
	}
	slices.SortFunc(sums, func(a, b Line) int { return cmp.Compare(a.ProductID, b.ProductID) })
	return sums, ""
}

// addCost is total + price*quantity; ok is false where it does not fit. None of
// them is negative, quantity is above 0.
func addCost(total, price, quantity int64) (sum int64, ok bool) {
	if price > (math.MaxInt64-total)/quantity {
		return 0, false
	}
	return total + price*quantity, true
}
