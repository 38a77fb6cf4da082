// Package message is what the four services say to each other: the values of
// the topics, as Avro with the schemas beside (*.avsc), or as JSON. Money is a count of the currency's smallest unit, times
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
	ID                 string    `json:"id" avro:"id"` // the order's
	CustomerID         string    `json:"customerId" avro:"customerId"`
	Price              int64     `json:"price" avro:"price"`
	PaymentOrderStatus string    `json:"paymentOrderStatus" avro:"paymentOrderStatus"`
	CreatedAt          time.Time `json:"createdAt" avro:"createdAt"`
}

// What payment answers. Each request gets one of them.
const (
	PaymentCompleted = "COMPLETED"
	PaymentFailed    = "FAILED"
	PaymentCancelled = "CANCELLED"
)

// PaymentResponse is a value of the topic payment-response, keyed by order id.
type PaymentResponse struct {
	ID         string `json:"id" avro:"id"` // the order's
	CustomerID string `json:"customerId" avro:"customerId"`
	// Price is what was taken (COMPLETED), asked for (FAILED) or given back
	// (CANCELLED, 0 where nothing had been taken).
	Price         int64     `json:"price" avro:"price"`
	PaymentStatus string    `json:"paymentStatus" avro:"paymentStatus"`
	Reason        string    `json:"reason,omitempty" avro:"reason"`
	CreatedAt     time.Time `json:"createdAt" avro:"createdAt"`
}

// Product is one line of an order.
type Product struct {
	ProductID string `json:"productId" avro:"productId"`
	Quantity  int64  `json:"quantity" avro:"quantity"`
}

// ApprovalRequest is a value of the topic order-approval-request, keyed by
// order id.
type ApprovalRequest struct {
	OrderID      string    `json:"orderId" avro:"orderId"`
	RestaurantID string    `json:"restaurantId" avro:"restaurantId"`
	Price        int64     `json:"price" avro:"price"`
	Products     []Product `json:"products" avro:"products"`
	CreatedAt    time.Time `json:"createdAt" avro:"createdAt"`
}

// What a restaurant answers.
const (
	ApprovalApproved = "APPROVED"
	ApprovalRejected = "REJECTED"
)

// ApprovalResponse is a value of the topic order-approval-response, keyed by
// order id.
type ApprovalResponse struct {
	OrderID             string    `json:"orderId" avro:"orderId"`
	RestaurantID        string    `json:"restaurantId" avro:"restaurantId"`
	OrderApprovalStatus string    `json:"orderApprovalStatus" avro:"orderApprovalStatus"`
	Reason              string    `json:"reason,omitempty" avro:"reason"`
	CreatedAt           time.Time `json:"createdAt" avro:"createdAt"`
}

// CustomerCreated is a value of the topic customer-created, keyed by customer
// id.
type CustomerCreated struct {
	ID       string `json:"id" avro:"id"`
	Username string `json:"username" avro:"username"`
	Email    string `json:"email" avro:"email"`
}

// OrderChanged is a value of the topic order-changed, keyed by order id: the
// order as it is after the change.
type OrderChanged struct {
	OrderID      string    `json:"orderId" avro:"orderId"`
	CustomerID   string    `json:"customerId" avro:"customerId"`
	RestaurantID string    `json:"restaurantId" avro:"restaurantId"`
	Items        []Product `json:"items" avro:"items"`
	Price        int64     `json:"price" avro:"price"`
	Status       string    `json:"status" avro:"status"`
	Reason       string    `json:"reason,omitempty" avro:"reason"`
	ChangedAt    time.Time `json:"changedAt" avro:"changedAt"`
}

// RestaurantChanged is a value of the topic restaurant-changed, keyed by
// restaurant id: the restaurant as it is after the change.
type RestaurantChanged struct {
	RestaurantID string    `json:"restaurantId" avro:"restaurantId"`
	Name         string    `json:"name" avro:"name"`
	Active       bool      `json:"active" avro:"active"`
	ChangedAt    time.Time `json:"changedAt" avro:"changedAt"`
}
