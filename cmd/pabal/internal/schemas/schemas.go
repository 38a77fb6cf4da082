// Package schemas is the server of the schema registry's REST API.
package schemas

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/guard"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/registry"
)

// Config of Start; all but Access are required.
type Config struct {
	Kafka kafka.Config
	// Listen is a host:port. Without Access it is on loopback.
	Listen string
	// Access is who may ask; nil is everybody on this machine.
	Access *guard.Access
	Logger *slog.Logger
}

// Server is a registry with its REST API.
type Server struct {
	*guard.Server
	registry *registry.Registry
}

// Start reads the topic, and serves the API. ctx bounds the start.
func Start(ctx context.Context, c Config) (*Server, error) {
	s, err := guard.Listen(ctx, c.Listen, c.Access)
	if err != nil {
		return nil, err
	}
	r, err := registry.Open(ctx, registry.Config{Kafka: c.Kafka, Local: c.Access == nil, Logger: c.Logger})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.Serve(r.Handler(), needed, "registry", c.Logger)
	return &Server{Server: s, registry: r}, nil
}

// needed is the role that a request asks for: viewers read, look up and compare, operators register,
// admins delete and set what holds for others.
func needed(r *http.Request) api.Role {
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return api.Viewer
	case r.Method != http.MethodPost:
		return api.Admin
	case harmless(registry.Resource(r)):
		return api.Viewer
	}
	return api.Operator
}

// harmless is what changes nothing though it is a POST: a look-up, a comparison, and the root.
func harmless(parts []string) bool {
	switch parts[0] {
	case "subjects":
		return len(parts) == 2
	case "compatibility":
		return true
	}
	return len(parts) == 1 && parts[0] == ""
}

// clientTimeout bounds a question within the process.
const clientTimeout = 30 * time.Second

// Client asks the API within the process, past authentication: for the console, which has its own.
func (s *Server) Client() *http.Client { return s.Server.Client(clientTimeout) }

// Stop answers what was asked.
func (s *Server) Stop(ctx context.Context) error {
	err := s.Server.Stop(ctx)
	s.registry.Close()
	return err
}
