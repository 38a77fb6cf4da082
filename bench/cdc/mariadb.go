package cdc

import (
	"context"
	_ "embed"
	"fmt"
	"hash/fnv"
	"net/url"
	"strings"

	"github.com/go-mysql-org/go-mysql/client"

	"github.com/pabal-dev/pabal/internal/testservers"
)

//go:embed sql/mariadb.sql
var mariadbTables string

type mariaDB struct {
	server *testservers.Server
	at     *url.URL
	conn   *client.Conn
}

func startMariaDB(ctx context.Context) (database, error) {
	server, err := testservers.StartMariaDB(ctx, "--innodb-buffer-pool-size=512M")
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(server.URL)
	if err != nil {
		return nil, err
	}
	password, _ := at.User.Password()
	conn, err := client.ConnectWithContext(ctx, at.Host, at.User.Username(), password, "", patience)
	if err != nil {
		return nil, err
	}
	return &mariaDB{server: server, at: at, conn: conn}, nil
}

func (m *mariaDB) title() string { return m.server.Name }

func (m *mariaDB) close() error {
	_ = m.conn.Close()
	return m.server.Close()
}

func (m *mariaDB) begin(context.Context) error {
	for statement := range strings.SplitSeq(strings.TrimSpace(mariadbTables), ";;\n") {
		if _, err := m.conn.Execute(statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func (m *mariaDB) config(prefix string) map[string]string {
	password, _ := m.at.User.Password()
	id := fnv.New32a()
	_, _ = id.Write([]byte(prefix))
	return map[string]string{
		"connector.class": "io.debezium.connector.mariadb.MariaDbConnector", "topic.prefix": prefix,
		"database.hostname": m.at.Hostname(), "database.port": m.at.Port(), "database.user": m.at.User.Username(), "database.password": password,
		"database.server.id": fmt.Sprint(1000 + id.Sum32()>>1), "database.include.list": "bench", "table.include.list": "bench.orders,bench.probes",
		historyTopic: prefix + ".history", "snapshot.mode": "no_data", "include.schema.changes": "false",
	}
}

func (m *mariaDB) capture(table string) string { return "bench." + table }

func (m *mariaDB) probe(context.Context) error {
	_, err := m.conn.Execute("INSERT INTO bench.probes () VALUES ()")
	return err
}

func (m *mariaDB) change(_ context.Context, changes int) (int, error) {
	_, err := m.conn.Execute("CALL bench.changes(?)", changes/perTransaction)
	return changes / perTransaction * deletions, err
}

// forget nothing: the server keeps its log by time.
func (m *mariaDB) forget(context.Context, string) error { return nil }
