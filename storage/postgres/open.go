package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Open connects to the database, creates or updates Pabal's tables in the schema
// and returns once both is done. url is "postgres://user:password@host:port/db"
// with libpq's parameters and those of pgxpool. ctx bounds the opening only; a
// connection attempt ends after 10 s (the URL's connect_timeout) at the latest.
// Its errors are one line, and never show the password.
func Open(ctx context.Context, url string, config Config) (*DB, error) {
	settings, err := poolSettings(url, config)
	if err != nil {
		return nil, err
	}
	schema, err := schemaOf(config, settings)
	if err != nil {
		return nil, err
	}
	if config.Schema != "" {
		settings.ConnConfig.RuntimeParams["search_path"] = pgx.Identifier{schema}.Sanitize()
	}
	db := &DB{schema: schema, source: config.Source, names: newNames(schema), log: config.Logger, waker: newWaker()}
	if db.log == nil {
		db.log = slog.Default()
	}
	if err := db.prepare(ctx, settings); err != nil {
		return nil, err
	}
	if db.pool, err = pgxpool.NewWithConfig(ctx, settings); err != nil {
		return nil, connectError(&settings.ConnConfig.Config, err)
	}
	db.running, db.stop = context.WithCancel(context.Background())
	db.work.Go(db.notifyLoop)
	return db, nil
}

const defaultConnectTimeout = 10 * time.Second

// keepAlive makes the server notice within a minute that the machine of a client
// is gone: until then its transaction holds lanes and the outbox's lock. It is
// not sent with the connection's start, where PgBouncer would refuse it.
const keepAlive = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"

func setKeepAlive(ctx context.Context, conn *pgx.Conn) error {
	return conn.PgConn().Exec(ctx, keepAlive).Close()
}

func poolSettings(url string, config Config) (*pgxpool.Config, error) {
	settings, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("postgres: the connection string cannot be read: %s (expected postgres://user:password@host:port/database)", oneLine(err))
	}
	if config.MaxConns > 0 {
		settings.MaxConns = config.MaxConns
	}
	params := settings.ConnConfig.RuntimeParams
	settings.AfterConnect = setKeepAlive
	if params["application_name"] == "" {
		params["application_name"] = "pabal"
	}
	if settings.ConnConfig.ConnectTimeout == 0 {
		settings.ConnConfig.ConnectTimeout = defaultConnectTimeout
	}
	return settings, nil
}

func schemaOf(config Config, settings *pgxpool.Config) (string, error) {
	schema := config.Schema
	if schema == "" {
		schema = firstOfPath(settings.ConnConfig.RuntimeParams["search_path"])
	}
	if schema == "" {
		schema = "public"
	}
	return schema, checkSchema(schema)
}

// firstOfPath reads the first name of a search_path as PostgreSQL does: folded
// to lower case unless it is quoted.
func firstOfPath(path string) string {
	path = strings.TrimSpace(path)
	if !strings.HasPrefix(path, `"`) {
		name, _, _ := strings.Cut(path, ",")
		return strings.ToLower(strings.TrimSpace(name))
	}
	var name strings.Builder
	for rest := path[1:]; ; {
		part, after, closed := strings.Cut(rest, `"`)
		name.WriteString(part)
		if !closed || !strings.HasPrefix(after, `"`) {
			return name.String()
		}
		name.WriteByte('"')
		rest = after[1:]
	}
}

const maxNameBytes = 63

func checkSchema(name string) error {
	switch {
	case len(name) > maxNameBytes:
		return fmt.Errorf("postgres: schema name %.20q… has %d bytes, PostgreSQL takes at most %d", name, len(name), maxNameBytes)
	case !utf8.ValidString(name) || strings.Contains(name, "\x00"):
		return fmt.Errorf("postgres: schema name %q is not UTF-8 or has a NUL character", name)
	case strings.HasPrefix(name, "pg_") || name == "information_schema":
		return fmt.Errorf("postgres: schema name %q is reserved by PostgreSQL, choose another one", name)
	}
	return nil
}

// prepare does over one connection what must be done before the pool is used.
func (db *DB) prepare(ctx context.Context, settings *pgxpool.Config) error {
	conn, err := pgx.ConnectConfig(ctx, settings.ConnConfig)
	if err != nil {
		return connectError(&settings.ConnConfig.Config, err)
	}
	defer conn.Close(ctx)
	if err := db.checkServer(ctx, conn, settings); err != nil {
		return err
	}
	if err := db.createSchema(ctx, conn); err != nil {
		return err
	}
	if err := migrate(ctx, conn, db.names, db.schema, ownMigrations, ownFiles()); err != nil {
		return err
	}
	return conn.QueryRow(ctx, db.names.sql(outboxChannel)).Scan(&db.waker.channel)
}

const oldestVersion = 130000

func (db *DB) checkServer(ctx context.Context, conn *pgx.Conn, settings *pgxpool.Config) error {
	var version int
	var encoding, sync string
	var standby bool
	err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, pg_is_in_recovery(),
		current_setting('server_encoding'), current_setting('synchronous_commit')`).Scan(&version, &standby, &encoding, &sync)
	where := address(&settings.ConnConfig.Config)
	switch {
	case err != nil:
		return failed("ask the server for its version", err)
	case version < oldestVersion:
		return fmt.Errorf("postgres: the server at %s has version %d, 13 or later is needed", where, version/10000)
	case standby:
		return fmt.Errorf("postgres: the server at %s is a standby and read-only, name the primary (or several hosts with target_session_attrs=read-write)", where)
	case encoding != "UTF8":
		return fmt.Errorf("postgres: database %q at %s has encoding %s, create it with UTF8", settings.ConnConfig.Database, where, encoding)
	}
	if sync == "off" {
		// What was published must not be forgotten by a crash.
		db.log.Warn("postgres: synchronous_commit is off for this user or database, Pabal's connections turn it on")
		settings.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
	}
	return nil
}

// createSchema asks for no right to create one that is there.
func (db *DB) createSchema(ctx context.Context, conn *pgx.Conn) error {
	var there bool
	err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", db.schema).Scan(&there)
	if err == nil && !there {
		err = locked(ctx, conn, "create schema", func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{db.schema}.Sanitize())
			return err
		})
	}
	if err != nil {
		return failed(fmt.Sprintf("create schema %q", db.schema), err)
	}
	return nil
}
