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

type topicsCommand struct {
	List   topicsList   `cmd:"" default:"withargs" help:"List topics by name."`
	Show   topicsShow   `cmd:"" help:"Show partitions, offsets and settings of a topic."`
	Create topicsCreate `cmd:"" help:"Create a topic."`
}

type topicsList struct {
	Internal bool `help:"Also those of Kafka and Pabal."`
	listing
	asking
}

// Run is called by kong.
func (c *topicsList) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		if err := c.check(); err != nil {
			return err
		}
		page, err := collect(c.listing, func(q api.PageQuery) (api.Page[api.TopicSummary], error) {
			return client.Topics(ctx, api.TopicQuery{PageQuery: q, Internal: c.Internal})
		})
		if err != nil {
			return err
		}
		defer c.more(s, page.Next)
		return c.show(s, page, func(w io.Writer) {
			var rows [][]string
			for _, t := range page.Items {
				rows = append(rows, []string{t.Name, text.Number(t.Partitions), text.Number(t.Replication), text.Number(t.Records), t.Problem})
			}
			text.Table(w, []string{"TOPIC", "PARTITIONS", "REPLICATION", "RECORDS", "PROBLEM"}, rows)
		})
	})
}

type topicsShow struct {
	Topic string `arg:"" help:"Its name."`
	asking
}

// Run is called by kong.
func (c *topicsShow) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		t, err := client.Topic(ctx, c.Topic)
		if err != nil {
			return err
		}
		return c.show(s, t, func(w io.Writer) { writeTopic(w, t) })
	})
}

func writeTopic(w io.Writer, t api.Topic) {
	text.Fields(w, "topic", t.Name, "id", t.ID, "replication", text.Number(t.Replication), "records", text.Number(t.Records),
		"consumers", strings.Join(t.Consumers, ", "), "problem", t.Problem)
	fmt.Fprintln(w)
	var rows [][]string
	for _, p := range t.Partitions {
		rows = append(rows, []string{text.Number(p.Partition), text.Number(p.Leader), list(p.Replicas), list(p.InSync),
			text.Number(p.Start), text.Number(p.Stable), text.Number(p.End), p.Problem})
	}
	text.Table(w, []string{"PARTITION", "LEADER", "REPLICAS", "IN SYNC", "START", "STABLE", "END", "PROBLEM"}, rows)
	fmt.Fprintln(w)
	rows = nil
	for _, e := range t.Config {
		value := e.Value
		if e.Sensitive {
			value = "(secret)"
		}
		rows = append(rows, []string{e.Name, value, e.Source})
	}
	text.Table(w, []string{"SETTING", "VALUE", "FROM"}, rows)
}

func list(all []int32) string { return strings.Trim(fmt.Sprint(all), "[]") }

type topicsCreate struct {
	Topic       string            `arg:"" help:"Its name."`
	Partitions  int32             `help:"How many; default 4." placeholder:"N"`
	Replication int16             `help:"Copies of each; default the brokers'." placeholder:"N"`
	Config      map[string]string `help:"Settings such as cleanup.policy=compact." placeholder:"NAME=VALUE"`
	IfMissing   bool              `help:"It is no error that there is one of that name."`
	asking
}

// Run is called by kong.
func (c *topicsCreate) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		err := client.CreateTopic(ctx, api.NewTopic{Name: c.Topic, Partitions: c.Partitions, Replication: c.Replication, Config: c.Config})
		there := c.IfMissing && errors.Is(err, api.ErrConflict)
		if err != nil && !there {
			return err
		}
		t, err := client.Topic(ctx, c.Topic)
		if err != nil {
			return err
		}
		return c.show(s, t, func(w io.Writer) {
			what := "Created"
			if there {
				what = "There is already"
			}
			fmt.Fprintf(w, "%s topic %s with %d partitions.\n", what, text.Safe(t.Name), len(t.Partitions))
		})
	})
}
