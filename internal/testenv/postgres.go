package testenv

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testservers"
)

// databaseTimeout bounds one statement: DROP DATABASE waits for a checkpoint of all that other tests wrote.
const databaseTimeout = 3 * time.Minute

// Postgres makes an empty database for this test on the shared PostgreSQL and
// returns its URL, of a superuser. The database is dropped when the test ends,
// with its replication slots and over any connection that is still open.
func Postgres(t testing.TB) string {
	t.Helper()
	server := variable(t, "postgres", "PostgreSQL", testservers.EnvPostgres)
	name := "pabal_" + strings.ToLower(rand.Text()[:12])
	where, err := withDatabase(server, name)
	if err != nil {
		t.Fatal(err)
	}
	// template0 has no visitors, who would make CREATE DATABASE fail.
	if err := execute(server, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		t.Fatalf("create a database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := drop(server, name); err != nil {
			t.Errorf("drop the database of the test: %v", err)
		}
	})
	return where
}

func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", fmt.Errorf("%s: %w", testservers.EnvPostgres, err)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// drop ends the database's walsenders, whose slots would keep it, then slots
// and database.
func drop(server, name string) error {
	return execute(server,
		"SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE active AND database = '"+name+"'",
		"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '"+name+"'",
		"DROP DATABASE "+name+" WITH (FORCE)")
}

func execute(server string, statements ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), databaseTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}
