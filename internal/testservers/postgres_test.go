package testservers_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testenv"
)

const patience = 60 * time.Second

func TestPostgresKeepsItsDataOverAKill(t *testing.T) {
	pg := testenv.StartPostgres(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn := connect(t, ctx, pg.URL)
	for _, sql := range []string{"CREATE TABLE kept (n int)", "INSERT INTO kept SELECT generate_series(1, 1000)",
		"BEGIN", "INSERT INTO kept VALUES (-1)"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := pg.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := conn.Ping(ctx); err == nil {
		t.Fatal("a backend outlived the kill")
	}
	if err := pg.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	conn = connect(t, ctx, pg.URL)
	var count, sum int
	if err := conn.QueryRow(ctx, "SELECT count(*), sum(n) FROM kept").Scan(&count, &sum); err != nil {
		t.Fatal(err)
	}
	if count != 1000 || sum != 500500 {
		t.Fatalf("found %d rows with sum %d, want the 1000 committed ones with 500500", count, sum)
	}
}

// A busy backend is the one that would notice its postmaster's death too late.
func TestKillEndsABusyBackend(t *testing.T) {
	pg := testenv.StartPostgres(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn := connect(t, ctx, pg.URL)
	broken := make(chan error, 1)
	go func() {
		_, err := conn.Exec(ctx, "SELECT count(*) FROM generate_series(1, 100000000000)")
		broken <- err
	}()
	watch := connect(t, ctx, pg.URL)
	testenv.Wait(t, "the query to run", patience, func() bool {
		var n int
		err := watch.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%100000000000%' AND pid <> pg_backend_pid()").Scan(&n)
		return err == nil && n == 1
	})
	if err := pg.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-broken:
		if err == nil {
			t.Fatal("the query ended well")
		}
	case <-time.After(time.Minute):
		t.Fatal("the backend still runs a minute after the kill")
	}
}

func TestPostgresChecksPasswordsAndDecodes(t *testing.T) {
	pg := testenv.StartPostgres(t, "max_connections = 17")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	config, err := pgx.ParseConfig(pg.URL)
	if err != nil {
		t.Fatal(err)
	}
	config.Password += "x"
	if _, err := pgx.ConnectConfig(ctx, config); err == nil || !strings.Contains(err.Error(), "28P01") {
		t.Fatalf("a wrong password gave %v, want SQLSTATE 28P01", err)
	}
	conn := connect(t, ctx, pg.URL)
	for setting, want := range map[string]string{"wal_level": "logical", "max_connections": "17", "max_prepared_transactions": "20"} {
		var got string
		if err := conn.QueryRow(ctx, "SHOW "+setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", setting, got, err, want)
		}
	}
}

func TestPostgresRestartsAfterStop(t *testing.T) {
	pg := testenv.StartPostgres(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := pg.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := pgx.Connect(ctx, pg.URL); err == nil {
		t.Fatal("it answers although it was stopped")
	}
	if err := pg.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	connect(t, ctx, pg.URL)
}

func connect(t *testing.T, ctx context.Context, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}
