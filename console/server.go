package console

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// DefaultListen is the console's address where none is given.
const DefaultListen = "127.0.0.1:8080"

// Server listens for a console. It is a lifecycle.Service; start and stop the Console
// itself as well: it before, and stopped after.
type Server struct {
	console  *Console
	listen   string
	tls      *tls.Config
	logger   *slog.Logger
	http     *http.Server
	listener net.Listener
	served   chan struct{}
}

// NewServer checks that the address is safe to listen on; its error says what is
// missing. Of cfg it uses Listen, TLS and AllowPlainHTTP.
func NewServer(c *Console, cfg Config) (*Server, error) {
	listen := cfg.Listen
	if listen == "" {
		listen = DefaultListen
	}
	if err := checkExposure(listen, c.users != nil, cfg.TLS != nil, cfg.AllowPlainHTTP); err != nil {
		return nil, err
	}
	return &Server{console: c, listen: listen, tls: cfg.TLS, logger: c.logger}, nil
}

// checkExposure refuses an address that others reach where nobody would have to log
// in, or where passwords could be read on their way.
func checkExposure(listen string, users, encrypted, plainAllowed bool) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("%w: the address %q is not host:port", ErrConfig, listen)
	}
	switch {
	case api.Loopback(host):
		return nil
	case !users:
		return fmt.Errorf("%w: on %s others reach the console, and nobody has to log in: give it a users file "+
			"(`pabal user add` makes one), or listen on 127.0.0.1", ErrConfig, listen)
	case !encrypted && !plainAllowed:
		return fmt.Errorf("%w: on %s passwords and tokens would cross the network unencrypted: give a certificate, "+
			"or allow plain HTTP where a proxy before it ends TLS", ErrConfig, listen)
	}
	return nil
}

// Start begins to listen.
func (s *Server) Start(ctx context.Context) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: another program has the console's address %s: stop it, or choose another address", ErrConfig, s.listen)
	}
	if err != nil {
		return fmt.Errorf("%w: cannot listen on %s: %w", ErrConfig, s.listen, err)
	}
	s.listener, s.served = l, make(chan struct{})
	if s.tls != nil {
		l = tls.NewListener(l, withProtocols(s.tls))
	}
	// No time-outs for whole requests: streams have none, and bodies and answers get
	// theirs from the console.
	s.http = &http.Server{
		Handler: s.console, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(s.served)
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.logger.Error("console: no longer listening", "address", s.listen, "error", err)
		}
	}()
	return nil
}

// withProtocols adds HTTP/2 and a floor to what the user gave.
func withProtocols(given *tls.Config) *tls.Config {
	c := given.Clone()
	if len(c.NextProtos) == 0 {
		c.NextProtos = []string{"h2", "http/1.1"}
	}
	if c.MinVersion == 0 {
		c.MinVersion = tls.VersionTLS12
	}
	return c
}

// Stop lets requests finish and ends streams.
func (s *Server) Stop(ctx context.Context) error {
	if s.http == nil {
		return nil
	}
	s.console.EndStreams()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	<-s.served
	s.http = nil
	return err
}

// Addr is the address listened on, with the port the system chose where it was 0; ""
// before Start.
func (s *Server) Addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// URL is where the console is.
func (s *Server) URL() string {
	scheme := "http"
	if s.tls != nil {
		scheme = "https"
	}
	return scheme + "://" + reachable(s.Addr()) + s.console.base + "/"
}

// reachable names this machine where an address stands for all of its interfaces.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("localhost", port)
	}
	return addr
}
