package service

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

const readyTimeout = 2 * time.Second

// check is one thing a service needs to be ready.
type check struct {
	name string
	fn   func(context.Context) error
}

// addHealth registers /livez, /readyz and /metrics. A service whose database
// or cluster is away lives but is not ready.
func (rt *Router) addHealth(checks []check) {
	rt.mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	rt.mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		for _, c := range checks {
			if err := c.fn(ctx); err != nil {
				Refuse(http.StatusServiceUnavailable, "%s: %s", c.name, err).write(w)
				return
			}
		}
		fmt.Fprintln(w, "ok")
	})
	rt.mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		rt.set.WritePrometheus(w)
		metrics.WriteProcessMetrics(w)
	})
}
