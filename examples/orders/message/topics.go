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
