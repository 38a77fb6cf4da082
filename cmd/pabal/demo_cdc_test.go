package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestDemoThroughCDC: every service's outbox is published by a connector, also while services are
// killed; every invariant holds, no relay runs, and neither slot, publication nor schema is left.
func TestDemoThroughCDC(t *testing.T) {
	for name, flags := range map[string][]string{
		"orders":  {"--duration=3s", "--rate=40"},
		"rowless": {"--duration=3s", "--rate=40", "--outbox=cdc-message"},
		"all":     {"--scenario=all", "--chaos", "--duration=10s", "--rate=30", "--drain=10m"},
	} {
		t.Run(name, func(t *testing.T) {
			database := testenv.Postgres(t)
			r := pabalWithin(t, 15*time.Minute, demoArgs(append([]string{"--outbox=cdc", "--database=" + database}, flags...)...)...)
			if r.code != exitOK {
				t.Fatalf("exit code %d\n%s", r.code, r.stderr)
			}
			report := wellEnded(t, r)
			goodOrders(t, report.Orders)
			way := "cdc"
			if name == "rowless" {
				way = "cdc-message"
			}
			if report.Outbox != way || report.Backends.Database != "postgres" || name == "all" && report.Crashes == 0 {
				t.Errorf("%+v", report)
			}
			for _, want := range []string{"no relay runs", "/connectors/demo-outboxes/status"} {
				if !strings.Contains(r.stderr, want) {
					t.Errorf("the banner does not say %q:\n%s", want, r.stderr)
				}
			}
			noTemporaryFolder(t, r)
			noSecret(t, database, r.stdout+r.stderr)
			if left := schemasOf(t, database); len(left) > 0 {
				t.Errorf("schemas are left: %v", left)
			}
			noCapture(t, database)
		})
	}
}

// TestDemoThroughCDCAgain: a folder that is kept goes on through a new slot, and not through relays.
func TestDemoThroughCDCAgain(t *testing.T) {
	database, folder := testenv.Postgres(t), t.TempDir()+"/demo"
	flags := demoArgs("--outbox=cdc", "--database="+database, "--data-dir="+folder, "--duration=2s", "--rate=30")
	first := goodReport(t, pabal(t, flags...))
	noCapture(t, database)
	second := goodReport(t, pabal(t, flags...))
	noCapture(t, database)
	if first.Outbox != "cdc" || second.Outbox != "cdc" {
		t.Errorf("%+v, %+v", first, second)
	}
	if _, err := os.Stat(folder + "/connect/password"); !os.IsNotExist(err) {
		t.Errorf("the password is left in the folder (%v)", err)
	}
	refused(t, "--outbox=cdc, not relay", demoArgs("--database="+database, "--data-dir="+folder)...)
}

// TestDemoNeedsLogicalLog: a server that does not write what connectors need is named, and nothing is
// left on it.
func TestDemoNeedsLogicalLog(t *testing.T) {
	server := testenv.StartPostgres(t, "wal_level=replica")
	r := refused(t, "wal_level is replica", demoArgs("--outbox=cdc", "--database="+server.URL)...)
	if r.code != exitUsage {
		t.Errorf("exit code %d, want %d", r.code, exitUsage)
	}
	if left := schemasOf(t, server.URL); len(left) > 0 {
		t.Errorf("schemas are left: %v", left)
	}
	noCapture(t, server.URL)
}

// noCapture: no replication slot and no publication is left in the database.
func noCapture(t *testing.T, database string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	var slots, publications int
	err = conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM pg_replication_slots WHERE database = current_database()), (SELECT count(*) FROM pg_publication)`).Scan(&slots, &publications)
	if err != nil || slots+publications > 0 {
		t.Errorf("%d replication slots and %d publications are left, %v", slots, publications, err)
	}
}
