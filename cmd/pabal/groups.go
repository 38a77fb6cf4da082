package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

type groupsCommand struct {
	List  groupsList  `cmd:"" default:"withargs" help:"List consumer groups with their lag."`
	Show  groupsShow  `cmd:"" help:"Show members and offsets of a group."`
	Reset groupsReset `cmd:"" help:"Move a group to another offset."`
}

type groupsList struct {
	listing
	asking
}

// Run is called by kong.
func (c *groupsList) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		if err := c.check(); err != nil {
			return err
		}
		page, err := collect(c.listing, func(q api.PageQuery) (api.Page[api.GroupSummary], error) { return client.Groups(ctx, q) })
		if err != nil {
			return err
		}
		defer c.more(s, page.Next)
		return c.show(s, page, func(w io.Writer) {
			var rows [][]string
			for _, g := range page.Items {
				rows = append(rows, []string{g.Name, g.State, g.Service, text.Number(g.Members), text.Number(g.Lag), strings.Join(g.Topics, ","), g.Problem})
			}
			text.Table(w, []string{"GROUP", "STATE", "SERVICE", "MEMBERS", "LAG", "TOPICS", "PROBLEM"}, rows)
		})
	})
}

type groupsShow struct {
	Group string `arg:"" help:"Its name."`
	asking
}

// Run is called by kong.
func (c *groupsShow) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		g, err := client.Group(ctx, c.Group)
		if err != nil {
			return err
		}
		return c.show(s, g, func(w io.Writer) { writeGroup(w, g) })
	})
}

func writeGroup(w io.Writer, g api.Group) {
	text.Fields(w, "group", g.Name, "state", g.State, "service", g.Service, "protocol", g.Protocol, "lag", text.Number(g.Lag), "problem", g.Problem)
	fmt.Fprintln(w)
	var rows [][]string
	for _, o := range g.Offsets {
		rows = append(rows, []string{o.Topic, text.Number(o.Partition), text.Number(o.Committed), text.Number(o.End), text.Number(o.Lag), o.Truth, o.Member})
	}
	text.Table(w, []string{"TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "TRUTH", "MEMBER"}, rows)
	if len(g.MemberList) == 0 {
		return
	}
	fmt.Fprintln(w)
	rows = nil
	for _, m := range g.MemberList {
		rows = append(rows, []string{m.ID, m.InstanceID, m.ClientID, m.Host, strings.Join(m.Assigned, ",")})
	}
	text.Table(w, []string{"MEMBER", "INSTANCE", "CLIENT", "HOST", "ASSIGNED"}, rows)
}

// Help is what --help says about the subcommand.
func (groupsReset) Help() string {
	return `For the consumer of a service, whose position is in the service's database, this is
a deliberate replay: back only, while it runs, and each message is handled again
once. Any other group must be empty. --dry-run says what would happen.`
}

type groupsReset struct {
	Group     string `arg:"" help:"Its name."`
	Topic     string `required:"" help:"The topic to move it in." placeholder:"TOPIC"`
	Partition *int32 `help:"Only this partition." placeholder:"N"`
	To        string `required:"" help:"earliest, latest, offset:N or time:2026-01-31T12:00:00Z." placeholder:"WHERE"`
	DryRun    bool   `help:"Only say what would happen."`
	confirming
	asking
}

// Run is called by kong.
func (c *groupsReset) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		r := api.ResetRequest{Group: c.Group, Topic: c.Topic, Partition: c.Partition, To: c.To, DryRun: true}
		plan, err := client.Reset(ctx, r)
		if err != nil {
			return err
		}
		if !c.DryRun {
			if isTerminal(s.in) && !c.Yes {
				writePlan(s.err, plan)
			}
			if err := c.confirm(s, "Move group %s?", text.Safe(c.Group)); err != nil {
				return err
			}
			r.DryRun = false
			if plan, err = client.Reset(ctx, r); err != nil {
				return err
			}
		}
		return errors.Join(c.show(s, plan, func(w io.Writer) { writePlan(w, plan) }), notMoved(plan))
	})
}

// notMoved is an error where a move was asked for and not all of it was done.
func notMoved(p api.ResetPlan) error {
	n := 0
	for _, m := range p.Moves {
		if m.Problem != "" && m.From != m.To { // it may stand there already
			n++
		}
	}
	if n == 0 || p.DryRun {
		return nil
	}
	return fmt.Errorf("%w: %d of %d partitions were not moved", api.ErrConflict, n, len(p.Moves))
}

func writePlan(w io.Writer, p api.ResetPlan) {
	var rows [][]string
	for _, m := range p.Moves {
		rows = append(rows, []string{m.Topic, text.Number(m.Partition), text.Number(m.From), text.Number(m.To), m.Problem})
	}
	text.Table(w, []string{"TOPIC", "PARTITION", "FROM", "TO", "PROBLEM"}, rows)
	if p.Warning != "" {
		fmt.Fprintf(w, "\n%s\n", text.Safe(p.Warning))
	}
	if p.DryRun {
		fmt.Fprintln(w, "\nNothing was moved: this was a dry run.")
	}
}
