package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

// Help is what --help says about the subcommand.
func (streamsQuery) Help() string {
	return `With a key it shows its value, of a window or session store the windows of the key.
Without one it lists keys, partition by partition. Keys are text, digits or JSON. What is
shown is what was committed; --stale reads copies where the store itself is not there.`
}

type streamsQuery struct {
	oneApplication
	Store   string `arg:"" help:"Its name."`
	Key     string `arg:"" optional:"" help:"A key."`
	From    string `help:"Keys from this one on." placeholder:"KEY"`
	To      string `help:"Keys up to this one, included." placeholder:"KEY"`
	Prefix  string `help:"Keys that begin with this." placeholder:"TEXT"`
	Since   string `help:"Windows that begin at this time or later, such as 2026-01-31T12:00:00Z or ms since 1970." placeholder:"TIME"`
	Until   string `help:"Windows that begin at this time or before." placeholder:"TIME"`
	Reverse bool   `help:"Backwards."`
	Stale   bool   `help:"Read copies as well, whatever they lack."`
	Limit   int    `help:"How many at most, 0 for all; default ${default}." default:"100" placeholder:"N"`
	Cursor  string `help:"Go on where a list ended." placeholder:"CURSOR"`
	asking
}

// Run is called by kong.
func (c *streamsQuery) Run(ctx context.Context, s *streams) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		page, err := c.collect(ctx, client, q)
		if err != nil {
			return err
		}
		if len(page.Masked) > 0 {
			fmt.Fprintf(s.err, "Hidden from your role: %s\n", text.Safe(strings.Join(page.Masked, ", ")))
		}
		defer func() {
			if page.Next != "" && !c.json() {
				fmt.Fprintf(s.err, "There is more: --cursor=%s\n", page.Next)
			}
		}()
		return c.show(s, page, func(w io.Writer) { writeEntries(w, page.Entries) })
	})
}

func (c *streamsQuery) query() (api.StoreQuery, error) {
	q := admin.StoreQuery{Application: c.Application, Store: c.Store, From: c.From, To: c.To, Prefix: c.Prefix,
		TimeFrom: c.Since, TimeTo: c.Until, Reverse: c.Reverse, Stale: c.Stale, Cursor: c.Cursor}
	if c.Key != "" {
		q.Key = &c.Key
	}
	switch {
	case c.Limit < 0:
		return api.StoreQuery{}, wrongUse("--limit=%d: it is 0 for all, or how many", c.Limit)
	case c.Key != "" && (c.From != "" || c.To != "" || c.Prefix != ""):
		return api.StoreQuery{}, wrongUse("either a key, or --from, --to or --prefix")
	case c.Prefix != "" && (c.From != "" || c.To != ""):
		return api.StoreQuery{}, wrongUse("either --prefix, or --from and --to")
	}
	return api.StoreQuery{StoreQuery: q}, nil
}

// collect asks for page after page.
func (c *streamsQuery) collect(ctx context.Context, client *api.Client, q api.StoreQuery) (admin.StorePage, error) {
	all := admin.StorePage{Entries: []admin.StoreEntry{}}
	for {
		q.Limit = admin.MaxStoreEntries
		if c.Limit > 0 {
			q.Limit = min(q.Limit, c.Limit-len(all.Entries))
		}
		page, err := client.QueryStore(ctx, q)
		if err != nil {
			return all, err
		}
		all.Entries = append(all.Entries, page.Entries...)
		all.Next, all.Masked, q.Cursor = page.Next, page.Masked, page.Next
		if page.Next == "" || c.Limit > 0 && len(all.Entries) >= c.Limit {
			return all, nil
		}
	}
}

func writeEntries(w io.Writer, all []admin.StoreEntry) {
	windows := false
	for _, e := range all {
		windows = windows || e.WindowEnd != nil
	}
	header := []string{"KEY", "VALUE", "TIMESTAMP"}
	if windows {
		header = append(header, "WINDOW FROM", "TO")
	}
	var rows [][]string
	for _, e := range all {
		value := plainJSON(e.Value)
		if e.Error != "" {
			value = "cannot be shown: " + e.Error
		}
		row := []string{plainJSON(e.Key), value, millis(&e.Timestamp)}
		if windows {
			row = append(row, millis(e.WindowStart), millis(e.WindowEnd))
		}
		rows = append(rows, row)
	}
	text.Table(w, header, rows)
}

// plainJSON is a text without its quotes, and any other value as it is.
func plainJSON(value json.RawMessage) string {
	var plain string
	if json.Unmarshal(value, &plain) == nil {
		return plain
	}
	return string(value)
}

// millis is a time given in ms since 1970, "" for none.
func millis(at *int64) string {
	if at == nil || *at == 0 {
		return ""
	}
	return time.UnixMilli(*at).UTC().Format("2006-01-02T15:04:05.000Z")
}
