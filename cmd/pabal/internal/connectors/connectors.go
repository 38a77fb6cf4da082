// Package connectors is the connectors that come with the binary, and the server of their REST API.
package connectors

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

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
	worker *connect.Worker
	api    http.Handler // without authentication
	http   *http.Server
	served chan error
	url    string
}

// Config of Start; all but Access are required.
type Config struct {
	Kafka kafka.Config
	// Listen is a host:port. Without Access it is on loopback.
	Listen string
	// Access is who may ask; nil is everybody on this machine.
	Access *Access
	Logger *slog.Logger
}

// headerTimeout bounds how long a client may take for the head of a request.
const headerTimeout = 10 * time.Second

// Start the worker, and serve its API at once. ctx bounds the start.
func Start(ctx context.Context, c Config) (*Server, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return nil, err
	}
	at := l.Addr().String()
	s := &Server{url: "http://" + at, served: make(chan error, 1)}
	if c.Access != nil && c.Access.TLS != nil {
		s.url, l = "https://"+at, tls.NewListener(l, c.Access.TLS)
	}
	// Another process may have had this address a moment ago, and another machine has it, too.
	id := at + "-" + strings.ToLower(rand.Text()[:6])
	s.worker, err = connect.New(connect.Config{Kafka: c.Kafka, ID: id, Plugins: Plugins(), Logger: c.Logger})
	if err == nil {
		err = s.worker.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s.api = rest.New(rest.Config{Worker: s.worker, Local: c.Access == nil, Logger: c.Logger})
	handler := s.api
	if c.Access != nil {
		handler = &guard{c.Access, s.api, c.Logger}
	}
	s.http = &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout,
		ErrorLog: slog.NewLogLogger(c.Logger.Handler(), slog.LevelWarn),
	}
	go func() { s.served <- s.http.Serve(l) }()
	return s, nil
}

// URL is where the API is, without a slash at the end.
func (s *Server) URL() string { return s.url }

// WriteMetrics writes what the worker counts and knows of its tasks, in Prometheus' format.
func (s *Server) WriteMetrics(w io.Writer) { s.worker.WriteMetrics(w) }

// Stop answers what was asked, commits what the tasks have sent, and leaves the group.
func (s *Server) Stop(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return errors.Join(err, s.worker.Stop(ctx))
}
