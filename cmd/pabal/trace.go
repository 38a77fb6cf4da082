package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

// Help is what --help says about the subcommand.
func (traceCommand) Help() string {
	return `Shows every hop of a business transaction with its latency: request, outbox row, record
in the log, each consumer, and what is still missing. Where it is stuck, it says why, and
the command that mends it. Without an id, the newest transactions.`
}

type traceCommand struct {
	ID string `arg:"" optional:"" help:"Correlation id, key (such as the order's id) or event id."`
	listing
	asking
}

// Run is called by kong.
func (c *traceCommand) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		if c.ID == "" {
			return c.latest(ctx, s, client)
		}
		t, err := client.Trace(ctx, c.ID)
		if err != nil {
			return err
		}
		return c.show(s, t, func(w io.Writer) { writeTrace(w, t, paintFor(s.out)) })
	})
}

func (c *traceCommand) latest(ctx context.Context, s *streams, client *api.Client) error {
	if err := c.check(); err != nil {
		return err
	}
	page, err := collect(c.listing, func(q api.PageQuery) (api.Page[api.TraceSummary], error) {
		return client.Search(ctx, api.TraceQuery{PageQuery: q})
	})
	if err != nil {
		return err
	}
	defer c.more(s, page.Next)
	return c.show(s, page, func(w io.Writer) {
		var rows [][]string
		for _, t := range page.Items {
			rows = append(rows, []string{t.CorrelationID, t.Key, text.Number(t.Events), t.First, t.Last, text.Time(t.Begin), text.Micros(t.End.Sub(t.Begin).Microseconds())})
		}
		text.Table(w, []string{"CORRELATION", "KEY", "EVENTS", "FIRST", "LAST", "BEGUN", "TOOK"}, rows)
	})
}

func writeTrace(w io.Writer, t api.Trace, paint paint) {
	state := "complete"
	if !t.Complete {
		state = "not complete"
	}
	fields := []string{"correlation", t.CorrelationID, "keys", strings.Join(t.Keys, ", "), "begun", text.Time(t.Begin),
		"took", text.Micros(t.End.Sub(t.Begin).Microseconds()), "state", state}
	for _, one := range t.Sagas {
		fields = append(fields, "saga", fmt.Sprintf("%s %s of %s: %s", one.Name, one.ID, one.Service, strings.TrimSpace(string(one.Status)+" "+one.Current)))
	}
	text.Fields(w, fields...)
	fmt.Fprintln(w)
	var rows [][]string
	for _, n := range tree(t.Hops) {
		h := n.hop
		rows = append(rows, []string{strings.Repeat("  ", min(n.depth, 20)) + string(h.Kind), cmp.Or(h.Service, h.Consumer), where(h),
			eventType(h), string(h.State), latency(h), text.Cut(h.Detail, 80)})
	}
	text.Table(w, []string{"HOP", "BY", "WHERE", "EVENT", "STATE", "LATENCY", "DETAIL"}, rows)
	writeStuck(w, t.Stuck, paint)
	for _, g := range t.Gaps {
		fmt.Fprintf(w, "\nThe index skipped %s/%d from %d to %d; hops may be missing there.\n", text.Safe(g.Topic), g.Partition, g.From, g.To)
	}
	for _, note := range t.Notes {
		fmt.Fprintf(w, "\n%s\n", text.Safe(note))
	}
}

func writeStuck(w io.Writer, s *api.Stuck, paint paint) {
	if s == nil {
		return
	}
	fmt.Fprintf(w, "\n%s (%s) %s\n", paint.bad("Stuck:"), text.Safe(string(s.Cause)), text.Safe(s.Explanation))
	if a := s.Action; a != nil {
		fmt.Fprintf(w, "\n%s. %s\n", text.Safe(strings.TrimSuffix(a.Label, ".")), text.Safe(a.Safe))
		if a.Command != "" {
			fmt.Fprintf(w, "  %s\n", text.Safe(a.Command))
		}
	}
}

// node is a hop and how deep it stands in the tree.
type node struct {
	hop   api.Hop
	depth int
}

// tree puts each hop under its first parent, in the order they come; a hop whose
// parent is not there stands at the top.
func tree(hops []api.Hop) []node {
	children := map[string][]api.Hop{}
	known := map[string]bool{}
	for _, h := range hops {
		known[h.ID] = true
	}
	for _, h := range hops {
		parent := ""
		if i := slices.IndexFunc(h.Parents, func(p string) bool { return known[p] && p != h.ID }); i >= 0 {
			parent = h.Parents[i]
		}
		children[parent] = append(children[parent], h)
	}
	var all []node
	seen := map[string]bool{}
	var walk func(parent string, depth int)
	walk = func(parent string, depth int) {
		for _, h := range children[parent] {
			if !seen[h.ID] {
				seen[h.ID] = true
				all = append(all, node{h, depth})
				walk(h.ID, depth+1)
			}
		}
	}
	walk("", 0)
	for _, h := range hops { // parents in a circle
		if !seen[h.ID] {
			seen[h.ID] = true
			all = append(all, node{h, 0})
		}
	}
	return all
}

// where is a hop's place: a row, or topic, partition and offset.
func where(h api.Hop) string {
	switch {
	case h.Row > 0:
		return fmt.Sprintf("row %d", h.Row)
	case h.Kind == api.HopConsume:
		return cmp.Or(h.Consumer, h.Topic)
	case h.Partition != nil && h.Offset != nil:
		return fmt.Sprintf("%s/%d@%d", h.Topic, *h.Partition, *h.Offset)
	}
	return h.Topic
}

func eventType(h api.Hop) string {
	if h.Event == nil {
		return ""
	}
	return h.Event.Type
}

func latency(h api.Hop) string {
	l := text.Micros(h.LatencyMicros)
	if l != "" {
		l = "+" + l
	}
	return l
}

// paint colours text for a terminal; never colour alone says something.
type paint bool

func paintFor(out any) paint { return paint(isTerminal(out) && os.Getenv("NO_COLOR") == "") }

func (p paint) bad(s string) string {
	if !p {
		return s
	}
	return "\x1b[1;31m" + s + "\x1b[0m"
}
