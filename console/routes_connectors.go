package console

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

type connectorPath struct {
	Connector string `json:"connector"`
}

type classPath struct {
	Class string `json:"class"`
}

// checkingTime is what a check of a configuration may take beside answerTime: it waits for a
// database.
const checkingTime = 40 * time.Second

var connectorRoutes = []route{
	get("connectors", "Connectors, the failed ones first", func(c *Console, ctx context.Context, _ none) (api.ConnectorList, error) {
		return withConnectors(c, func(e api.Connectors) (api.ConnectorList, error) { return e.Connectors(ctx) })
	}),
	get("connectors/{connector}", "A connector with tasks, configuration and offsets", func(c *Console, ctx context.Context, q connectorPath) (api.Connector, error) {
		return withConnectors(c, func(e api.Connectors) (api.Connector, error) { return e.Connector(ctx, q.Connector) })
	}),
	get("connector-plugins", "Classes that there are connectors of", func(c *Console, ctx context.Context, _ none) (api.ConnectorPluginList, error) {
		return withConnectors(c, func(e api.Connectors) (api.ConnectorPluginList, error) { return e.ConnectorPlugins(ctx) })
	}),
	get("connector-plugins/{class}", "A class of connectors with its settings", func(c *Console, ctx context.Context, q classPath) (api.ConnectorPlugin, error) {
		return withConnectors(c, func(e api.Connectors) (api.ConnectorPlugin, error) { return e.ConnectorPlugin(ctx, q.Class) })
	}),
	post("connectors", "Create a connector, or check whether it could be", api.Admin,
		configuring("create connector"),
		func(c *Console, ctx context.Context, b api.ConnectorConfig) (api.ConnectorChecked, error) {
			return withConnectors(c, func(e api.Connectors) (api.ConnectorChecked, error) { return e.CreateConnector(ctx, b) })
		}),
	post("connectors/{connector}/config", "Change a connector's configuration, or check another one", api.Admin,
		configuring("configure connector"),
		func(c *Console, ctx context.Context, b api.ConnectorConfig) (api.ConnectorChecked, error) {
			return withConnectors(c, func(e api.Connectors) (api.ConnectorChecked, error) { return e.ConfigureConnector(ctx, b) })
		}),
	post("connectors/{connector}/act", "Pause, resume, stop or restart a connector", api.Operator,
		act[api.ActOnConnector]{name: "act on connector", target: func(b api.ActOnConnector) string { return b.Connector }}, actOnConnector),
	post("connectors/{connector}/delete", "Delete a connector", api.Admin,
		act[api.DeleteConnector]{name: "delete connector", target: func(b api.DeleteConnector) string { return b.Connector }},
		func(c *Console, ctx context.Context, b api.DeleteConnector) (api.ConnectorDone, error) {
			return withConnectors(c, func(e api.Connectors) (api.ConnectorDone, error) { return e.DeleteConnector(ctx, b) })
		}),
	post("connectors/{connector}/offsets", "Set where a stopped connector goes on", api.Admin,
		act[api.SetConnectorOffsets]{name: "set connector offsets", target: func(b api.SetConnectorOffsets) string { return b.Connector }, longer: checkingTime},
		setConnectorOffsets),
}

func configuring(name string) act[api.ConnectorConfig] {
	return act[api.ConnectorConfig]{name: name, target: func(b api.ConnectorConfig) string { return b.Connector },
		dryRun: func(b api.ConnectorConfig) bool { return b.DryRun }, longer: checkingTime}
}

func actOnConnector(c *Console, ctx context.Context, b api.ActOnConnector) (api.ConnectorDone, error) {
	if !slices.Contains(api.ConnectorActs, b.Do) {
		return api.ConnectorDone{}, api.BadField("do", "is %q, it must be one of %s", b.Do, strings.Join(api.ConnectorActs, ", "))
	}
	if b.Do != "restart" && (b.Task != nil || b.FailedOnly) {
		return api.ConnectorDone{}, api.BadField("do", "%s is of the whole connector: leave out task and failedOnly", b.Do)
	}
	return withConnectors(c, func(e api.Connectors) (api.ConnectorDone, error) { return e.ActOnConnector(ctx, b) })
}

func setConnectorOffsets(c *Console, ctx context.Context, b api.SetConnectorOffsets) (api.ConnectorDone, error) {
	if b.Reset == (len(b.Offsets) > 0) {
		return api.ConnectorDone{}, api.BadField("offsets", "give offsets, or reset to forget all; not both")
	}
	return withConnectors(c, func(e api.Connectors) (api.ConnectorDone, error) { return e.SetConnectorOffsets(ctx, b) })
}

func withConnectors[A any](c *Console, ask func(api.Connectors) (A, error)) (A, error) {
	if c.engines.Connectors == nil {
		var nothing A
		return nothing, fmt.Errorf("%w: connectors are off; pabal up --connect=127.0.0.1:8083, or another port, runs them", api.ErrNotFound)
	}
	return ask(c.engines.Connectors)
}
