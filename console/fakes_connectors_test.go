package console

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pabal-dev/pabal/console/api"
)

var (
	aConnector = api.Connector{
		ConnectorSummary: api.ConnectorSummary{Name: "orders", Class: "io.x.PostgresConnector", Type: "source", State: "FAILED", Workers: []string{"w1"}, Tasks: 1, Failed: 1, Problem: "card 4111", Lag: -1, BehindMillis: 5, Snapshot: &api.ConnectorSnapshot{Began: at0}},
		Trace:            "card 4111", TaskList: []api.ConnectorTask{{Task: 0, State: "FAILED", Worker: "w1", Trace: "card 4111\nat x", Progress: &api.ConnectorProgress{LastEvent: at0}}}, Slots: []api.ConnectorSlot{{Name: "orders", At: at0}},
		Config: map[string]string{"connector.class": "io.x.PostgresConnector", "database.password": "********"}, Topics: []string{"p.orders"},
		Offsets: []api.ConnectorOffset{{Partition: json.RawMessage(`{"server":"p"}`), Offset: json.RawMessage(`{"lsn":5,"key":"card"}`)}},
	}
	aPlugin = api.ConnectorPlugin{Class: "io.x.PostgresConnector", Type: "source", Version: "3.6", Settings: []api.ConnectorSetting{
		{Name: "snapshot.mode", Type: "STRING", Default: "initial", Importance: "MEDIUM", Recommended: []string{"initial", "never"}}}}
)

func (f *fake) Connectors(ctx context.Context) (api.ConnectorList, error) {
	return called(f, ctx, "connectors", api.ConnectorList{Items: []api.ConnectorSummary{aConnector.ConnectorSummary}})
}

func (f *fake) Connector(ctx context.Context, name string) (api.Connector, error) {
	c := aConnector
	c.TaskList = append([]api.ConnectorTask(nil), c.TaskList...)
	c.Offsets = append([]api.ConnectorOffset(nil), c.Offsets...)
	return called(f, ctx, "connector "+name, c)
}

func (f *fake) ConnectorPlugins(ctx context.Context) (api.ConnectorPluginList, error) {
	return called(f, ctx, "plugins", api.ConnectorPluginList{Items: []api.ConnectorPlugin{{Class: aPlugin.Class, Type: "source"}}})
}

func (f *fake) ConnectorPlugin(ctx context.Context, class string) (api.ConnectorPlugin, error) {
	return called(f, ctx, "plugin "+class, aPlugin)
}

func (f *fake) CreateConnector(ctx context.Context, c api.ConnectorConfig) (api.ConnectorChecked, error) {
	return called(f, ctx, fmt.Sprintf("create connector %+v", c), api.ConnectorChecked{Connector: c.Connector, DryRun: c.DryRun, Problems: []api.ConnectorProblem{{Setting: "a", Detail: "b"}}})
}

func (f *fake) ConfigureConnector(ctx context.Context, c api.ConnectorConfig) (api.ConnectorChecked, error) {
	return called(f, ctx, fmt.Sprintf("configure connector %+v", c), api.ConnectorChecked{Connector: c.Connector, Warnings: []string{"x has no effect"}})
}

func (f *fake) ActOnConnector(ctx context.Context, a api.ActOnConnector) (api.ConnectorDone, error) {
	task := -1
	if a.Task != nil {
		task = *a.Task
	}
	return called(f, ctx, fmt.Sprintf("%s connector %s task %d failed %v", a.Do, a.Connector, task, a.FailedOnly), api.ConnectorDone{Connector: a.Connector, Said: "done"})
}

func (f *fake) DeleteConnector(ctx context.Context, d api.DeleteConnector) (api.ConnectorDone, error) {
	return called(f, ctx, "delete connector "+d.Connector, api.ConnectorDone{Connector: d.Connector})
}

func (f *fake) SetConnectorOffsets(ctx context.Context, o api.SetConnectorOffsets) (api.ConnectorDone, error) {
	return called(f, ctx, fmt.Sprintf("offsets %s reset %v %s", o.Connector, o.Reset, o.Offsets), api.ConnectorDone{Connector: o.Connector})
}
