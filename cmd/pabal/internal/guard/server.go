package guard

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/direct"
)

// Server is where an API is listened for, and then served: behind a guard where there is Access, else
// for everybody who reaches the address.
type Server struct {
	listener net.Listener
	url      string
	access   *Access
	api      http.Handler // past authentication
	http     *http.Server
	served   chan error
}

// headerTimeout bounds how long a client may take for the head of a request.
const headerTimeout = 10 * time.Second

// Listen at a host:port, with TLS where access has it; a nil access has neither. The server is then either
// closed or serves.
func Listen(ctx context.Context, address string, access *Access) (*Server, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	s := &Server{listener: l, url: "http://" + l.Addr().String(), access: access, served: make(chan error, 1)}
	if access != nil && access.TLS != nil {
		s.url, s.listener = "https://"+l.Addr().String(), tls.NewListener(l, access.TLS)
	}
	return s, nil
}

// Close a server that does not serve.
func (s *Server) Close() error { return s.listener.Close() }

// Serve an API until Stop. needed and act are those of Guard.
func (s *Server) Serve(api http.Handler, needed Needed, act string, logger *slog.Logger) {
	s.api = api
	if s.access != nil {
		api = &Guard{Access: s.access, Next: api, Needed: needed, Act: act, Logger: logger}
	}
	s.http = &http.Server{
		Handler: api, ReadHeaderTimeout: headerTimeout,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	go func() { s.served <- s.http.Serve(s.listener) }()
}

// URL is where the API is, without a slash at the end.
func (s *Server) URL() string { return s.url }

// Address is the host:port that is listened at.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Client asks the API that is served within the process, past authentication; timeout bounds each question.
func (s *Server) Client(timeout time.Duration) *http.Client { return direct.Client(s.api, timeout) }

// Stop answers what was asked, at most until ctx ends.
func (s *Server) Stop(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
