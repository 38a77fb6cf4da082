package pages_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/pages"
)

// lens answers the one question of the example.
type lens struct{ api.Lens }

func (lens) Trace(_ context.Context, id string) (api.Trace, error) {
	return api.Trace{}, fmt.Errorf("%w: no message has the id %q", api.ErrNotFound, id)
}

// The pages below a path of one's own. The user is in the request's context; who has
// no role is sent to the login.
func Example() {
	handler := http.StripPrefix("/console", pages.New(pages.Config{Engines: api.Engines{Lens: lens{}}, Base: "/console"}))

	for _, user := range []api.User{{}, {Name: "ann", Role: api.Viewer}} {
		r := httptest.NewRequest("GET", "/console/traces/order-1", nil)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r.WithContext(api.WithUser(r.Context(), user)))
		fmt.Println(w.Code, w.Header().Get("Location"))
	}
	// Output:
	// 303 /console/login?next=%2Ftraces%2Forder-1
	// 404
}
