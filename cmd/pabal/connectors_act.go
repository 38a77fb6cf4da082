package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

func actOnConnector(ctx context.Context, s *streams, asked asking, a api.ActOnConnector) error {
	return asked.connectorDone(ctx, s, func(ctx context.Context, client *api.Client) (api.ConnectorDone, error) {
		return client.ActOnConnector(ctx, a)
	})
}

// connectorDone does something and says what it came to.
func (a *asking) connectorDone(ctx context.Context, s *streams, do func(context.Context, *api.Client) (api.ConnectorDone, error)) error {
	return a.ask(ctx, func(ctx context.Context, client *api.Client) error {
		done, err := do(ctx, client)
		if err != nil {
			return err
		}
		return a.show(s, done, func(w io.Writer) { fmt.Fprintln(w, text.Safe(done.Said)) })
	})
}

type connectorsPause struct {
	oneConnector
	confirming
	asking
}

// Help is what --help says about the subcommand.
func (connectorsPause) Help() string {
	return `The database of a source keeps its log meanwhile: a replication slot of PostgreSQL that
nobody reads fills the disk in the end.`
}

// Run is called by kong.
func (c *connectorsPause) Run(ctx context.Context, s *streams) error {
	if err := c.confirm(s, "Pause connector %s?", text.Safe(c.Connector)); err != nil {
		return err
	}
	return actOnConnector(ctx, s, c.asking, api.ActOnConnector{Connector: c.Connector, Do: "pause"})
}

type connectorsResume struct {
	oneConnector
	asking
}

// Run is called by kong.
func (c *connectorsResume) Run(ctx context.Context, s *streams) error {
	return actOnConnector(ctx, s, c.asking, api.ActOnConnector{Connector: c.Connector, Do: "resume"})
}

type connectorsStop struct {
	oneConnector
	confirming
	asking
}

// Run is called by kong.
func (c *connectorsStop) Run(ctx context.Context, s *streams) error {
	if err := c.confirm(s, "End the tasks of connector %s?", text.Safe(c.Connector)); err != nil {
		return err
	}
	return actOnConnector(ctx, s, c.asking, api.ActOnConnector{Connector: c.Connector, Do: "stop"})
}

type connectorsRestart struct {
	oneConnector
	Task   *int `help:"Only this task." placeholder:"N"`
	Failed bool `help:"Only what has failed."`
	confirming
	asking
}

// Run is called by kong.
func (c *connectorsRestart) Run(ctx context.Context, s *streams) error {
	if c.Task != nil && c.Failed {
		return wrongUse("--task and --failed: give one of them")
	}
	if err := c.confirm(s, "Restart connector %s?", text.Safe(c.Connector)); err != nil {
		return err
	}
	return actOnConnector(ctx, s, c.asking, api.ActOnConnector{Connector: c.Connector, Do: "restart", Task: c.Task, FailedOnly: c.Failed})
}

type connectorsDelete struct {
	oneConnector
	confirming
	asking
}

// Help is what --help says about the subcommand.
func (connectorsDelete) Help() string {
	return `Its offsets and topics stay. So does what it made in its database: a replication slot of
PostgreSQL keeps WAL back until it is dropped (SELECT pg_drop_replication_slot('NAME')).`
}

// Run is called by kong.
func (c *connectorsDelete) Run(ctx context.Context, s *streams) error {
	if err := c.confirm(s, "Delete connector %s?", text.Safe(c.Connector)); err != nil {
		return err
	}
	return c.connectorDone(ctx, s, func(ctx context.Context, client *api.Client) (api.ConnectorDone, error) {
		return client.DeleteConnector(ctx, api.DeleteConnector{Connector: c.Connector})
	})
}

type connectorsOffsets struct {
	oneConnector
	Set   string `help:"Change these: {\"offsets\": [{\"partition\": {…}, \"offset\": {…}}]} as --output=json shows them; an offset of null is forgotten." placeholder:"JSON"`
	Reset bool   `help:"Forget all: it begins anew."`
	confirming
	asking
}

// Run is called by kong.
func (c *connectorsOffsets) Run(ctx context.Context, s *streams) error {
	change := api.SetConnectorOffsets{Connector: c.Connector, Reset: c.Reset}
	switch {
	case c.Set != "" && c.Reset:
		return wrongUse("--set and --reset: give one of them")
	case c.Set != "":
		var given struct {
			Offsets []api.ConnectorOffset `json:"offsets"`
		}
		if err := json.Unmarshal([]byte(c.Set), &given); err != nil || len(given.Offsets) == 0 {
			return wrongUse(`--set: it is not {"offsets": [{"partition": {…}, "offset": {…}}]}`)
		}
		change.Offsets = given.Offsets
	case !c.Reset:
		return c.shown(ctx, s)
	}
	if err := c.confirm(s, "Change where connector %s goes on?", text.Safe(c.Connector)); err != nil {
		return err
	}
	return c.connectorDone(ctx, s, func(ctx context.Context, client *api.Client) (api.ConnectorDone, error) {
		return client.SetConnectorOffsets(ctx, change)
	})
}

// connectorOffsets is what --set takes.
type connectorOffsets struct {
	Connector string                `json:"connector"`
	Offsets   []api.ConnectorOffset `json:"offsets"`
}

func (c *connectorsOffsets) shown(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		one, err := client.Connector(ctx, c.Connector)
		if err != nil {
			return err
		}
		if one.OffsetsProblem != "" {
			return fmt.Errorf("%w: the offsets are not known: %s", api.ErrUnavailable, one.OffsetsProblem)
		}
		return c.show(s, connectorOffsets{one.Name, one.Offsets}, func(w io.Writer) { writeConnectorOffsets(w, one) })
	})
}
