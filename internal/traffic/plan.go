package traffic

import (
	"math/rand/v2"
	"time"
)

// Kind is what an intent is meant to show.
type Kind string

// Kinds of orders, and what keeps them going.
const (
	Plain             Kind = "plain"              // ends approved
	Duplicate         Kind = "duplicate"          // posted twice under one Idempotency-Key
	CustomerCancel    Kind = "customer-cancel"    // the customer changes their mind at once
	LastPieces        Kind = "last-pieces"        // of a product that runs out: either end is right
	NoCredit          Kind = "no-credit"          // costs more than the customer has
	UnknownRestaurant Kind = "unknown-restaurant" // paid, refused, refunded
	WrongPrice        Kind = "wrong-price"        // paid, refused, refunded
	NoStock           Kind = "no-stock"           // paid, refused, refunded

	Deposit     Kind = "deposit"
	NewCustomer Kind = "new-customer"
	NewProduct  Kind = "new-product"
)

// MustBeRefused says whether an order of that kind may never be approved.
func (k Kind) MustBeRefused() bool {
	return k == NoCredit || k == UnknownRestaurant || k == WrongPrice || k == NoStock
}

// shares are how many of a hundred orders are of each kind.
var shares = []struct {
	kind    Kind
	percent int
}{
	{Plain, 74}, {Duplicate, 5}, {CustomerCancel, 5}, {LastPieces, 3},
	{NoCredit, 4}, {UnknownRestaurant, 3}, {WrongPrice, 3}, {NoStock, 3},
}

// Intent is one thing the traffic will do. Customers, restaurants and products
// are numbered; the world knows the ids that the services gave them.
type Intent struct {
	Kind       Kind
	Customer   int
	Restaurant int
	Items      []Line
	// Price is what the order offers, or the amount of a deposit.
	Price int64
	// CancelAfter is how long the customer takes to cancel.
	CancelAfter time.Duration
	// Together posts a duplicate at the same time, not after the answer.
	Together bool
	// Quantity of a new product, which takes the place of Items[0].
	Quantity int64
}

// Line is one line of an order.
type Line struct {
	Product  int // within the restaurant
	Quantity int64
}

// IsOrder tells orders from what keeps them going.
func (i Intent) IsOrder() bool {
	return i.Kind != Deposit && i.Kind != NewCustomer && i.Kind != NewProduct
}

// The world at first: small, so that the first order comes soon.
const (
	restaurants     = 3
	products        = 5 // per restaurant; the last one is scarce
	scarce          = products - 1
	firstCustomers  = 8
	mostCustomers   = 200
	poorCustomers   = 2 // the first ones; they get pocketMoney only
	pocketMoney     = 100
	depositAmount   = 500_000
	plentyInStock   = 1_000_000
	scarceInStock   = 10
	ordersPerRefill = 100
)

// priceOf is the price of a product.
func priceOf(restaurant, product int) int64 {
	return 300 + 170*int64(restaurant) + 250*int64(product)
}

// Plan is the sequence of intents of one seed; the same seed gives the same
// sequence, whatever the services answer.
type Plan struct {
	random *rand.Rand
	// credit and stock are what would be left if every order so far were
	// approved; they decide when to deposit and to restock.
	credit  []int64
	stock   [restaurants][products]int64
	orders  int
	pending []Intent
}

// NewPlan begins with the world of firstCustomers customers.
func NewPlan(seed uint64) *Plan {
	p := &Plan{random: rand.New(rand.NewPCG(seed, 0x9aba1))}
	for range firstCustomers {
		p.credit = append(p.credit, depositAmount)
	}
	for r := range restaurants {
		for i := range products {
			p.stock[r][i] = plentyInStock
		}
	}
	return p
}

// Next is the next intent.
func (p *Plan) Next() Intent {
	if len(p.pending) == 0 {
		p.pending = append(p.pending, p.order())
		p.supplies()
	}
	next := p.pending[0]
	p.pending = p.pending[1:]
	return next
}

// order decides what is ordered; supplies that it calls for come first.
func (p *Plan) order() Intent {
	p.orders++
	in := Intent{
		Kind:       p.kind(),
		Customer:   poorCustomers + p.random.IntN(len(p.credit)-poorCustomers),
		Restaurant: p.random.IntN(restaurants),
	}
	p.fill(&in)
	switch in.Kind {
	case Duplicate:
		in.Together = p.random.IntN(2) == 0
	case CustomerCancel:
		in.CancelAfter = time.Duration(p.random.IntN(8)) * time.Millisecond
	case NoCredit:
		in.Customer = p.random.IntN(poorCustomers)
	case WrongPrice:
		in.Price += 1 + p.random.Int64N(50)
	case UnknownRestaurant:
		// The items stay; it is the restaurant that does not exist.
	}
	p.reckon(in)
	return in
}

func (p *Plan) kind() Kind {
	n := p.random.IntN(100)
	for _, s := range shares {
		if n < s.percent {
			return s.kind
		}
		n -= s.percent
	}
	return Plain
}

func (p *Plan) fill(in *Intent) {
	switch in.Kind {
	case LastPieces:
		in.Items = []Line{{scarce, 1 + p.random.Int64N(3)}}
	case NoStock:
		in.Items = []Line{{scarce, scarceInStock + 1}}
	default:
		first := p.random.IntN(scarce)
		in.Items = []Line{{first, 1 + p.random.Int64N(3)}}
		if p.random.IntN(3) == 0 {
			in.Items = append(in.Items, Line{(first + 1) % scarce, 1})
		}
		if p.random.IntN(10) == 0 { // two lines of one product add up
			in.Items = append(in.Items, in.Items[0])
		}
	}
	for _, l := range in.Items {
		in.Price += priceOf(in.Restaurant, l.Product) * l.Quantity
	}
}

func (p *Plan) reckon(in Intent) {
	if in.Kind != NoCredit {
		p.credit[in.Customer] -= in.Price
	}
	for _, l := range in.Items {
		p.stock[in.Restaurant][l.Product] -= l.Quantity
	}
}

// supplies adds deposits, customers and products in good time.
func (p *Plan) supplies() {
	for c, left := range p.credit {
		if c >= poorCustomers && left < depositAmount/2 {
			p.credit[c] += depositAmount
			p.pending = append(p.pending, Intent{Kind: Deposit, Customer: c, Price: depositAmount})
		}
	}
	for r := range restaurants {
		for i := range products {
			if i != scarce && p.stock[r][i] < plentyInStock/2 {
				p.stock[r][i] += plentyInStock
				p.pending = append(p.pending, Intent{Kind: NewProduct, Restaurant: r, Items: []Line{{Product: i}}, Quantity: plentyInStock})
			}
		}
	}
	if p.orders%ordersPerRefill != 0 {
		return
	}
	refill := Intent{Kind: NewProduct, Restaurant: p.random.IntN(restaurants), Items: []Line{{Product: scarce}}, Quantity: scarceInStock}
	p.pending = append(p.pending, refill)
	if len(p.credit) < mostCustomers {
		p.pending = append(p.pending, Intent{Kind: NewCustomer, Customer: len(p.credit), Price: depositAmount})
		p.credit = append(p.credit, depositAmount)
	}
}
