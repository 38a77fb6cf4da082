package pages_test

import (
	"context"
	"encoding/json"

	"github.com/pabal-dev/pabal/console/api"
)

const postgresClass = "io.debezium.connector.postgresql.PostgresConnector"

var (
	connectorSnapshot = &api.ConnectorSnapshot{Running: true, Began: before(60), Rows: 1100, Table: "public.orders", TablesDone: 2, Tables: 5}
	connectorSlot     = api.ConnectorSlot{Name: "orders", Server: "db:5432", Database: "shop", Connector: "orders-source", RestartLSN: "0/16B3748", ConfirmedLSN: "0/16B3780", RetainedBytes: 3 << 30,
		WALStatus: "unreserved", At: before(5), Rule: "slot-unreserved", Problem: "the server may remove it any moment"}
	connectorSource = api.Connector{
		ConnectorSummary: api.ConnectorSummary{Name: "orders-source", Class: postgresClass, Type: "source", State: "FAILED", Workers: []string{"127.0.0.1:8083-abcdef"}, Tasks: 1, Failed: 1,
			BehindMillis: 1500, LastEvent: before(3), Snapshot: connectorSnapshot, Alarms: []string{connectorSlot.Problem},
			Problem: `replication slot "orders" does not exist`, Lag: -1},
		Trace: "it could not be started",
		TaskList: []api.ConnectorTask{{Task: 0, State: "FAILED", Worker: "127.0.0.1:8083-abcdef", Trace: "replication slot \"orders\" does not exist\nat a\nat b",
			Progress: &api.ConnectorProgress{Events: 1200, LastEvent: before(3), BehindMillis: 1500, QueueBytes: 5 << 20, QueueLimit: 32 << 20, Snapshot: connectorSnapshot, IncrementalRows: 77}}},
		Config: map[string]string{"connector.class": postgresClass, "database.password": "********", "slot.name": "orders", "topic.prefix": "shop"},
		Topics: []string{"shop.public.orders"}, Problems: []string{"status: a worker does not answer"},
		Slots:   []api.ConnectorSlot{connectorSlot},
		Log:     &api.ConnectorLog{Connector: "orders-source", Server: "db:3306", Kind: "binary log", First: "b.1", Last: "b.3", Next: "b.2", BehindSeconds: 7200, BehindFiles: 1, BehindBytes: 5 << 20, KeptSeconds: 864000},
		Offsets: []api.ConnectorOffset{{Partition: json.RawMessage(`{"server":"shop"}`), Offset: json.RawMessage(`{"lsn":1234}`)}},
	}
	connectorSink = api.Connector{
		ConnectorSummary: api.ConnectorSummary{Name: "orders-sink", Class: "io.debezium.connector.jdbc.JdbcSinkConnector", Type: "sink", State: "STOPPED", Workers: []string{}, Group: "shop.connect-orders-sink", Lag: 7},
		TaskList:         []api.ConnectorTask{}, Config: map[string]string{"topics": "orders"}, OffsetsProblem: "Kafka is away",
	}
	connectorPlugin = api.ConnectorPlugin{Class: postgresClass, Type: "source", Version: "3.6.1.Final", Settings: []api.ConnectorSetting{
		{Name: "name", Type: "STRING", Required: true}, {Name: "connector.class", Type: "STRING", Required: true},
		{Name: "database.hostname", Type: "STRING", Required: true, Importance: "HIGH", Label: "Hostname", Documentation: "Where the database is."},
		{Name: "database.password", Type: "PASSWORD", Importance: "HIGH", Label: "Password"},
		{Name: "snapshot.mode", Type: "STRING", Default: "initial", Importance: "MEDIUM", Recommended: []string{"initial", "never"}},
		{Name: "tombstones.on.delete", Type: "BOOLEAN", Default: "true", Importance: "MEDIUM"},
	}}
)

func (f fake) Connectors(ctx context.Context) (api.ConnectorList, error) {
	return answer(ctx, f, api.ConnectorList{Items: []api.ConnectorSummary{connectorSource.ConnectorSummary, connectorSink.ConnectorSummary}, Slots: []api.ConnectorSlot{connectorSlot, {Name: "old", Server: "db:5432", RetainedBytes: -1, WALStatus: "lost"}, {Name: "gone", Server: "db:5432", Connector: "gone", Deleted: true, WALStatus: "reserved"}, {Name: "good", Server: "db:5432", Connector: "good", Active: true}},
		Problems: []string{"lag of x: Kafka is away"}})
}

func (f fake) Connector(ctx context.Context, name string) (api.Connector, error) {
	if name == connectorSink.Name {
		return answer(ctx, f, connectorSink)
	}
	return answer(ctx, f, connectorSource)
}

func (f fake) ConnectorPlugins(ctx context.Context) (api.ConnectorPluginList, error) {
	return answer(ctx, f, api.ConnectorPluginList{Items: []api.ConnectorPlugin{{Class: postgresClass, Type: "source", Version: "3.6.1.Final"}}})
}

func (f fake) ConnectorPlugin(ctx context.Context, _ string) (api.ConnectorPlugin, error) {
	return answer(ctx, f, connectorPlugin)
}

func (f fake) CreateConnector(context.Context, api.ConnectorConfig) (api.ConnectorChecked, error) {
	panic("a page acts")
}

func (f fake) ConfigureConnector(context.Context, api.ConnectorConfig) (api.ConnectorChecked, error) {
	panic("a page acts")
}

func (f fake) ActOnConnector(context.Context, api.ActOnConnector) (api.ConnectorDone, error) {
	panic("a page acts")
}

func (f fake) DeleteConnector(context.Context, api.DeleteConnector) (api.ConnectorDone, error) {
	panic("a page acts")
}

func (f fake) SetConnectorOffsets(context.Context, api.SetConnectorOffsets) (api.ConnectorDone, error) {
	panic("a page acts")
}
