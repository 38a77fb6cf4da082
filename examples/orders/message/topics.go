package message

// Types of the messages, and the default names of their topics.
const (
	TypePaymentRequest    = "payment-request"
	TypePaymentResponse   = "payment-response"
	TypeApprovalRequest   = "order-approval-request"
	TypeApprovalResponse  = "order-approval-response"
	TypeCustomerCreated   = "customer-created"
	TypeOrderChanged      = "order-changed"
	TypeRestaurantChanged = "restaurant-changed"
)

// Topics are the names of the topics, without the tenant's prefix. The services
// of one system must agree on them.
type Topics struct {
	PaymentRequest    string
	PaymentResponse   string
	ApprovalRequest   string
	ApprovalResponse  string
	CustomerCreated   string
	OrderChanged      string
	RestaurantChanged string
}

// WithDefaults returns t with a topic named as its type wherever none is given.
func (t Topics) WithDefaults() Topics {
	for name, standard := range map[*string]string{
		&t.PaymentRequest:    TypePaymentRequest,
		&t.PaymentResponse:   TypePaymentResponse,
		&t.ApprovalRequest:   TypeApprovalRequest,
		&t.ApprovalResponse:  TypeApprovalResponse,
		&t.CustomerCreated:   TypeCustomerCreated,
		&t.OrderChanged:      TypeOrderChanged,
		&t.RestaurantChanged: TypeRestaurantChanged,
	} {
		if *name == "" {
			*name = standard
		}
	}
	return t
}
