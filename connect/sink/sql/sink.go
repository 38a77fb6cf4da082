package sql

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Class is the name that configurations give in connector.class.
const Class = "io.debezium.connector.jdbc.JdbcSinkConnector"

// Sink is Debezium's JDBC sink connector, for PostgreSQL, MariaDB and MySQL.
type Sink struct{}

var _ plugin.Sink = Sink{}

// Info implements plugin.Connector.
func (Sink) Info() plugin.Info {
	return plugin.Info{Class: Class, Version: debezium.Version, Config: definition}
}

// Check implements plugin.Connector: it connects, too.
func (Sink) Check(ctx context.Context, v config.Values, wrong []config.Problem) []config.Problem {
	s, problems := debeziumSettings(v)
	return s.checkConnection(ctx, problems, wrong)
}

// Tasks implements plugin.Connector: all do the same for other partitions.
func (Sink) Tasks(v config.Values, most int) ([]map[string]string, error) {
	all := make([]map[string]string, max(most, 1))
	for i := range all {
		all[i] = v.All()
	}
	return all, nil
}

// Open implements plugin.Sink.
func (Sink) Open(_ context.Context, c plugin.SinkContext) (plugin.SinkTask, error) {
	return open(debeziumSettings(c.Config))
}

func open(s *settings, problems []config.Problem) (plugin.SinkTask, error) {
	if len(problems) > 0 {
		return nil, fmt.Errorf("%w: %w", config.ErrConfig, problems[0])
	}
	if err := checkURL(s.url); err != nil {
		return nil, fmt.Errorf("%w: sql: connection.url: %w", config.ErrConfig, err)
	}
	return &task{settings: s, tables: map[tableName]*table{}}, nil
}
