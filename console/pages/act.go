package pages

import (
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
)

// act is a button that sends one request to the JSON API.
type act struct {
	Label  string
	Method string
	URL    string
	Body   string // JSON
	Role   api.Role
	// Confirm asks in plain words before it is sent; "" sends at once.
	Confirm string
	// Safe says why nothing is lost by it, Command how to do it on a terminal.
	Safe, Command string
	// Primary makes it the page's main button.
	Primary bool
	// Allowed says whether the user may.
	Allowed bool
}

// Act is the button of an action that an engine proposes.
func (v view) Act(a *api.Action) *act {
	if a == nil {
		return nil
	}
	return &act{
		Label: a.Label, Method: a.Method, URL: v.apiURL(a.Path), Body: string(a.Body), Role: a.Role,
		Safe: a.Safe, Command: a.Command, Primary: true, Allowed: v.User.Role.Includes(a.Role),
	}
}

// Post is the button of an act of a page.
func (v view) Post(label, role, url, confirm string, body any) *act {
	return &act{
		Label: label, Method: "POST", URL: url, Body: compact(body), Role: api.Role(role),
		Confirm: confirm, Allowed: v.May(role),
	}
}

// apiURL is a path of the JSON API below the console's base, whether or not it
// was given with the API's own prefix.
func (v view) apiURL(path string) string {
	const prefix = "/api/v1/"
	path = strings.TrimPrefix(path, v.base)
	return v.base + prefix + strings.TrimPrefix(strings.TrimPrefix(path, prefix), "/")
}

// Relay pauses or resumes a service's relay.
func (v view) Relay(service string, paused bool) *act {
	url := v.apiURL(fmt.Sprintf("services%s/outbox/relay", joinPath([]any{service})))
	a := v.Post("Resume relay", "operator", url, "", api.PauseRelay{Service: service})
	a.Safe = "Rows kept their order while the relay was paused; each is published once."
	a.Primary = paused
	return a
}

// Resume lets a paused projection go on.
func (v view) Resume(service, projection string) *act {
	url := v.apiURL(fmt.Sprintf("services%s/projections%s/pause", joinPath([]any{service}), joinPath([]any{projection})))
	a := v.Post("Resume it", "operator", url, "", api.PauseProjection{Service: service, Projection: projection})
	a.Safe = "It goes on after the last event it handled; none is left out."
	a.Primary = true
	return a
}
