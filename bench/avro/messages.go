package avro

import (
	"reflect"
	"time"

	"github.com/twmb/avro"

	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

// The messages of examples/orders/message that an order is made of, with the schemas that they have
// there: UUIDs or text for ids, enums for what is one of a few words. They are written down once more as the
// example's package is that of a program, with all that this needs.
type (
	paymentRequest struct {
		ID                 id                 `json:"id" avro:"id"`
		CustomerID         id                 `json:"customerId" avro:"customerId"`
		Price              int64              `json:"price" avro:"price"`
		PaymentOrderStatus paymentOrderStatus `json:"paymentOrderStatus" avro:"paymentOrderStatus"`
		CreatedAt          time.Time          `json:"createdAt" avro:"createdAt,timestamp-micros"`
	}

	paymentResponse struct {
		ID            id            `json:"id" avro:"id"`
		CustomerID    id            `json:"customerId" avro:"customerId"`
		Price         int64         `json:"price" avro:"price"`
		PaymentStatus paymentStatus `json:"paymentStatus" avro:"paymentStatus"`
		Reason        string        `json:"reason,omitempty" avro:"reason"`
		CreatedAt     time.Time     `json:"createdAt" avro:"createdAt,timestamp-micros"`
	}

	product struct {
		ProductID id    `json:"productId" avro:"productId"`
		Quantity  int64 `json:"quantity" avro:"quantity"`
	}

	approvalRequest struct {
		OrderID      id        `json:"orderId" avro:"orderId"`
		RestaurantID id        `json:"restaurantId" avro:"restaurantId"`
		Price        int64     `json:"price" avro:"price"`
		Products     []product `json:"products" avro:"products"`
		CreatedAt    time.Time `json:"createdAt" avro:"createdAt,timestamp-micros"`
	}

	approvalResponse struct {
		OrderID             id                  `json:"orderId" avro:"orderId"`
		RestaurantID        id                  `json:"restaurantId" avro:"restaurantId"`
		OrderApprovalStatus orderApprovalStatus `json:"orderApprovalStatus" avro:"orderApprovalStatus"`
		Reason              string              `json:"reason,omitempty" avro:"reason"`
		CreatedAt           time.Time           `json:"createdAt" avro:"createdAt,timestamp-micros"`
	}

	orderChanged struct {
		OrderID      id          `json:"orderId" avro:"orderId"`
		CustomerID   id          `json:"customerId" avro:"customerId"`
		RestaurantID id          `json:"restaurantId" avro:"restaurantId"`
		Items        []product   `json:"items" avro:"items"`
		Price        int64       `json:"price" avro:"price"`
		Status       orderStatus `json:"status" avro:"status"`
		Reason       string      `json:"reason,omitempty" avro:"reason"`
		ChangedAt    time.Time   `json:"changedAt" avro:"changedAt,timestamp-micros"`
	}

	id                  string
	paymentOrderStatus  string
	paymentStatus       string
	orderApprovalStatus string
	orderStatus         string
)

// conversions are what ids are, and the words of the messages.
var conversions = []avro.SchemaOpt{
	avro.CustomType{AvroType: "union", GoType: reflect.TypeFor[id](), Schema: &avro.SchemaNode{Type: "union", Branches: []avro.SchemaNode{
		{Type: "fixed", Name: "UUID", Size: 16, LogicalType: "uuid"}, {Type: "string"},
	}}},
	codec.Enum[paymentOrderStatus]("PaymentOrderStatus", "PENDING", "CANCELLING"),
	codec.Enum[paymentStatus]("PaymentStatus", "COMPLETED", "FAILED", "CANCELLED"),
	codec.Enum[orderApprovalStatus]("OrderApprovalStatus", "APPROVED", "REJECTED"),
	codec.Enum[orderStatus]("OrderStatus", "PENDING", "PAID", "APPROVED", "CANCELLING", "CANCELLED"),
}
