// Package message is what the four services say to each other: the values of
// the topics, as JSON. Money is a count of the currency's smallest unit, times
// are UTC.
package message

import "time"

// What an order service may want of payment.
const (
	// OrderPending asks for the debit.
	OrderPending = "PENDING"
	// OrderCancelling asks to give back what was taken, if anything, and to
	// take nothing any more.
	OrderCancelling = "CANCELLING"
)

// PaymentRequest is a value of the topic payment-request, keyed by order id. A
// cancel is a request of its own, never a change of the first one.
type PaymentRequest struct {
	ID                 string    `json:"id"` // the order's
	CustomerID         string    `json:"customerId"`
	Price              int64     `json:"price"`
	PaymentOrderStatus string    `json:"paymentOrderStatus"`
	CreatedAt          time.Time `json:"createdAt"`
}

// What payment answers. Each request gets one of them.
const (
	PaymentCompleted = "COMPLETED"
	PaymentFailed    = "FAILED"
	PaymentCancelled = "CANCELLED"
)

// PaymentResponse is a value of the topic payment-response, keyed by order id.
type PaymentResponse struct {
	ID         string `json:"id"` // the order's
	CustomerID string `json:"customerId"`
	// Price is what was taken (COMPLETED), asked for (FAILED) or given back
	// (CANCELLED, 0 where nothing had been taken).
	Price         int64     `json:"price"`
	PaymentStatus string    `json:"paymentStatus"`
	Reason        string    `json:"reason,omitempty"`
	CreatedAt     time.Time `json:"createdAt"`
}

// Product is one line of an order.
type Product struct {
	ProductID string `json:"productId"`
	Quantity  int64  `json:"quantity"`
}

// ApprovalRequest is a value of the topic order-approval-request, keyed by
// order id.
type ApprovalRequest struct {
	OrderID      string    `json:"orderId"`
	RestaurantID string    `json:"restaurantId"`
	Price        int64     `json:"price"`
	Products     []Product `json:"products"`
	CreatedAt    time.Time `json:"createdAt"`
}

// What a restaurant answers.
const (
	ApprovalApproved = "APPROVED"
	ApprovalRejected = "REJECTED"
)

// ApprovalResponse is a value of the topic order-approval-response, keyed by
// order id.
type ApprovalResponse struct {
	OrderID             string    `json:"orderId"`
	RestaurantID        string    `json:"restaurantId"`
	OrderApprovalStatus string    `json:"orderApprovalStatus"`
	Reason              string    `json:"reason,omitempty"`
	CreatedAt           time.Time `json:"createdAt"`
}

// CustomerCreated is a value of the topic customer-created, keyed by customer
// id.
type CustomerCreated struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Email    string `json:"email"`
}

// OrderChanged is a value of the topic order-changed, keyed by order id: the
// order as it is after the change.
type OrderChanged struct {
	OrderID      string    `json:"orderId"`
	CustomerID   string    `json:"customerId"`
	RestaurantID string    `json:"restaurantId"`
	Items        []Product `json:"items"`
	Price        int64     `json:"price"`
	Status       string    `json:"status"`
	Reason       string    `json:"reason,omitempty"`
	ChangedAt    time.Time `json:"changedAt"`
}

// RestaurantChanged is a value of the topic restaurant-changed, keyed by
// restaurant id: the restaurant as it is after the change.
type RestaurantChanged struct {
	RestaurantID string    `json:"restaurantId"`
	Name         string    `json:"name"`
	Active       bool      `json:"active"`
	ChangedAt    time.Time `json:"changedAt"`
}
