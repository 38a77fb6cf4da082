package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Class is the connector's name.
const Class = "io.debezium.connector.postgresql.PostgresConnector"

// Connector is the source. Its zero value is ready for use.
type Connector struct{}

var _ plugin.Source = Connector{}

// Info names it.
func (Connector) Info() plugin.Info {
	return plugin.Info{Class: Class, Version: debezium.Version, Config: definition()}
}

// Check the options, and whether the database can be reached and is set up.
func (Connector) Check(ctx context.Context, cfg config.Values, wrong []config.Problem) []config.Problem {
	problems := debezium.CheckRelational(cfg)
	if _, err := newOptions(cfg); err != nil {
		var p config.Problem
		if errors.As(err, &p) && len(problems) == 0 {
			problems = append(problems, p)
		}
	}
	for _, p := range append(wrong, problems...) {
		switch p.Key {
		case "database.hostname", "database.port", "database.user", "database.password", "database.dbname", "slot.name", "plugin.name", "database.sslmode":
			return problems
		}
	}
	ctx, cancel := context.WithTimeout(ctx, max(cfg.Millis("connection.validation.timeout.ms"), 1))
	defer cancel()
	return append(problems, checkDatabase(ctx, cfg)...)
}

func checkDatabase(ctx context.Context, cfg config.Values) []config.Problem {
	at := func(key, format string, args ...any) []config.Problem {
		return []config.Problem{{Key: key, Message: fmt.Sprintf(format, args...)}}
	}
	c, err := connection(cfg)
	if err != nil {
		return at("database.hostname", "Error while validating connector config: %v", err)
	}
	db, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return at(keyOfFailure(err), "Error while validating connector config: %v", plain(err))
	}
	defer db.Close(context.WithoutCancel(ctx))
	var level, user string
	var login bool
	err = db.QueryRow(ctx, `SELECT current_setting('wal_level'), current_user::text,
		(SELECT rolcanlogin AND (rolreplication OR rolsuper) FROM pg_catalog.pg_roles WHERE rolname = current_user)
		OR EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname IN ('rds_superuser', 'rds_replication', 'rdsadmin', 'rdsrepladmin') AND pg_has_role(current_user, oid, 'member'))`).Scan(&level, &user, &login)
	switch {
	case err != nil:
		return at("database.hostname", "Error while validating connector config: %v", plain(err))
	case level != "logical":
		return at("database.hostname", "Error while validating connector config: the server's wal_level is %s: set it to logical and restart the server", level)
	case !login:
		return at("database.user", "Postgres roles LOGIN and REPLICATION are not assigned to user: %s", user)
	}
	return nil
}

// plain leaves out what names passwords or addresses twice.
func plain(err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused
	}
	return err
}

// keyOfFailure is what a connection that failed has wrong, as far as the server tells.
func keyOfFailure(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		switch refused.Code {
		case "28P01":
			return "database.password"
		case "28000":
			return "database.user"
		case "3D000":
			return "database.dbname"
		}
	}
	return "database.hostname"
}

// Tasks are one: a slot is read by one connection.
func (Connector) Tasks(cfg config.Values, _ int) ([]map[string]string, error) {
	return []map[string]string{cfg.All()}, nil
}

// Open a task.
func (Connector) Open(_ context.Context, c plugin.SourceContext) (plugin.SourceTask, error) {
	o, err := newOptions(c.Config)
	if err != nil {
		return nil, err
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return newTask(o, c, debezium.ContextHeaders(o.Settings, "postgresql", strconv.Itoa(c.Task), rand.Text())), nil
}

// CheckOffset says whether a task could start at a position.
func (Connector) CheckOffset(partition, offset map[string]any) error {
	if server, ok := partition["server"].(string); !ok || server == "" || len(partition) != 1 {
		return errors.New(`the partition must be {"server": <topic.prefix>}`)
	}
	if offset == nil {
		return nil
	}
	_, err := positionOf(partition, offset)
	return err
}
