package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

type projectionsCommand struct {
	List    projectionsList    `cmd:"" default:"withargs" help:"List projections with their lag."`
	Pause   projectionsPause   `cmd:"" help:"Keep a projection from handling events, in every process."`
	Resume  projectionsResume  `cmd:"" help:"Let a paused projection go on."`
	Reset   projectionsReset   `cmd:"" help:"Have a projection handle events again."`
	Rebuild projectionsRebuild `cmd:"" help:"Build a view anew beside the live one, compare, swap."`
}

type projectionsList struct {
	Service string `help:"Only those of this service." placeholder:"SERVICE"`
	asking
}

// Run is called by kong.
func (c *projectionsList) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		list, err := client.Projections(ctx)
		if err != nil {
			return err
		}
		if c.Service != "" {
			list.Items = keep(list.Items, func(p api.Projection) bool { return p.Service == c.Service })
		}
		notAsked(s, list.Problems)
		return c.show(s, list, func(w io.Writer) { writeProjections(w, list.Items) })
	})
}

func keep[T any](all []T, wanted func(T) bool) []T {
	kept := []T{}
	for _, one := range all {
		if wanted(one) {
			kept = append(kept, one)
		}
	}
	return kept
}

func writeProjections(w io.Writer, all []api.Projection) {
	var rows [][]string
	for _, p := range all {
		problem := ""
		for _, i := range p.Instances {
			if problem == "" {
				problem = i.ProjectionStatus.Problem
			}
		}
		lag := text.Number(p.LagEvents)
		if p.LagMore {
			lag += "+"
		}
		rows = append(rows, []string{p.Service, p.Name, p.Source, p.State, strconv.Itoa(len(p.Workers)), strconv.Itoa(len(p.Ranges)), lag,
			text.Micros(p.LagMicros), text.Time(p.Consumed), text.Cut(problem, 80)})
	}
	text.Table(w, []string{"SERVICE", "PROJECTION", "SOURCE", "STATE", "WORKERS", "RANGES", "EVENTS BEHIND", "TIME BEHIND", "LAST HANDLED", "PROBLEM"}, rows)
}

// oneProjection are the arguments of what is done with one.
type oneProjection struct {
	Service    string `arg:"" help:"Whose projection."`
	Projection string `arg:"" help:"Its name."`
}

type projectionsPause struct {
	oneProjection
	confirming
	asking
}

// Run is called by kong.
func (c *projectionsPause) Run(ctx context.Context, s *streams) error {
	if err := c.confirm(s, "Keep %s of %s from handling events?", text.Safe(c.Projection), text.Safe(c.Service)); err != nil {
		return err
	}
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		service, err := client.At(ctx, c.Service)
		if err != nil {
			return err
		}
		if err := service.PauseProjection(ctx, c.Projection); err != nil {
			return err
		}
		done := api.PauseProjection{Service: c.Service, Projection: c.Projection, Paused: true}
		return c.show(s, done, func(w io.Writer) {
			fmt.Fprintf(w, "%s is paused; `pabal projections resume %s %[1]s` lets it go on.\n", text.Safe(c.Projection), text.Safe(c.Service))
		})
	})
}

type projectionsResume struct {
	oneProjection
	asking
}

// Run is called by kong.
func (c *projectionsResume) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		service, err := client.At(ctx, c.Service)
		if err != nil {
			return err
		}
		if err := service.ResumeProjection(ctx, c.Projection); err != nil {
			return err
		}
		done := api.PauseProjection{Service: c.Service, Projection: c.Projection}
		return c.show(s, done, func(w io.Writer) { fmt.Fprintf(w, "%s goes on.\n", text.Safe(c.Projection)) })
	})
}

// Help is what --help says about the subcommand.
func (projectionsReset) Help() string {
	return `The live view is not emptied: a handler that sets values ends with the same view,
one that adds up counts twice. To make a view anew without that, use
pabal projections rebuild. It cannot be taken back.`
}

type projectionsReset struct {
	oneProjection
	To string `required:"" help:"beginning, now (leave out what is before), or time:2026-01-31T12:00:00Z." placeholder:"WHERE"`
	confirming
	asking
}

// Run is called by kong.
func (c *projectionsReset) Run(ctx context.Context, s *streams) error {
	if c.To != "beginning" && c.To != "now" && !strings.HasPrefix(c.To, "time:") {
		return wrongUse("--to=%s: it is beginning, now or time:2026-01-31T12:00:00Z", text.Safe(c.To))
	}
	if err := c.confirm(s, "Have %s of %s handle events again from %s, without emptying its view?", text.Safe(c.Projection), text.Safe(c.Service), text.Safe(c.To)); err != nil {
		return err
	}
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		service, err := client.At(ctx, c.Service)
		if err != nil {
			return err
		}
		r := admin.ProjectionReset{Projection: c.Projection, To: c.To}
		if err := service.ResetProjection(ctx, r); err != nil {
			return err
		}
		return c.show(s, api.ResetProjection{Service: c.Service, ProjectionReset: r}, func(w io.Writer) {
			fmt.Fprintf(w, "%s handles events again from %s.\n", text.Safe(c.Projection), text.Safe(c.To))
		})
	})
}
