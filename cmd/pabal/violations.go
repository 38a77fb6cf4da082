package main

import (
	"context"
	"fmt"
	"io"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/demo"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

// Help is what --help says about the subcommand.
func (violationsCommand) Help() string {
	return `What should never be and is: rows unpublished for too long, an offset ahead of its inbox
and the like, over all services. The exit code is 3 where there is one.`
}

type violationsCommand struct{ asking }

// Run is called by kong.
func (c *violationsCommand) Run(ctx context.Context, s *streams) error {
	var found []api.Violation
	err := c.ask(ctx, func(ctx context.Context, client *api.Client) (err error) {
		if found, err = client.Violations(ctx); err != nil {
			return err
		}
		return c.show(s, found, func(w io.Writer) { writeViolations(w, found) })
	})
	if err == nil && len(found) > 0 {
		return demo.ErrViolated
	}
	return err
}

func writeViolations(w io.Writer, all []api.Violation) {
	if len(all) == 0 {
		fmt.Fprintln(w, "All invariants hold.")
		return
	}
	var rows [][]string
	for _, v := range all {
		command := ""
		if v.Action != nil {
			command = v.Action.Command
		}
		rows = append(rows, []string{v.Rule, v.Service, text.Time(v.Since), v.What, command})
	}
	text.Table(w, []string{"RULE", "SERVICE", "SINCE", "WHAT", "COMMAND"}, rows)
}
