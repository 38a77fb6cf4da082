package main

import (
	"context"
	"fmt"
	"io"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

// Help is what --help says about the subcommand.
func (projectionsRebuild) Help() string {
	return `A rebuild handles all events again into copies of the view's tables, while the live
ones are kept up and read. pabal projections list shows how far it is; compare it
then, and swap or cancel.`
}

type projectionsRebuild struct {
	Start   rebuildStart   `cmd:"" help:"Begin to fill copies of the view's tables."`
	Compare rebuildCompare `cmd:"" help:"Count the rows in which the copies and the live tables differ."`
	Swap    rebuildSwap    `cmd:"" help:"Make the copies the live tables."`
	Cancel  rebuildCancel  `cmd:"" help:"Drop the copies."`
}

// rebuilding is a step of a rebuild.
type rebuilding struct {
	oneProjection
	asking
}

func (c *rebuilding) step(ctx context.Context, s *streams, step admin.RebuildStep, said func(w io.Writer, r admin.Rebuilt)) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		service, err := client.At(ctx, c.Service)
		if err != nil {
			return err
		}
		rebuilt, err := service.RebuildProjection(ctx, admin.RebuildRequest{Projection: c.Projection, Step: step})
		if err != nil {
			return err
		}
		return c.show(s, rebuilt, func(w io.Writer) { said(w, rebuilt) })
	})
}

type rebuildStart struct {
	rebuilding
	confirming
}

// Run is called by kong.
func (c *rebuildStart) Run(ctx context.Context, s *streams) error {
	if err := c.confirm(s, "Handle all events of %s again, into copies of its tables?", text.Safe(c.Projection)); err != nil {
		return err
	}
	return c.step(ctx, s, admin.RebuildStart, func(w io.Writer, _ admin.Rebuilt) {
		fmt.Fprintf(w, "The rebuild of %s is under way.\n", text.Safe(c.Projection))
	})
}

type rebuildCompare struct{ rebuilding }

// Run is called by kong.
func (c *rebuildCompare) Run(ctx context.Context, s *streams) error {
	return c.step(ctx, s, admin.RebuildCompare, func(w io.Writer, r admin.Rebuilt) {
		var rows [][]string
		for _, d := range r.Differences {
			rows = append(rows, []string{d.Table, text.Number(d.Live), text.Number(d.Copy), text.Number(d.OnlyLive), text.Number(d.OnlyCopy)})
		}
		text.Table(w, []string{"TABLE", "LIVE ROWS", "REBUILT ROWS", "ONLY LIVE", "ONLY REBUILT"}, rows)
		for _, d := range r.Differences {
			for _, row := range d.LiveRows {
				fmt.Fprintf(w, "live    %s %s\n", text.Safe(d.Table), text.Safe(row))
			}
			for _, row := range d.CopyRows {
				fmt.Fprintf(w, "rebuilt %s %s\n", text.Safe(d.Table), text.Safe(row))
			}
		}
	})
}

type rebuildSwap struct {
	rebuilding
	confirming
}

// Run is called by kong.
func (c *rebuildSwap) Run(ctx context.Context, s *streams) error {
	if err := c.confirm(s, "Make the rebuilt tables of %s the live ones?", text.Safe(c.Projection)); err != nil {
		return err
	}
	return c.step(ctx, s, admin.RebuildSwap, func(w io.Writer, _ admin.Rebuilt) {
		fmt.Fprintf(w, "The rebuilt view of %s is the live one.\n", text.Safe(c.Projection))
	})
}

type rebuildCancel struct {
	rebuilding
	confirming
}

// Run is called by kong.
func (c *rebuildCancel) Run(ctx context.Context, s *streams) error {
	if err := c.confirm(s, "Drop the rebuilt tables of %s?", text.Safe(c.Projection)); err != nil {
		return err
	}
	return c.step(ctx, s, admin.RebuildCancel, func(w io.Writer, _ admin.Rebuilt) {
		fmt.Fprintf(w, "The rebuild of %s is cancelled; the live view is as it was.\n", text.Safe(c.Projection))
	})
}
