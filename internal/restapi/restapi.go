// Package restapi has what the REST APIs of Kafka Connect and of schema registries share: the form of
// their errors, and which requests are refused before one of their routes has them.
package restapi

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// Error is the body of an answer that is no success.
type Error struct {
	Code    int    `json:"error_code"`
	Message string `json:"message"`
}

// Refusal is the status and the body for a request that no route is to have: none of mux is its own,
// or, where local, its Host is not this machine's own name for itself, as of pages that had their name
// point here. Else ok is false.
func Refusal(mux *http.ServeMux, local bool, r *http.Request) (status int, body Error, ok bool) {
	if local && !isLocal(r.Host) {
		return http.StatusForbidden, Error{http.StatusForbidden, "this API is for the machine it runs on, not for " + r.Host}, true
	}
	if _, pattern := mux.Handler(r); pattern != "" {
		return 0, Error{}, false
	}
	status = unrouted(mux, r)
	return status, Error{status, fmt.Sprintf("HTTP %d %s", status, http.StatusText(status))}, true
}

func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// unrouted tells a wrong method from a wrong path.
func unrouted(mux *http.ServeMux, r *http.Request) int {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "" {
			return http.StatusMethodNotAllowed
		}
	}
	return http.StatusNotFound
}

// WriteJSON writes a body as these servers do, with <, > and & as they are.
func WriteJSON(w io.Writer, body any) {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(body) // who asked is gone
}
