package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/saga"
)

// actingOnSaga are the arguments and flags of every act.
type actingOnSaga struct {
	oneSaga
	Reason   string `required:"" help:"Why; it stays in the saga's timeline, with your name." placeholder:"TEXT"`
	Revision int64  `help:"The revision you looked at: where the saga has changed since, nothing is done." placeholder:"N"`
	confirming
	asking
}

// actingOnStep is an act on a step.
type actingOnStep struct {
	Step string `help:"Which step; not needed where only one can be meant." placeholder:"STEP"`
	actingOnSaga
}

func (c *actingOnSaga) act(ctx context.Context, s *streams, do saga.ActAction, step, question string) error {
	if strings.TrimSpace(c.Reason) == "" {
		return wrongUse("--reason: say why; it stays in the saga's timeline")
	}
	if c.Revision < 0 {
		return wrongUse("--revision=%d: revisions begin at 1", c.Revision)
	}
	if err := c.confirm(s, question+" (%s %s of %s)", text.Safe(c.Saga), text.Safe(c.ID), text.Safe(c.Service)); err != nil {
		return err
	}
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		service, err := client.At(ctx, c.Service)
		if err != nil {
			return err
		}
		line, err := service.ActOnSaga(ctx, saga.Act{Saga: c.Saga, ID: c.ID, Do: do, Step: step, Reason: c.Reason, Revision: c.Revision})
		if err != nil {
			return err
		}
		return c.show(s, line, func(w io.Writer) {
			fmt.Fprintf(w, "%s %s is %s now (revision %d).\n", text.Safe(line.Name), text.Safe(line.ID), text.Safe(string(line.Status)), line.Revision)
		})
	})
}

// Help is what --help says about the subcommand.
func (sagasRetry) Help() string {
	return `The message goes out as a new attempt. Where the participant did it before, it must
know the message's business key, or it does it twice.`
}

type sagasRetry struct{ actingOnStep }

// Run is called by kong.
func (c *sagasRetry) Run(ctx context.Context, s *streams) error {
	return c.act(ctx, s, saga.RetryAct, c.Step, "Send the step's message again?")
}

// Help is what --help says about the subcommand.
func (sagasSkip) Help() string {
	return `An action counts as not done, and is not undone later. A compensation is left out:
what it should have undone stays as it is.`
}

type sagasSkip struct{ actingOnStep }

// Run is called by kong.
func (c *sagasSkip) Run(ctx context.Context, s *streams) error {
	return c.act(ctx, s, saga.SkipAct, c.Step, "Go on without the step?")
}

// Help is what --help says about the subcommand.
func (sagasForce) Help() string {
	return `For what you did by hand, or made sure of: an action counts as done, and is undone
later if need be; a compensation counts as done.`
}

type sagasForce struct{ actingOnStep }

// Run is called by kong.
func (c *sagasForce) Run(ctx context.Context, s *streams) error {
	return c.act(ctx, s, saga.ForceAct, c.Step, "Go on as if the step's answer had come and were good?")
}

// Help is what --help says about the subcommand.
func (sagasResolve) Help() string {
	return `The saga ends as RESOLVED. Nothing more is sent: what was done stays done, what was
not stays undone. It cannot be taken back.`
}

type sagasResolve struct{ actingOnSaga }

// Run is called by kong.
func (c *sagasResolve) Run(ctx context.Context, s *streams) error {
	return c.act(ctx, s, saga.ResolveAct, "", "End the saga where it stands?")
}
