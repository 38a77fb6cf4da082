package mask_test

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
)

// Card numbers are hidden from everybody below the role admin.
func Example() {
	rules, err := mask.New([]mask.Rule{{Topics: []string{"payment*"}, Fields: []string{"card.number"}, Reveal: api.Admin}}, "")
	if err != nil {
		panic(err)
	}
	for _, role := range []api.Role{api.Viewer, api.Admin} {
		message := api.Message{Topic: "payments", Value: api.Data{Format: "json", Text: `{"card":{"number":"4711"},"amount":20}`}}
		rules.Message(api.WithUser(context.Background(), api.User{Role: role}), &message)
		fmt.Println(role, message.Value.Text, message.Masked)
	}
	// Output:
	// viewer {"card":{"number":"•••"},"amount":20} [card.number]
	// admin {"card":{"number":"4711"},"amount":20} []
}
