package main

import (
	"context"
	"fmt"
	"io"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

// Help is what --help says about the subcommand.
func (streamsReset) Help() string {
	return `Its group goes to the beginning of the topics that it reads, and its internal topics
(repartition topics and changelogs) are deleted. All instances must be stopped; those
that died are members until their session ends. What it wrote to other topics stays, and is
written again. --dry-run says what would happen. It cannot be taken back.`
}

type streamsReset struct {
	oneApplication
	To     string `help:"beginning, which is the only place." enum:"beginning" default:"beginning" placeholder:"WHERE"`
	DryRun bool   `help:"Only say what would happen."`
	confirming
	asking
}

// Run is called by kong.
func (c *streamsReset) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		r := api.ResetStreams{Application: c.Application, To: c.To, DryRun: true}
		plan, err := client.ResetStreams(ctx, r)
		if err != nil {
			return err
		}
		if !c.DryRun {
			if isTerminal(s.in) && !c.Yes {
				writeStreamsReset(s.err, plan)
			}
			if err := c.confirm(s, "Delete what application %s has computed, and have it begin anew?", text.Safe(c.Application)); err != nil {
				return err
			}
			r.DryRun = false
			if plan, err = client.ResetStreams(ctx, r); err != nil {
				return err
			}
		}
		return c.show(s, plan, func(w io.Writer) { writeStreamsReset(w, plan) })
	})
}

func writeStreamsReset(w io.Writer, r api.StreamsReset) {
	var rows [][]string
	for _, m := range r.Moves {
		rows = append(rows, []string{m.Topic, text.Number(m.Partition), text.Number(m.From), text.Number(m.To), m.Problem})
	}
	text.Table(w, []string{"TOPIC", "PARTITION", "FROM", "TO", "PROBLEM"}, rows)
	for _, list := range []struct {
		what   string
		topics []string
	}{{"Deleted", r.Deleted}, {"Left", r.Kept}} {
		for _, t := range list.topics {
			fmt.Fprintf(w, "%s: topic %s\n", list.what, text.Safe(t))
		}
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "\n%s\n", text.Safe(note))
	}
	if r.DryRun {
		fmt.Fprintln(w, "\nNothing was done: this was a dry run.")
	}
}
