package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestDemo runs it twice in one folder: the second run goes on with what the
// first one left and counts all of it. A third one meanwhile is refused. Then
// the databases are falsified.
func TestDemo(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "demo")
	flags := demoArgs("--data-dir="+folder, "--rate=30", "--seed=1")
	first := goodReport(t, pabal(t, append(flags, "--duration=3s")...))
	if first.Backends.Kafka != "embedded" || first.Backends.Database != "sqlite" || first.Codec != "avro" || first.Crashes != 0 {
		t.Errorf("%+v", first)
	}
	if first.Orders.Placed > 250 || first.Rate <= 0 || first.Latency.P50 <= 0 || first.Latency.P99 < first.Latency.P50 {
		t.Errorf("30 orders/s for 3 s gave %+v", first)
	}
	t.Run("falsified", func(t *testing.T) { testFalsified(t, folder) })
	t.Run("again", func(t *testing.T) { testAgain(t, folder, first.Orders.Placed) })
	for _, name := range []string{"demo.json", "logs/demo.log", "databases/order.db", "kafka/meta"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
}

// TestDemoWithCrashes is the same with services as processes that are killed.
func TestDemoWithCrashes(t *testing.T) {
	t.Parallel()
	r := pabal(t, demoArgs("--chaos", "--duration=8s", "--rate=30")...)
	report := goodReport(t, r)
	if report.Crashes == 0 {
		t.Errorf("nothing was killed in 8 s\n%s", r.stderr)
	}
	if !strings.Contains(r.stderr, "over five services, one log and four databases") || !strings.Contains(r.stderr, "/top-selling\n") {
		t.Errorf("the banner is\n%s", r.stderr)
	}
	noTemporaryFolder(t, r)
}

// TestDemoKillsItsBroker: in a folder the broker is a process of its own, too, and loses nothing
// that it acknowledged, in this run and in the next one.
func TestDemoKillsItsBroker(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "demo")
	for start := 1; start <= 2; start++ {
		r := pabal(t, demoArgs("--chaos", "--data-dir="+folder, "--duration=8s", "--rate=30")...)
		report := goodReport(t, r)
		if report.BrokerCrashes == 0 || report.BrokerCrashes > report.Crashes {
			t.Errorf("start %d: the broker was killed %d times, of %d crashes\n%s", start, report.BrokerCrashes, report.Crashes, r.stderr)
		}
		if !strings.Contains(r.stderr, "each third time the broker") || !strings.Contains(r.stderr, "in a process of its own") || !strings.Contains(detail(t, report, "services"), "times the broker") {
			t.Errorf("it does not say that the broker is killed:\n%s\n%+v", r.stderr, report)
		}
	}
}

// TestDemoOfAll runs every scenario, twice in one folder, the second time with crashes.
// Then the databases are falsified.
func TestDemoOfAll(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "demo")
	flags := demoArgs("--scenario=all", "--data-dir="+folder)
	first := goodReportOfAll(t, pabal(t, append(flags, "--duration=4s", "--rate=90")...))
	for range 5 { // what is bought, returned late or undone is up to chance
		if len(notThere(t, folder)) == 0 {
			break
		}
		goodReportOfAll(t, pabal(t, append(flags, "--duration=3s", "--rate=90")...))
	}
	t.Run("falsified", func(t *testing.T) { testSystemsFalsified(t, folder) })
	second := goodReportOfAll(t, pabal(t, append(flags, "--chaos", "--duration=8s", "--rate=30")...))
	if second.Crashes == 0 {
		t.Error("nothing was killed in 8 s")
	}
	var total int64
	if now := detail(t, second, "orders"); json.Unmarshal([]byte(strings.Fields(now)[0]), &total) != nil || total < first.Orders.Placed+second.Orders.Placed {
		t.Errorf("%d orders before, %d placed, and the databases hold: %s", first.Orders.Placed, second.Orders.Placed, now)
	}
}

// TestDemoOfOne: hotel and library run without the others, too, and in Avro.
func TestDemoOfOne(t *testing.T) {
	t.Parallel()
	for scenario, first := range map[string]string{"hotel": "First reservation confirmed", "library": "First book rented"} {
		r := pabal(t, demoArgs("--scenario="+scenario, "--codec=avro", "--rate=30", "--duration=2s")...)
		if r.code != exitOK || !strings.Contains(r.stdout, `"`+scenario+`":{`) || !strings.Contains(r.stdout, `"codec":"avro"`) || !strings.Contains(r.stderr, first) {
			t.Errorf("%s: exit code %d\n%s\n%s", scenario, r.code, r.stderr, r.stdout)
		}
		noTemporaryFolder(t, r)
	}
}

// TestDemoOnRealServers is that of all on Apache Kafka and PostgreSQL, with kill -9 for
// twenty seconds, in the long mode for ten minutes; it leaves nothing on them and says no
// password. It is not parallel: it takes all there is.
func TestDemoOnRealServers(t *testing.T) {
	brokers, database := strings.Join(testenv.Kafka(t), ","), testenv.Postgres(t)
	duration := testenv.Sized(20*time.Second, 10*time.Minute)
	r := pabalWithin(t, duration+15*time.Minute, demoArgs("--kafka="+brokers, "--database="+database,
		"--scenario=all", "--chaos", "--duration="+duration.String(), "--rate=15", "--drain=10m")...)
	report := goodReportOfAll(t, r)
	if report.Backends.Kafka != brokers || report.Backends.Database != "postgres" || report.Crashes < 3 {
		t.Errorf("%+v", report)
	}
	noTemporaryFolder(t, r)
	noSecret(t, database, r.stdout+r.stderr)
	run := nameOfRun(t, r)
	if left := topicsOf(t, brokers, "demo-"+run); len(left) > 0 {
		t.Errorf("topics and groups are left: %v", left)
	}
	if left := schemasOf(t, database); len(left) > 0 {
		t.Errorf("schemas are left: %v", left)
	}
}

// TestWhatFailedIsKept: without time to finish, orders are stuck; then exit
// code 3, and everything stays for a look.
func TestWhatFailedIsKept(t *testing.T) {
	t.Parallel()
	r := pabal(t, demoArgs("--duration=1s", "--rate=200", "--drain=1ns")...)
	folder := folderOf(t, r)
	t.Cleanup(func() { os.RemoveAll(folder) })
	if r.code != exitViolated || !strings.Contains(r.stderr, "VIOLATED") || !strings.Contains(r.stderr, "Kept for a look: "+folder) {
		t.Fatalf("exit code %d\n%s", r.code, r.stderr)
	}
	if _, err := os.Stat(filepath.Join(folder, "databases", "order.db")); err != nil {
		t.Error(err)
	}
}

// folderOf reads the data folder from the banner.
func folderOf(t *testing.T, r result) string {
	t.Helper()
	for line := range strings.Lines(r.stderr) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "data" {
			return strings.TrimSuffix(fields[1], ",")
		}
	}
	t.Fatalf("no banner names the data folder:\n%s", r.stderr)
	return ""
}

func noTemporaryFolder(t *testing.T, r result) {
	t.Helper()
	if folder := folderOf(t, r); !strings.Contains(filepath.Base(folder), "pabal-demo-") {
		t.Errorf("%s is no temporary folder of a demo", folder)
	} else if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the folder %s is still there (%v)", folder, err)
	}
}
