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

type journalCommand struct {
	Types  journalTypes  `cmd:"" help:"List the entity types of a service."`
	IDs    journalIDs    `cmd:"" name:"ids" help:"List entities of a service."`
	Events journalEvents `cmd:"" help:"List the events of an entity."`
	State  journalState  `cmd:"" help:"Show an entity's state at any of its events, and what changed it."`
	DDL    journalDDL    `cmd:"" name:"ddl" help:"Print the tables of the event store for PostgreSQL."`
}

type journalTypes struct {
	Service string `arg:"" help:"Whose journal."`
	asking
}

// Run is called by kong.
func (c *journalTypes) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		service, err := client.At(ctx, c.Service)
		if err != nil {
			return err
		}
		all, err := service.EntityTypes(ctx)
		if err != nil {
			return err
		}
		return c.show(s, all, func(w io.Writer) {
			var rows [][]string
			for _, t := range all {
				machine := "no"
				if t.States && t.Kind == admin.EventSourced {
					machine = "yes"
				}
				rows = append(rows, []string{t.Name, string(t.Kind), machine})
			}
			text.Table(w, []string{"TYPE", "STORED AS", "TIME MACHINE"}, rows)
		})
	})
}

type journalIDs struct {
	Service string `arg:"" help:"Whose journal."`
	Type    string `help:"Only entities of this type." placeholder:"TYPE"`
	Kind    string `help:"events or states (durable state); default ${default}." enum:"events,states" default:"events"`
	Prefix  string `help:"Only ids that begin so: the entity's own with --type, else the persistence id." placeholder:"TEXT"`
	After   string `help:"Go on where a list ended." placeholder:"CURSOR"`
	Limit   int    `help:"How many at most, 0 for all; default ${default}." default:"100" placeholder:"N"`
	asking
}

// Run is called by kong.
func (c *journalIDs) Run(ctx context.Context, s *streams) error {
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
		if page.Next != "" && !c.json() {
			defer fmt.Fprintf(s.err, "There is more: --after=%s\n", shellWord(page.Next))
		}
		return c.show(s, page, func(w io.Writer) {
			var rows [][]string
			for _, e := range page.Entities {
				rows = append(rows, []string{e.PersistenceID, text.Number(e.SeqNr), text.Time(e.Time)})
			}
			text.Table(w, []string{"PERSISTENCE ID", "LAST", "CHANGED"}, rows)
		})
	})
}

// shellWord quotes what a shell would take apart.
func shellWord(s string) string { return "'" + strings.ReplaceAll(text.Safe(s), "'", `'\''`) + "'" }

// collect asks for page after page.
func (c *journalIDs) collect(ctx context.Context, service admin.API) (admin.EntityPage, error) {
	all := admin.EntityPage{Entities: []admin.EntityLine{}}
	q := admin.EntityQuery{Type: c.Type, Kind: admin.Kind(c.Kind), Prefix: c.Prefix, After: c.After}
	for {
		q.Limit = admin.MaxEntities
		if c.Limit > 0 {
			q.Limit = min(q.Limit, c.Limit-len(all.Entities))
		}
		page, err := service.Entities(ctx, q)
		if err != nil {
			return all, err
		}
		all.Entities = append(all.Entities, page.Entities...)
		all.Next = page.Next
		if page.Next == "" || page.Next == q.After || c.Limit > 0 && len(all.Entities) >= c.Limit {
			return all, nil
		}
		q.After = page.Next
	}
}

// oneEntity are the arguments of what is asked about one.
type oneEntity struct {
	Service string `arg:"" help:"Whose journal."`
	ID      string `arg:"" name:"id" help:"The persistence id, such as 'order|42'; quote it for the shell."`
}

type journalEvents struct {
	oneEntity
	From  int64 `help:"The first event to list; default the first there is." placeholder:"N"`
	To    int64 `help:"The last event to list; default the last there is." placeholder:"N"`
	Limit int   `help:"How many at most, 0 for all; default ${default}." default:"100" placeholder:"N"`
	asking
}

// Run is called by kong.
func (c *journalEvents) Run(ctx context.Context, s *streams) error {
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
		if page.Next != 0 && !c.json() {
			defer fmt.Fprintf(s.err, "There is more: --from=%d\n", page.Next)
		}
		return c.show(s, page, func(w io.Writer) { writeEvents(w, page) })
	})
}

// collect asks for page after page.
func (c *journalEvents) collect(ctx context.Context, service admin.API) (admin.EventPage, error) {
	all := admin.EventPage{Events: []admin.StoredEvent{}}
	q := admin.EventQuery{PersistenceID: c.ID, From: c.From, To: c.To}
	for {
		q.Limit = admin.MaxEntities
		if c.Limit > 0 {
			q.Limit = min(q.Limit, c.Limit-len(all.Events))
		}
		page, err := service.Events(ctx, q)
		if err != nil {
			return all, err
		}
		all.Events = append(all.Events, page.Events...)
		all.Next = page.Next
		if page.Next <= q.From || c.Limit > 0 && len(all.Events) >= c.Limit {
			return all, nil
		}
		q.From = page.Next
	}
}

func writeEvents(w io.Writer, page admin.EventPage) {
	var rows [][]string
	for _, e := range page.Events {
		rows = append(rows, []string{text.Number(e.SeqNr), text.Time(e.Time), e.Payload.Manifest, strings.Join(e.Tags, ","), text.Cut(contentText(e.Payload), 120)})
	}
	text.Table(w, []string{"EVENT", "TIME", "TYPE", "TAGS", "CONTENT"}, rows)
}

// contentText is a payload in a line.
func contentText(c admin.Content) string {
	switch c.Format {
	case "null":
		return ""
	case "binary":
		return strconv.Itoa(c.Size) + " bytes of binary data"
	}
	return c.Text
}
