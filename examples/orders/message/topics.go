package message

// Types of the messages, and the standard names of their topics.
const (
	TypePaymentRequest    = "payment-request"
	TypePaymentResponse   = "payment-response"
	TypeApprovalRequest   = "order-approval-request"
	TypeApprovalResponse  = "order-approval-response"
	TypeCustomerCreated   = "customer-created"
	TypeOrderChanged      = "order-changed"
	TypeRestaurantChanged = "restaurant-changed"
)

// PaymentOutboxes is the standard name of the topic to which the connector
// order-payment-request-connector captures an order service's requests for payment: a raw
// envelope for each change of its collection orders.payment_outboxes.
const PaymentOutboxes = "debezium.orders.payment_outboxes"
