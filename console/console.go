// Package console is the web console: JSON API, live events and pages over the
// engines that look into Kafka and the services.
//
// A Console is an http.Handler, to be mounted where one likes, and a
// lifecycle.Service. Server listens for it and refuses what is not safe.
package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/auth"
	"github.com/pabal-dev/pabal/console/pages"
	"github.com/pabal-dev/pabal/lifecycle"
)

// ErrConfig is wrapped by every error about a setting.
var ErrConfig = errors.New("console configuration")

// Console serves the console. Make it with New.
type Console struct {
	engines   api.Engines
	parts     *lifecycle.Group
	close     func() error // what was opened before the start; nil for nothing
	users     *auth.Users  // nil: open
	sessions  *auth.Sessions
	base      string
	logger    *slog.Logger
	clock     func() time.Time
	keepAlive time.Duration

	guard   *guard
	hub     *hub
	streams streams
	metrics *figures
	shared  sharedOverview
	api     *http.ServeMux
	pages   http.Handler
	openapi []byte
}

// access is what newWith needs beside the engines.
type access struct {
	users        *auth.Users
	base         string
	listen       string
	allowedHosts []string
	logger       *slog.Logger
}

// newWith is a console over those engines.
func newWith(e api.Engines, a access) (*Console, error) {
	base := strings.TrimSuffix(a.base, "/")
	if base != "" && (!strings.HasPrefix(base, "/") || strings.ContainsAny(base, "?#{} \\") || strings.Contains(base, "//") || strings.Contains(base, "..")) {
		return nil, fmt.Errorf("%w: base %q is not a path such as /pabal", ErrConfig, a.base)
	}
	if a.logger == nil {
		a.logger = slog.Default()
	}
	g, err := newGuard(a.users == nil, a.listen, a.allowedHosts)
	if err != nil {
		return nil, err
	}
	c := &Console{
		engines: e, parts: &lifecycle.Group{}, users: a.users, base: base, logger: a.logger, clock: time.Now, keepAlive: keepAlive,
		guard: g, streams: streams{ended: make(chan struct{})},
	}
	if a.users != nil {
		c.sessions = auth.NewSessions(a.users)
	}
	c.hub = newHub(c.overview, a.logger)
	c.metrics = newFigures(c)
	c.pages = pages.New(pages.Config{Engines: e, Overview: c.overview, Base: base, Open: a.users == nil, Logger: a.logger})
	c.api = c.newMux()
	c.openapi, err = openAPI(base, e.Version)
	return c, err
}

func (c *Console) now() time.Time { return c.clock().UTC() }

// Start starts the engines.
func (c *Console) Start(ctx context.Context) error { return c.parts.Start(ctx) }

// Stop ends the streams and stops the engines. It does so for good, and also where
// the console was not started.
func (c *Console) Stop(ctx context.Context) error {
	c.EndStreams()
	err := c.parts.Stop(ctx)
	if c.close != nil {
		err = errors.Join(err, c.close())
	}
	return err
}

// EndStreams ends live events for good, so that an http.Server that shuts down need not
// wait for them.
func (c *Console) EndStreams() {
	c.streams.stop()
	c.hub.close()
}

// sharedOverview is asked for once by all who want it at the same time.
type sharedOverview struct {
	mu    sync.Mutex
	at    time.Time
	value api.Overview
}

// overviewAge is how old an overview may be.
const overviewAge = 500 * time.Millisecond

// overview is the same for every user: it has no payloads. It takes 1.5 s at most, and
// waits for another's as long.
func (c *Console) overview(context.Context) (api.Overview, error) {
	c.shared.mu.Lock()
	defer c.shared.mu.Unlock()
	if age := time.Since(c.shared.at); age >= 0 && age < overviewAge {
		return c.shared.value, nil
	}
	c.shared.value = c.engines.Overview(context.Background())
	c.shared.at = time.Now()
	return c.shared.value, nil
}
