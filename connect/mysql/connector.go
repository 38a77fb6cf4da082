package mysql

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strconv"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Names of the connectors.
const (
	MariaDBClass = "io.debezium.connector.mariadb.MariaDbConnector"
	MySQLClass   = "io.debezium.connector.mysql.MySqlConnector"
)

// MariaDB is the source of MariaDB. Its zero value is ready for use.
type MariaDB struct{}

// MySQL is the source of MySQL. Its zero value is ready for use.
type MySQL struct{}

var (
	_ plugin.Source = MariaDB{}
	_ plugin.Source = MySQL{}
)

// Info names it.
func (MariaDB) Info() plugin.Info {
	return plugin.Info{Class: MariaDBClass, Version: debezium.Version, Config: mariadb.definition()}
}

// Info names it.
func (MySQL) Info() plugin.Info {
	return plugin.Info{Class: MySQLClass, Version: debezium.Version, Config: mysql.definition()}
}

// Check the options, and whether the server can be reached and is set up.
func (MariaDB) Check(ctx context.Context, cfg config.Values, wrong []config.Problem) []config.Problem {
	return mariadb.check(ctx, cfg, wrong)
}

// Check the options, and whether the server can be reached and is set up.
func (MySQL) Check(ctx context.Context, cfg config.Values, wrong []config.Problem) []config.Problem {
	return mysql.check(ctx, cfg, wrong)
}

// Tasks are one: the binary log is one.
func (MariaDB) Tasks(cfg config.Values, _ int) ([]map[string]string, error) {
	return []map[string]string{cfg.All()}, nil
}

// Tasks are one: the binary log is one.
func (MySQL) Tasks(cfg config.Values, _ int) ([]map[string]string, error) {
	return []map[string]string{cfg.All()}, nil
}

// Open a task.
func (MariaDB) Open(_ context.Context, c plugin.SourceContext) (plugin.SourceTask, error) {
	return mariadb.open(c)
}

// Open a task.
func (MySQL) Open(_ context.Context, c plugin.SourceContext) (plugin.SourceTask, error) {
	return mysql.open(c)
}

// CheckOffset says whether a task could start at a position.
func (MariaDB) CheckOffset(partition, offset map[string]any) error {
	return mariadb.checkOffset(partition, offset)
}

// CheckOffset says whether a task could start at a position.
func (MySQL) CheckOffset(partition, offset map[string]any) error {
	return mysql.checkOffset(partition, offset)
}

func (f flavor) open(c plugin.SourceContext) (plugin.SourceTask, error) {
	o, err := newOptions(f, c.Config)
	if err != nil {
		return nil, err
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return newTask(o, c, debezium.ContextHeaders(o.Settings, string(f), strconv.Itoa(c.Task), rand.Text())), nil
}

func (f flavor) checkOffset(partition, offset map[string]any) error {
	if server, ok := partition["server"].(string); !ok || server == "" || len(partition) != 1 {
		return errors.New(`the partition must be {"server": <topic.prefix>}`)
	}
	if offset == nil {
		return nil
	}
	_, err := positionOf(f, partition, offset)
	return err
}
