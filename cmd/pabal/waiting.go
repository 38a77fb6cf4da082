package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
)

type waitingCommand struct {
	List    waitingList    `cmd:"" default:"withargs" help:"List a consumer's waiting messages: failed, behind one that failed, or parked."`
	Release waitingRelease `cmd:"" help:"Let a parked key go on."`
}

type waitingList struct {
	Service  string `arg:"" help:"Whose consumer."`
	Consumer string `arg:"" help:"Its name: the group without the tenant's prefix."`
	Topic    string `help:"Only messages of this topic." placeholder:"TOPIC"`
	Key      string `help:"Only messages with this key." placeholder:"KEY"`
	Limit    int    `help:"How many at most, 0 for all; default ${default}." default:"100" placeholder:"N"`
	asking
}

// Run is called by kong.
func (c *waitingList) Run(ctx context.Context, s *streams) error {
	if c.Limit < 0 {
		return wrongUse("--limit=%d: it is 0 for all, or how many", c.Limit)
	}
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		service, err := client.At(ctx, c.Service)
		if err != nil {
			return err
		}
		page, err := c.collect(ctx, service)
		if err != nil {
			return err
		}
		return c.show(s, page, func(w io.Writer) { writeWaiting(w, page) })
	})
}

// collect asks for page after page.
func (c *waitingList) collect(ctx context.Context, service admin.API) (admin.WaitingPage, error) {
	all := admin.WaitingPage{Waiting: []inbox.StoredWaiting{}}
	q := &inbox.WaitingQuery{Consumer: c.Consumer, Topic: c.Topic, Key: c.Key}
	for q != nil && (c.Limit == 0 || len(all.Waiting) < c.Limit) {
		q.Limit = inbox.MaxInspectRows
		if c.Limit > 0 {
			q.Limit = min(q.Limit, c.Limit-len(all.Waiting))
		}
		page, err := service.Waiting(ctx, *q)
		if err != nil {
			return all, err
		}
		all.Waiting = append(all.Waiting, page.Waiting...)
		all.Next, q = page.Next, page.Next
	}
	return all, nil
}

func writeWaiting(w io.Writer, page admin.WaitingPage) {
	var rows [][]string
	for _, m := range page.Waiting {
		state := "behind another"
		switch {
		case m.Parked:
			state = "parked"
		case m.Attempts > 0:
			state = "failing"
		}
		rows = append(rows, []string{fmt.Sprintf("%s/%d@%d", m.Topic, m.Partition, m.Offset), m.Key, state, strconv.Itoa(m.Attempts),
			text.Time(m.Next), m.Type, m.CorrelationID, text.Cut(m.Reason, 60)})
	}
	text.Table(w, []string{"MESSAGE", "KEY", "STATE", "ATTEMPTS", "NEXT", "TYPE", "CORRELATION", "REASON"}, rows)
}

type waitingRelease struct {
	Service  string `arg:"" help:"Whose consumer."`
	Consumer string `arg:"" help:"Its name: the group without the tenant's prefix."`
	Topic    string `arg:"" help:"The messages' topic, without the prefix."`
	Key      string `arg:"" help:"The parked key."`
	confirming
	asking
}

// Run is called by kong.
func (c *waitingRelease) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		if err := c.confirm(s, "Let key %s of %s go on?", text.Safe(c.Key), text.Safe(c.Topic)); err != nil {
			return err
		}
		service, err := client.At(ctx, c.Service)
		if err != nil {
			return err
		}
		n, err := service.Release(ctx, c.Consumer, c.Topic, c.Key)
		if err != nil {
			return err
		}
		return c.show(s, api.Count{Count: n}, func(w io.Writer) { fmt.Fprintf(w, "%d waiting messages are due again.\n", n) })
	})
}
