package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

type streamsCommand struct {
	List     streamsList     `cmd:"" default:"withargs" help:"List stream processing applications with their lag."`
	Describe streamsDescribe `cmd:"" help:"Show an application: instances, tasks, stores, topology."`
	Query    streamsQuery    `cmd:"" help:"Read a store of an application."`
	Pause    streamsPause    `cmd:"" help:"Stop an application's processing, in every instance."`
	Resume   streamsResume   `cmd:"" help:"Let a paused application go on."`
	Reset    streamsReset    `cmd:"" help:"Have an application that nobody runs begin anew."`
}

type streamsList struct {
	Service string `help:"Only those of this service." placeholder:"SERVICE"`
	asking
}

// Run is called by kong.
func (c *streamsList) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		list, err := client.StreamsApps(ctx)
		if err != nil {
			return err
		}
		if c.Service != "" {
			list.Items = keep(list.Items, func(a api.StreamsSummary) bool {
				return strings.Contains(","+strings.Join(a.Services, ",")+",", ","+c.Service+",")
			})
		}
		notAsked(s, list.Problems)
		return c.show(s, list, func(w io.Writer) {
			var rows [][]string
			for _, a := range list.Items {
				rows = append(rows, []string{a.Application, a.State, strings.Join(a.Services, ","), strconv.Itoa(a.Instances), strconv.Itoa(a.Tasks), numberOrNone(a.Restoring),
					text.Number(a.Lag), perSecond(a.Rate), text.Number(a.DeadLetters), text.Number(a.DiskBytes), text.Cut(strings.Join(a.Problems, "; "), 80)})
			}
			text.Table(w, []string{"APPLICATION", "STATE", "SERVICES", "INSTANCES", "TASKS", "RESTORING", "RECORDS BEHIND", "PER SECOND", "DEAD LETTERS", "BYTES OF STORES", "PROBLEM"}, rows)
		})
	})
}

func perSecond(rate float64) string { return strconv.FormatFloat(rate, 'f', 1, 64) }

// oneApplication is the argument of what is asked about one.
type oneApplication struct {
	Application string `arg:"" help:"Its name: the application id, after the tenant's prefix."`
}

type streamsDescribe struct {
	oneApplication
	asking
}

// Run is called by kong.
func (c *streamsDescribe) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		app, err := client.StreamsApp(ctx, c.Application)
		if err != nil {
			return err
		}
		notAsked(s, app.Away)
		return c.show(s, app, func(w io.Writer) { writeApplication(w, app) })
	})
}

func writeApplication(w io.Writer, a api.StreamsApp) {
	text.Fields(w, "application", a.Application, "state", a.State, "services", strings.Join(a.Services, ", "), "records behind", text.Number(a.Lag), "records per second", perSecond(a.Rate),
		"records", text.Number(a.Records), "left out", text.Number(a.Dropped), "dead letters", text.Number(a.DeadLetters), "bytes of stores", text.Number(a.DiskBytes), "bytes of memory", text.Number(a.MemoryBytes))
	for _, problem := range a.Problems {
		fmt.Fprintf(w, "\nProblem: %s\n", text.Safe(problem))
	}
	writeInstances(w, a)
	writeTasks(w, a)
	writeStores(w, a)
	switch {
	case a.Topology != nil:
		fmt.Fprintf(w, "\n%s", safeLines(strings.TrimSpace(a.Topology.Description)+"\n"))
	case a.TopologyProblem != "":
		fmt.Fprintf(w, "\nThe topology is not known: %s\n", text.Safe(a.TopologyProblem))
	}
}

func writeInstances(w io.Writer, a api.StreamsApp) {
	fmt.Fprintln(w)
	var rows [][]string
	for _, p := range a.Parts {
		state := p.State
		if p.Paused {
			state += " (paused)"
		}
		rows = append(rows, []string{p.Service, p.Instance, state, strconv.Itoa(p.Workers), strconv.Itoa(len(p.Tasks)), text.Number(p.Lag), perSecond(p.Rate),
			text.Number(p.Commits), text.Number(p.Aborts), strconv.FormatFloat(p.CommitMs, 'f', 1, 64), text.Cut(p.Problem, 80)})
	}
	text.Table(w, []string{"SERVICE", "INSTANCE", "STATE", "WORKERS", "TASKS", "RECORDS BEHIND", "PER SECOND", "COMMITS", "ABORTS", "MS PER COMMIT", "PROBLEM"}, rows)
}

func writeTasks(w io.Writer, a api.StreamsApp) {
	var rows [][]string
	for _, p := range a.Parts {
		for _, t := range p.Tasks {
			rows = append(rows, []string{t.Task, p.Instance, strconv.Itoa(t.Worker), t.State, text.Number(t.Lag), text.Number(t.Processed), text.Number(t.Produced),
				text.Number(t.DroppedRecords()), text.Number(t.DeadLetters), text.Time(t.StreamTime)})
		}
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(w)
	text.Table(w, []string{"TASK", "INSTANCE", "WORKER", "STATE", "RECORDS BEHIND", "PROCESSED", "PRODUCED", "LEFT OUT", "DEAD LETTERS", "STREAM TIME"}, rows)
}

func writeStores(w io.Writer, a api.StreamsApp) {
	all := a.StoreTotals()
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(w)
	var rows [][]string
	for _, s := range all {
		restoring := ""
		if s.Restoring > 0 {
			restoring = fmt.Sprintf("%d (%d records left)", s.Restoring, s.Behind)
		}
		rows = append(rows, []string{s.Name, strconv.Itoa(s.Partitions), keysOf(s.Keys), text.Number(s.Bytes), restoring, numberOrNone(s.Standbys)})
	}
	text.Table(w, []string{"STORE", "PARTITIONS", "KEYS", "BYTES", "RESTORING", "STANDBYS"}, rows)
}

func keysOf(n int64) string {
	if n < 0 {
		return "not known"
	}
	return text.Number(n)
}

type streamsPause struct {
	oneApplication
	confirming
	asking
}

// Help is what --help says about the subcommand.
func (streamsPause) Help() string {
	return `It stays a member of its group, and its standbys follow on. An instance that starts
after that, or again, is not paused.`
}

// Run is called by kong.
func (c *streamsPause) Run(ctx context.Context, s *streams) error {
	if err := c.confirm(s, "Stop the processing of %s?", text.Safe(c.Application)); err != nil {
		return err
	}
	return pauseStreams(ctx, s, c.asking, c.Application, true, "is paused in %d of its instances; `pabal streams resume %s` lets it go on.")
}

type streamsResume struct {
	oneApplication
	asking
}

// Run is called by kong.
func (c *streamsResume) Run(ctx context.Context, s *streams) error {
	return pauseStreams(ctx, s, c.asking, c.Application, false, "goes on in %d of its instances.%.0s")
}

func pauseStreams(ctx context.Context, s *streams, asked asking, application string, paused bool, done string) error {
	return asked.ask(ctx, func(ctx context.Context, client *api.Client) error {
		p := api.PauseStreams{Application: application, Paused: paused}
		n, err := client.PauseStreams(ctx, p)
		if err != nil {
			return err
		}
		return asked.show(s, p, func(w io.Writer) {
			fmt.Fprintf(w, "%s "+done+"\n", text.Safe(application), n.Count, text.Safe(application))
		})
	})
}
