package testenv_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testservers"
)

// recorder stands for a test of which one wants to see whether it was skipped
// or failed.
type recorder struct {
	testing.TB
	skipped, failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Skip(...any)           { r.skipped = true; panic(r) }
func (r *recorder) Fatalf(string, ...any) { r.failed = true; panic(r) }
func (r *recorder) Fatal(...any)          { r.failed = true; panic(r) }

func observe(t *testing.T, f func(testing.TB)) (r *recorder) {
	r = &recorder{TB: t}
	defer func() {
		if p := recover(); p != nil && p != r {
			panic(p)
		}
	}()
	f(r)
	return r
}

func TestMissingServerSkipsAndIsRecorded(t *testing.T) {
	skips := filepath.Join(t.TempDir(), "skips")
	if err := os.WriteFile(skips, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(testservers.EnvKafka, "")
	t.Setenv(testservers.EnvRequire, "")
	t.Setenv(testservers.EnvSkips, skips)
	r := observe(t, func(tb testing.TB) { testenv.Kafka(tb) })
	if !r.skipped || r.failed {
		t.Fatalf("skipped %v, failed %v, want a skip", r.skipped, r.failed)
	}
	got, err := os.ReadFile(skips)
	if err != nil {
		t.Fatal(err)
	}
	if want := "Apache Kafka — set PABAL_TEST_KAFKA or run make test\n"; string(got) != want {
		t.Fatalf("recorded %q, want %q", got, want)
	}
}

func TestMissingRequiredServerFails(t *testing.T) {
	t.Setenv(testservers.EnvKafka, "")
	for _, require := range []string{"kafka", "postgres, kafka", "kafak"} {
		t.Setenv(testservers.EnvRequire, require)
		r := observe(t, func(tb testing.TB) { testenv.Kafka(tb) })
		if r.skipped || !r.failed {
			t.Errorf("PABAL_REQUIRE=%q: skipped %v, failed %v, want a failure", require, r.skipped, r.failed)
		}
	}
}

func TestPostgresIsEmptyAndOwn(t *testing.T) {
	first, second := testenv.Postgres(t), testenv.Postgres(t)
	query(t, first, "CREATE TABLE mine (id int)")
	if n := query(t, second, "SELECT count(*) FROM pg_class WHERE relname = 'mine'"); n != "0" {
		t.Fatalf("a second test sees %s tables of the first", n)
	}
}

func TestPostgresIsDroppedWithItsSlot(t *testing.T) {
	var url, name string
	t.Run("user", func(t *testing.T) {
		url = testenv.Postgres(t)
		name = query(t, url, "SELECT current_database()")
		query(t, url, "SELECT pg_create_logical_replication_slot('"+name+"', 'pgoutput')")
	})
	other := testenv.Postgres(t)
	if n := query(t, other, "SELECT count(*) FROM pg_database WHERE datname = '"+name+"'"); n != "0" {
		t.Fatalf("database %s was not dropped", name)
	}
}

func query(t *testing.T, url, sql string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	// The simple protocol answers in text, whatever the type.
	var values []string
	rows, err := conn.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[0].Rows {
		values = append(values, string(row[0]))
	}
	return strings.Join(values, ",")
}

func TestSeedIsRepeated(t *testing.T) {
	t.Setenv("PABAL_TEST_SEED", "42")
	if a, b := testenv.Rand(t).Uint64(), testenv.Rand(t).Uint64(); a != b {
		t.Fatalf("one seed gave %d and %d", a, b)
	}
}

func TestPrefixesDiffer(t *testing.T) {
	if a, b := testenv.Prefix(t), testenv.Prefix(t); a == b || len(a) > 40 || !strings.HasSuffix(a, "-") {
		t.Fatalf("prefixes %q and %q", a, b)
	}
}

func TestWaitFailsInTime(t *testing.T) {
	r := observe(t, func(tb testing.TB) {
		testenv.Wait(tb, "nothing", 20*time.Millisecond, func() bool { return false })
	})
	if !r.failed {
		t.Fatal("a wait for what never comes ended well")
	}
	calls := 0
	testenv.Wait(t, "the third look", 10*time.Second, func() bool { calls++; return calls == 3 })
}
