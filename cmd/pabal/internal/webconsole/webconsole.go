// Package webconsole runs a console and its server together.
package webconsole

import (
	"context"

	"github.com/pabal-dev/pabal/console"
	"github.com/pabal-dev/pabal/lifecycle"
)

// Running is a console that listens. It stops with Stop.
type Running struct {
	parts  lifecycle.Group
	server *console.Server
}

// Start makes the console, starts its engines and listens. On an error nothing is
// left running.
func Start(ctx context.Context, c console.Config) (*Running, error) {
	handler, err := console.New(c)
	if err != nil {
		return nil, err
	}
	r := &Running{}
	if r.server, err = console.NewServer(handler, c); err != nil {
		_ = handler.Stop(ctx) // nothing has begun
		return nil, err
	}
	r.parts.Add("console", handler)
	r.parts.Add("console server", r.server)
	return r, r.parts.Start(ctx)
}

// URL is where people find it, with a slash at the end.
func (r *Running) URL() string { return r.server.URL() }

// Stop ends requests and engines.
func (r *Running) Stop(ctx context.Context) error { return r.parts.Stop(ctx) }
