package main

import (
	"context"
	"io"
	"strings"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

type servicesCommand struct{ asking }

// Run is called by kong.
func (c *servicesCommand) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		all, err := client.Services(ctx)
		if err != nil {
			return err
		}
		return c.show(s, all, func(w io.Writer) {
			var rows [][]string
			for _, one := range all {
				rows = append(rows, []string{one.Name, one.Instance, one.Version, one.URL, text.Time(one.Seen), consumers(one), trouble(one)})
			}
			text.Table(w, []string{"SERVICE", "INSTANCE", "VERSION", "ADDRESS", "SEEN", "CONSUMERS", "PROBLEM"}, rows)
		})
	})
}

func consumers(s api.Service) string {
	if s.Status == nil {
		return ""
	}
	var names []string
	for _, c := range s.Status.Consumers {
		names = append(names, c.Name)
	}
	return strings.Join(names, ",")
}

// trouble is the first thing that is wrong with a service.
func trouble(s api.Service) string {
	if s.Problem != "" || s.Status == nil {
		return s.Problem
	}
	for _, c := range s.Status.Consumers {
		if c.Problem != "" {
			return c.Name + ": " + c.Problem
		}
	}
	if o := s.Status.Outbox; o != nil {
		return o.Relay.Reason
	}
	return ""
}
