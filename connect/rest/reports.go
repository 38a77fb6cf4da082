package rest

import "net/http"

// reportsPath is ours: Kafka Connect has nothing there.
const reportsPath = "/pabal/reports"

// reports of all workers of the group.
func (a *api) reports(*http.Request) (int, any, error) {
	return http.StatusOK, a.Worker.Reports(), nil
}
