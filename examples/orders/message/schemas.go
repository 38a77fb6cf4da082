package message

import (
	"embed"

	"github.com/pabal-dev/pabal/examples/service"
)

//go:embed *.avsc
var texts embed.FS

// Schemas are the Avro schemas of all topics but PaymentOutboxes, whose raw envelopes are JSON.
func Schemas() map[string]service.Schema {
	return map[string]service.Schema{
		TypePaymentRequest:    service.SchemaFile[PaymentRequest](texts, TypePaymentRequest),
		TypePaymentResponse:   service.SchemaFile[PaymentResponse](texts, TypePaymentResponse),
		TypeApprovalRequest:   service.SchemaFile[ApprovalRequest](texts, TypeApprovalRequest),
		TypeApprovalResponse:  service.SchemaFile[ApprovalResponse](texts, TypeApprovalResponse),
		TypeCustomerCreated:   service.SchemaFile[CustomerCreated](texts, TypeCustomerCreated),
		TypeOrderChanged:      service.SchemaFile[OrderChanged](texts, TypeOrderChanged),
		TypeRestaurantChanged: service.SchemaFile[RestaurantChanged](texts, TypeRestaurantChanged),
	}
}
