package service

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pabal-dev/pabal/streams"
)

const streamsPath = "/streams"

// mountStreams serves the stores of the applications, each under its id, to those who use the
// REST API and to the other instances.
func (s *Service) mountStreams(rt *Router) {
	for _, app := range s.parts.streams {
		at := streamsPath + "/" + app.Stats().ApplicationID
		rt.mux.Handle("GET "+at+"/", http.StripPrefix(at, app.Handler()))
	}
}

// runs is nil where an application does.
func runs(app *streams.App) error {
	if state := app.State(); state != streams.Running {
		return errors.Join(fmt.Errorf("the stream processing is %s", strings.ToLower(string(state))), app.Health(), app.Err())
	}
	return app.Health()
}
