// Package connectors is the connectors that come with the binary, and the server of their REST API.
package connectors

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/guard"
	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/connect/file"
	"github.com/pabal-dev/pabal/connect/mongodb"
	"github.com/pabal-dev/pabal/connect/mysql"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/plugin/converters"
	"github.com/pabal-dev/pabal/connect/postgres"
	"github.com/pabal-dev/pabal/connect/rest"
	sinkmongodb "github.com/pabal-dev/pabal/connect/sink/mongodb"
	"github.com/pabal-dev/pabal/connect/sink/redis"
	"github.com/pabal-dev/pabal/connect/sink/sql"
	"github.com/pabal-dev/pabal/connect/transform"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka"
)

// Plugins are those that come with the binary.
func Plugins() plugin.Set {
	return plugin.Set{
		Sources:    []plugin.Source{postgres.Connector{}, mongodb.Source{}, mysql.MariaDB{}, mysql.MySQL{}, file.Source{}},
		Sinks:      []plugin.Sink{sinkmongodb.Sink{}, sinkmongodb.OfficialSink{}, sql.Sink{}, sql.ConfluentSink{}, redis.Sink{}, file.Sink{}},
		Transforms: transform.Plugins(), Predicates: transform.Predicates(),
		Converters: converters.Plugins(), Headers: converters.Headers(),
	}
}

// Server is a worker with its REST API.
type Server struct {
	*guard.Server
	worker *connect.Worker
}

// Config of Start; all but Access are required.
type Config struct {
	Kafka kafka.Config
	// Listen is a host:port. Without Access it is on loopback.
	Listen string
	// Access is who may ask; nil is everybody on this machine.
	Access *guard.Access
	Logger *slog.Logger
}

// Start the worker, and serve its API at once. ctx bounds the start.
func Start(ctx context.Context, c Config) (*Server, error) {
	s, err := guard.Listen(ctx, c.Listen, c.Access)
	if err != nil {
		return nil, err
	}
	// Another process may have had this address a moment ago, and another machine has it, too.
	id := s.Address() + "-" + strings.ToLower(rand.Text()[:6])
	w, err := connect.New(connect.Config{Kafka: c.Kafka, ID: id, Plugins: Plugins(), Logger: c.Logger})
	if err == nil {
		err = w.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.Serve(rest.New(rest.Config{Worker: w, Local: c.Access == nil, Logger: c.Logger}), needed, "connectors", c.Logger)
	return &Server{Server: s, worker: w}, nil
}

// needed is the role that a request asks for: viewers read, operators pause, resume, stop and
// restart, admins do the rest.
func needed(r *http.Request) api.Role {
	path := strings.Trim(r.URL.EscapedPath(), "/") // a slash in a name is no part of the path
	switch last := path[strings.LastIndexByte(path, '/')+1:]; {
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return api.Viewer
	case strings.HasPrefix(path, "connectors/") && strings.Count(path, "/") > 1 && slices.Contains([]string{"pause", "resume", "stop", "restart"}, last):
		return api.Operator
	}
	return api.Admin
}

// askTimeout is longer than a check that waits for a database.
const askTimeout = 90 * time.Second

// Client asks the API within the process, past authentication: for the console, which has its own.
func (s *Server) Client() *http.Client { return s.Server.Client(askTimeout) }

// WriteMetrics writes what the worker counts and knows of its tasks, in Prometheus' format.
func (s *Server) WriteMetrics(w io.Writer) { s.worker.WriteMetrics(w) }

// Stop answers what was asked, commits what the tasks have sent, and leaves the group.
func (s *Server) Stop(ctx context.Context) error {
	return errors.Join(s.Server.Stop(ctx), s.worker.Stop(ctx))
}
