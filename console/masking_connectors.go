package console

import (
	"context"
	"encoding/json"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
)

// maskedConnectors hides what traces quote of records, and keys in the offsets of snapshots.
// Secrets of configurations are masked by who runs the connectors.
type maskedConnectors struct {
	wholeConnectors
	rules *mask.Rules
}

func (m maskedConnectors) Connectors(ctx context.Context) (api.ConnectorList, error) {
	list, err := m.wholeConnectors.Connectors(ctx)
	for i := range list.Items {
		hideWords(m.rules.HidesAny(ctx), &list.Items[i].Problem)
	}
	return list, err
}

// wholeConnectors is the engine under another name: it has a method of its own.
type wholeConnectors = api.Connectors

// hiddenOffset stands for an offset that may have keys in it.
var hiddenOffset = json.RawMessage(`"hidden from your role"`)

func (m maskedConnectors) Connector(ctx context.Context, name string) (api.Connector, error) {
	c, err := m.wholeConnectors.Connector(ctx, name)
	hide := m.rules.HidesAny(ctx)
	hideWords(hide, &c.Problem)
	hideWords(hide, &c.Trace)
	for i := range c.TaskList {
		hideWords(hide, &c.TaskList[i].Trace)
	}
	if c.Type == "source" && m.rules.HidesKeys(ctx) {
		for i := range c.Offsets {
			c.Offsets[i].Offset = hiddenOffset
		}
	}
	return c, err
}
