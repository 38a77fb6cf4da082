package rest

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect"
)

// passedOn marks a request that a worker has passed on: it goes no further.
const passedOn = "Pabal-Connect-Passed-On"

// leads has the leader of the group handle a request.
func (a *api) leads(h handler) handler {
	return func(r *http.Request) (int, any, error) {
		url, self, err := a.Worker.Leader()
		switch {
		case err != nil:
			return 0, nil, err
		case self:
			return h(r)
		case r.Header.Get(passedOn) != "":
			return 0, nil, fmt.Errorf("%w: this worker does not lead its group any more: try again in a few seconds", connect.ErrUnready)
		case url == "":
			return 0, nil, fmt.Errorf("%w: the leader of the group does not say where it can be reached", connect.ErrUnready)
		}
		return a.pass(r, url)
	}
}

// passTimeout is longer than a validation that waits for a database.
const passTimeout = 90 * time.Second

func (a *api) pass(r *http.Request, url string) (int, any, error) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, strings.TrimRight(url, "/")+r.URL.RequestURI(), r.Body)
	if err != nil {
		return 0, nil, err
	}
	for _, name := range []string{"Content-Type", "Authorization"} {
		if value := r.Header.Get(name); value != "" {
			req.Header.Set(name, value)
		}
	}
	req.Header.Set(passedOn, "1")
	resp, err := a.Client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: the leader of the group does not answer: %w", connect.ErrUnready, err)
	}
	return resp.StatusCode, passed{resp}, nil
}
