package main

import (
	"context"
	"fmt"
	"io"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/outbox"
)

type outboxCommand struct {
	List   outboxList   `cmd:"" default:"withargs" help:"List the services' outboxes: backlog and relay."`
	Rows   outboxRows   `cmd:"" help:"List rows of a service's outbox."`
	Replay outboxReplay `cmd:"" help:"Have FAILED rows published again."`
	Pause  outboxPause  `cmd:"" help:"Keep a service's relay from publishing."`
	Resume outboxResume `cmd:"" help:"Let a paused relay go on."`
	Move   outboxMove   `cmd:"" help:"Move an outbox from relays to a connector, or back."`
}

type outboxList struct{ asking }

// Run is called by kong.
func (c *outboxList) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		all, err := client.Services(ctx)
		if err != nil {
			return err
		}
		return c.show(s, all, func(w io.Writer) {
			var rows [][]string
			for _, one := range all {
				rows = append(rows, outboxLine(one)...)
			}
			text.Table(w, []string{"SERVICE", "INSTANCE", "STARTED", "FAILED", "OLDEST", "RELAY", "REASON"}, rows)
		})
	})
}

func outboxLine(s api.Service) [][]string {
	if s.Status == nil {
		return [][]string{{s.Name, s.Instance, "", "", "", "", s.Problem}}
	}
	o := s.Status.Outbox
	if o == nil {
		return nil
	}
	state := string(o.Relay.State)
	if o.Relay.Paused {
		state = "paused"
	}
	return [][]string{{s.Name, s.Instance, text.Number(o.Backlog.Started), text.Number(o.Backlog.Failed), text.Time(o.Backlog.Oldest), state, o.Relay.Reason}}
}

type outboxRows struct {
	Service     string   `arg:"" help:"Whose outbox."`
	Status      string   `help:"STARTED, FAILED or COMPLETED; all where it is missing." enum:",STARTED,FAILED,COMPLETED" default:"" placeholder:"STATUS"`
	Topic       string   `help:"Only rows for this topic." placeholder:"TOPIC"`
	Key         string   `help:"Only rows with this key." placeholder:"KEY"`
	Event       []string `help:"Only these event ids." placeholder:"ID"`
	Correlation string   `help:"Only rows with this correlation id." placeholder:"ID"`
	Payload     bool     `help:"With payload and headers, in JSON."`
	After       int64    `help:"Only rows after this id." placeholder:"ID"`
	Limit       int      `help:"How many at most; default ${default}." default:"100" placeholder:"N"`
	asking
}

// Run is called by kong.
func (c *outboxRows) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		service, err := client.At(ctx, c.Service)
		if err != nil {
			return err
		}
		page, err := service.Rows(ctx, outbox.RowQuery{
			Status: outbox.Status(c.Status), Topic: c.Topic, Key: c.Key, EventIDs: c.Event, Correlation: c.Correlation,
			Payload: c.Payload, After: c.After, Limit: c.Limit,
		})
		if err != nil {
			return err
		}
		if page.After != 0 && !c.json() {
			defer fmt.Fprintf(s.err, "There is more: --after=%d\n", page.After)
		}
		return c.show(s, page, func(w io.Writer) { writeRows(w, page) })
	})
}

func writeRows(w io.Writer, page admin.RowPage) {
	var rows [][]string
	for _, r := range page.Rows {
		rows = append(rows, []string{text.Number(r.ID), string(r.Status), r.Topic, r.Key, r.Type, r.CorrelationID,
			text.Time(r.EnqueuedAt), text.Number(r.Attempts), text.Cut(r.Reason, 60)})
	}
	text.Table(w, []string{"ROW", "STATUS", "TOPIC", "KEY", "TYPE", "CORRELATION", "ENQUEUED", "ATTEMPTS", "REASON"}, rows)
}

type outboxReplay struct {
	Service string  `arg:"" help:"Whose outbox."`
	Row     []int64 `arg:"" optional:"" help:"Ids of FAILED rows."`
	All     bool    `help:"All FAILED rows."`
	confirming
	asking
}

// Run is called by kong.
func (c *outboxReplay) Run(ctx context.Context, s *streams) error {
	if c.All == (len(c.Row) > 0) {
		return wrongUse("name the rows to replay, or --all for every FAILED one")
	}
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		which := fmt.Sprintf("%d FAILED rows", len(c.Row))
		if c.All {
			which = "all FAILED rows"
		}
		if err := c.confirm(s, "Publish %s of %s again?", which, text.Safe(c.Service)); err != nil {
			return err
		}
		service, err := client.At(ctx, c.Service)
		if err != nil {
			return err
		}
		n, err := service.Replay(ctx, c.Row...)
		if err != nil {
			return err
		}
		return c.show(s, api.Count{Count: n}, func(w io.Writer) { fmt.Fprintf(w, "%d rows are STARTED again.\n", n) })
	})
}

type outboxPause struct {
	Service string `arg:"" help:"Whose relay."`
	Reason  string `required:"" help:"Why; people see it." placeholder:"TEXT"`
	confirming
	asking
}

// Run is called by kong.
func (c *outboxPause) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		if err := c.confirm(s, "Keep the relay of %s from publishing?", text.Safe(c.Service)); err != nil {
			return err
		}
		service, err := client.At(ctx, c.Service)
		if err != nil {
			return err
		}
		if err := service.PauseRelay(ctx, c.Reason); err != nil {
			return err
		}
		done := api.PauseRelay{Service: c.Service, Paused: true, Reason: c.Reason}
		return c.show(s, done, func(w io.Writer) {
			fmt.Fprintf(w, "The relay of %s is paused; `pabal outbox resume %s` lets it go on.\n", text.Safe(c.Service), text.Safe(c.Service))
		})
	})
}

type outboxResume struct {
	Service string `arg:"" help:"Whose relay."`
	confirming
	asking
}

// Run is called by kong.
func (c *outboxResume) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		service, err := client.At(ctx, c.Service)
		if err != nil {
			return err
		}
		if err := service.ResumeRelay(ctx); err != nil {
			return err
		}
		return c.show(s, api.PauseRelay{Service: c.Service}, func(w io.Writer) {
			fmt.Fprintf(w, "The relay of %s goes on.\n", text.Safe(c.Service))
		})
	})
}
