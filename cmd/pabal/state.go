package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

// Help is what --help says about the subcommand.
func (journalState) Help() string {
	return `States are computed by the service that runs the entity. Of durable state only the
last revision is kept, so --at, --from and --field are for event-sourced entities.`
}

type journalState struct {
	oneEntity
	At    int64  `help:"The state after this event; default the last." placeholder:"N"`
	From  *int64 `help:"What changed since this event instead of the state; 0 is before the first." placeholder:"N"`
	Field string `help:"Which events changed this field instead of the state, such as items[0].price." placeholder:"PATH"`
	asking
}

// Run is called by kong.
func (c *journalState) Run(ctx context.Context, s *streams) error {
	if c.From != nil && c.Field != "" {
		return wrongUse("--from and --field ask for different things: give one of them")
	}
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		switch {
		case c.Field != "":
			return c.history(ctx, s, client)
		case c.From != nil:
			return c.diff(ctx, s, client)
		}
		return c.state(ctx, s, client)
	})
}

func (c *journalState) state(ctx context.Context, s *streams, client *api.Client) error {
	service, err := client.At(ctx, c.Service)
	if err != nil {
		return err
	}
	e, err := service.Entity(ctx, c.ID)
	if err != nil {
		return err
	}
	if e.SeqNr == 0 && e.State != nil && c.At == 0 {
		return c.show(s, e.State, func(w io.Writer) {
			fmt.Fprintf(w, "revision %d of %s\n", e.State.Revision, text.Time(e.State.Time))
			writeJSON(w, []byte(contentText(e.State.Payload)))
		})
	}
	page, err := service.States(ctx, admin.StateQuery{PersistenceID: c.ID, From: c.At, To: c.At})
	if err != nil {
		return err
	}
	if len(page.States) == 0 {
		return fmt.Errorf("%w: %s has no state there", api.ErrNotFound, text.Safe(c.ID))
	}
	state := page.States[0]
	return c.show(s, state, func(w io.Writer) {
		fmt.Fprintf(w, "after event %d of %d\n", state.SeqNr, e.SeqNr)
		writeJSON(w, state.State)
	})
}

// writeJSON indents it, and shows what could harm a terminal as text.
func writeJSON(w io.Writer, data []byte) {
	var out bytes.Buffer
	if json.Indent(&out, data, "", "  ") != nil {
		out.Reset()
		out.Write(data)
	}
	for line := range bytes.Lines(out.Bytes()) {
		fmt.Fprintln(w, text.Safe(string(bytes.TrimRight(line, "\n"))))
	}
}

func (c *journalState) diff(ctx context.Context, s *streams, client *api.Client) error {
	d, err := client.Diff(ctx, api.DiffQuery{Service: c.Service, PersistenceID: c.ID, From: c.From, To: c.At})
	if err != nil {
		return err
	}
	return c.show(s, d, func(w io.Writer) {
		var rows [][]string
		for _, x := range d.Changes {
			rows = append(rows, []string{x.Path, string(x.Kind), text.Cut(string(x.Old), 80), text.Cut(string(x.New), 80)})
		}
		text.Table(w, []string{"FIELD", "CHANGE", "BEFORE", "AFTER"}, rows)
		if d.More {
			fmt.Fprintln(w, "There are more changes.")
		}
		for _, m := range d.Masked {
			fmt.Fprintf(w, "Hidden from your role, also whether it changed: %s\n", text.Safe(m))
		}
	})
}

func (c *journalState) history(ctx context.Context, s *streams, client *api.Client) error {
	h, err := client.FieldChanges(ctx, api.FieldQuery{Service: c.Service, PersistenceID: c.ID, Path: c.Field, Before: c.At})
	if err != nil {
		return err
	}
	if h.Next != 0 && !c.json() {
		defer fmt.Fprintf(s.err, "There is more: --at=%d\n", h.Next)
	}
	return c.show(s, h, func(w io.Writer) {
		if h.Hidden {
			fmt.Fprintf(w, "%s is hidden from your role, and so is what changed it.\n", text.Safe(h.Path))
			return
		}
		var rows [][]string
		for _, x := range h.Changes {
			rows = append(rows, []string{text.Number(x.SeqNr), x.Manifest, text.Time(x.Time), string(x.Kind), text.Cut(string(x.Old), 60), text.Cut(string(x.New), 60)})
		}
		text.Table(w, []string{"EVENT", "TYPE", "TIME", "CHANGE", "BEFORE", "AFTER"}, rows)
	})
}
