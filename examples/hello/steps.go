package hello

import (
	"context"
	"errors"
	"net"
	"os"

	"github.com/pabal-dev/pabal/lifecycle"
)

// step is a part that is two functions; stop may be nil.
type step struct{ start, stop func(context.Context) error }

func (s *step) Start(ctx context.Context) error { return s.start(ctx) }

func (s *step) Stop(ctx context.Context) error {
	if s.stop == nil {
		return nil
	}
	return s.stop(ctx)
}

// later is a part that can be made only once those before it run.
func later(build func() (lifecycle.Service, error)) *step {
	var running lifecycle.Service
	return &step{
		func(ctx context.Context) (err error) {
			if running, err = build(); err != nil {
				return err
			}
			return running.Start(ctx)
		},
		func(ctx context.Context) error { return running.Stop(ctx) },
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}
