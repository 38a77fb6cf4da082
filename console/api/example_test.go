package api_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/console/api"
)

// Errors are mapped once: to an HTTP status, a problem and an exit code.
func ExampleProblemOf() {
	err := fmt.Errorf("%w: there is no topic %q", api.ErrNotFound, "orders")
	p := api.ProblemOf(err)
	fmt.Println(p.Status, p.Type, p.Detail)
	fmt.Println(api.ExitCode(p))
	// Output:
	// 404 urn:pabal:problem:not-found there is no topic "orders"
	// 4
}
