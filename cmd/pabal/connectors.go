package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

type connectorsCommand struct {
	List     connectorsList     `cmd:"" default:"withargs" help:"List connectors, the failed ones first."`
	Show     connectorsShow     `cmd:"" help:"Show a connector: tasks, traces, configuration, offsets."`
	Slots    connectorsSlots    `cmd:"" help:"List replication slots of their databases, and what log these keep."`
	Plugins  connectorsPlugins  `cmd:"" help:"List the classes of connectors, or the settings of one."`
	Validate connectorsValidate `cmd:"" help:"Check a configuration, and change nothing."`
	Create   connectorsCreate   `cmd:"" help:"Create a connector, or replace its configuration."`
	Pause    connectorsPause    `cmd:"" help:"Have a connector's tasks wait."`
	Resume   connectorsResume   `cmd:"" help:"Let a paused or stopped connector go on."`
	Stop     connectorsStop     `cmd:"" help:"End a connector's tasks, so that its offsets can be changed."`
	Restart  connectorsRestart  `cmd:"" help:"Start a connector again, or one of its tasks."`
	Delete   connectorsDelete   `cmd:"" help:"Delete a connector."`
	Offsets  connectorsOffsets  `cmd:"" help:"Show where a connector goes on, and change that while it is stopped."`
}

type connectorsList struct{ asking }

// Run is called by kong.
func (c *connectorsList) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		list, err := client.Connectors(ctx)
		if err != nil {
			return err
		}
		notAsked(s, list.Problems)
		return c.show(s, list, func(w io.Writer) {
			var rows [][]string
			for _, one := range list.Items {
				rows = append(rows, []string{one.Name, one.State, one.Type, one.Class, strconv.Itoa(one.Tasks), numberOrNone(one.Failed), behind(one), text.Time(one.LastEvent),
					strings.Join(one.Workers, ","), text.Cut(strings.Join(append(one.Alarms, one.Problem), " "), 160)})
			}
			text.Table(w, []string{"CONNECTOR", "STATE", "KIND", "CLASS", "TASKS", "FAILED", "BEHIND", "LAST RECORD", "WORKER", "PROBLEM"}, rows)
		})
	})
}

// behind is the lag of a sink in records, and of a source in time.
func behind(c api.ConnectorSummary) string {
	switch {
	case c.Type == "sink" && c.Lag >= 0:
		return text.Number(c.Lag) + " records"
	case c.Type != "sink" && c.BehindMillis >= 0:
		return text.Micros(c.BehindMillis * 1000)
	}
	return ""
}

// oneConnector is the argument of what is asked about one.
type oneConnector struct {
	Connector string `arg:"" help:"Its name."`
}

type connectorsShow struct {
	oneConnector
	asking
}

// Run is called by kong.
func (c *connectorsShow) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		one, err := client.Connector(ctx, c.Connector)
		if err != nil {
			return err
		}
		notAsked(s, one.Problems)
		return c.show(s, one, func(w io.Writer) { writeConnector(w, one) })
	})
}

func writeConnector(w io.Writer, c api.Connector) {
	text.Fields(w, "connector", c.Name, "state", c.State, "kind", c.Type, "class", c.Class, "group", c.Group, "behind", behind(c.ConnectorSummary), "last record", text.Time(c.LastEvent),
		"topics", strings.Join(c.Topics, ", "), "problem", c.Problem, "alarm", strings.Join(c.Alarms, " "))
	fmt.Fprintln(w)
	var rows [][]string
	for _, t := range c.TaskList {
		rows = append(rows, append([]string{strconv.Itoa(t.Task), t.State, t.Worker}, progressOf(t.Progress)...))
	}
	text.Table(w, []string{"TASK", "STATE", "WORKER", "RECORDS", "SNAPSHOT"}, rows)
	for _, t := range c.TaskList {
		if t.Trace != "" {
			fmt.Fprintf(w, "\nTask %d failed: %s\n", t.Task, safeLines(strings.TrimSpace(t.Trace)))
		}
	}
	if len(c.Slots) > 0 {
		fmt.Fprintln(w)
		writeSlots(w, c.Slots)
	}
	fmt.Fprintln(w)
	writeConnectorOffsets(w, c)
	fmt.Fprintln(w)
	rows = nil
	for _, name := range slices.Sorted(maps.Keys(c.Config)) {
		rows = append(rows, []string{name, c.Config[name]})
	}
	text.Table(w, []string{"SETTING", "VALUE"}, rows)
}

// progressOf has how many records a task has made, and how far its snapshot is.
func progressOf(p *api.ConnectorProgress) []string {
	if p == nil {
		return []string{"", ""}
	}
	snapshot := ""
	if s := p.Snapshot; s != nil {
		snapshot = fmt.Sprintf("%d rows", s.Rows)
		if s.Tables > 0 {
			snapshot = fmt.Sprintf("%d of %d tables, %s", s.TablesDone, s.Tables, snapshot)
		}
		if s.Running {
			snapshot = "running: " + snapshot
		}
	}
	return []string{text.Number(p.Events), snapshot}
}

func writeConnectorOffsets(w io.Writer, c api.Connector) {
	if c.OffsetsProblem != "" {
		fmt.Fprintf(w, "Its offsets are not known: %s\n", text.Safe(c.OffsetsProblem))
		return
	}
	var rows [][]string
	for _, o := range c.Offsets {
		rows = append(rows, []string{string(o.Partition), string(o.Offset)})
	}
	text.Table(w, []string{"OF", "IT GOES ON AT"}, rows)
}

type connectorsSlots struct{ asking }

// Help is what --help says about the subcommand.
func (connectorsSlots) Help() string {
	return `PostgreSQL keeps its log from where the slowest slot stands; one that nobody reads fills the
disk in the end. Abandoned slots are those that nobody reads and no connector has.`
}

// Run is called by kong.
func (c *connectorsSlots) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		list, err := client.Connectors(ctx)
		if err != nil {
			return err
		}
		notAsked(s, list.Problems)
		return c.show(s, list.Slots, func(w io.Writer) { writeSlots(w, list.Slots) })
	})
}

func writeSlots(w io.Writer, all []api.ConnectorSlot) {
	var rows [][]string
	for _, one := range all {
		state := "not read"
		switch {
		case one.Active:
			state = "active"
		case one.Abandoned():
			state = "abandoned"
		}
		rows = append(rows, []string{one.Name, one.Server, one.Connector, state, text.Number(one.RetainedBytes), one.WALStatus, one.RestartLSN, one.ConfirmedLSN, one.Problem})
	}
	text.Table(w, []string{"SLOT", "SERVER", "CONNECTOR", "STATE", "BYTES OF LOG KEPT", "LOG", "KEPT FROM", "TAKEN UP TO", "PROBLEM"}, rows)
}

type connectorsPlugins struct {
	Class string `arg:"" optional:"" help:"Show the settings of this class."`
	asking
}

// Run is called by kong.
func (c *connectorsPlugins) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		if c.Class != "" {
			return c.settings(ctx, s, client)
		}
		list, err := client.ConnectorPlugins(ctx)
		if err != nil {
			return err
		}
		return c.show(s, list, func(w io.Writer) {
			var rows [][]string
			for _, p := range list.Items {
				rows = append(rows, []string{p.Class, p.Type, p.Version})
			}
			text.Table(w, []string{"CLASS", "KIND", "VERSION"}, rows)
		})
	})
}

func (c *connectorsPlugins) settings(ctx context.Context, s *streams, client *api.Client) error {
	p, err := client.ConnectorPlugin(ctx, c.Class)
	if err != nil {
		return err
	}
	return c.show(s, p, func(w io.Writer) {
		var rows [][]string
		for _, one := range p.Settings {
			required := ""
			if one.Required {
				required = "yes"
			}
			rows = append(rows, []string{one.Name, one.Type, required, one.Default, one.Importance})
		}
		text.Table(w, []string{"SETTING", "TYPE", "REQUIRED", "DEFAULT", "IMPORTANCE"}, rows)
	})
}
