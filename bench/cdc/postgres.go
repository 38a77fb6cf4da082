package cdc

import (
	"context"
	_ "embed"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/pabal-dev/pabal/internal/testservers"
)

// A transaction of changes has inserts, updates and deletions.
const (
	perTransaction = 100
	inserts        = 70
	deletions      = 10
)

//go:embed sql/postgres.sql
var postgresTables string

type postgresDB struct {
	server *testservers.Server
	url    string
	conn   *pgx.Conn
}

func startPostgres(ctx context.Context) (database, error) {
	server, err := measure.StartPostgres(ctx, os.Stderr)
	if err != nil {
		return nil, err
	}
	return openPostgres(ctx, server, server.URL)
}

func openPostgres(ctx context.Context, server *testservers.Server, at string) (*postgresDB, error) {
	conn, err := pgx.Connect(ctx, at)
	if err != nil {
		return nil, err
	}
	return &postgresDB{server: server, url: at, conn: conn}, nil
}

func (db *postgresDB) title() string { return db.server.Name }

func (db *postgresDB) close() error {
	_ = db.conn.Close(context.Background())
	return db.server.Close()
}

func (db *postgresDB) begin(ctx context.Context) error {
	_, err := db.conn.Exec(ctx, postgresTables)
	return err
}

func (db *postgresDB) config(prefix string) map[string]string {
	at, _ := url.Parse(db.url) // pgx has understood it
	password, _ := at.User.Password()
	return map[string]string{
		"connector.class": "io.debezium.connector.postgresql.PostgresConnector", "plugin.name": "pgoutput", "topic.prefix": prefix,
		"database.hostname": at.Hostname(), "database.port": at.Port(), "database.user": at.User.Username(), "database.password": password,
		"database.dbname": at.Path[1:], "slot.name": prefix, "publication.name": "bench", "publication.autocreate.mode": "disabled",
		"table.include.list": "public.orders,public.probes", "snapshot.mode": "no_data",
	}
}

func (db *postgresDB) capture(table string) string { return "public." + table }

func (db *postgresDB) probe(ctx context.Context) error {
	_, err := db.conn.Exec(ctx, "INSERT INTO probes DEFAULT VALUES")
	return err
}

func (db *postgresDB) change(ctx context.Context, changes int) (int, error) {
	if _, err := db.conn.Exec(ctx, "CALL change($1)", changes/perTransaction); err != nil {
		return 0, err
	}
	return changes / perTransaction * deletions, db.settle(ctx)
}

// fill the table of orders.
func (db *postgresDB) fill(ctx context.Context, rows int) error {
	if _, err := db.conn.Exec(ctx, "INSERT INTO orders SELECT * FROM new_orders(1, $1)", rows); err != nil {
		return err
	}
	return db.settle(ctx)
}

// settle lets the server finish what filling has left, for all sides alike.
func (db *postgresDB) settle(ctx context.Context) error {
	for _, statement := range []string{"VACUUM ANALYZE orders", "CHECKPOINT"} {
		if _, err := db.conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (db *postgresDB) forget(ctx context.Context, prefix string) error {
	return await(ctx, "slot "+prefix+" to be free", func() (bool, error) {
		var left int
		err := db.conn.QueryRow(ctx, "SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots WHERE slot_name = $1 AND NOT active", prefix).Scan(&left)
		if err == nil {
			err = db.conn.QueryRow(ctx, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1", prefix).Scan(&left)
		}
		return left == 0, err
	})
}
