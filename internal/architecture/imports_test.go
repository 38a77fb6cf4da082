// Package architecture_test holds the packages to the import rules of
// docs/architecture.md. The rules bind the code that users link; tests may
// import what they need.
package architecture_test

import (
	"strings"
	"testing"
)

const module = "github.com/pabal-dev/pabal"

// layers lists the packages from the bottom up. A package imports those of
// lower layers only, never its neighbours. A line stands for the folder and
// what is below it, unless a longer line names that; packages under one line
// may import one another.
var layers = [][]string{
	{"event", "lifecycle", "batch", "internal/count", "internal/restapi"},
	{"kafka"},
	{"kafka/broker", "internal/topiclog"},
	{"kafka/kafkatest"},
	{"kafka/registry"},
	{"outbox"},
	{"inbox"},
	{"journal"},
	{"projection", "entity", "saga"},
	{"saga/sagatest"},
	{"streams/serde"},
	{"kafka/registry/codec"},
	{"streams/internal/local"},
	{"streams/internal/plan"},
	{"streams/state"},
	{"streams/internal/task", "streams/internal/assign", "streams/internal/restore"},
	{"streams/internal/run"},
	{"streams"},
	{"streams/streamstest", "streams/sink"},
	{"streams/sink/sinktest"},
	{"connect/data", "connect/internal/dateformat", "connect/internal/members", "connect/internal/mongouri", "connect/internal/slab"},
	{"connect/converter", "connect/config"},
	{"connect/plugin"},
	{"connect/debezium"},
	{"connect/transform", "connect/postgres", "connect/mongodb", "connect/mysql", "connect/sink", "connect/file"},
	{"connect"},
	{"connect/rest"},
	{"admin"},
	{"storage"},
	{"storage/postgres", "storage/sqlite", "storage/mongodb", "storage/redis", "storage/storagetest"},
	{"storage/open", "storage/table"},
	{"cloudconfig"},
	{"console/api"},
	{"console/record", "console/mask", "console/audit", "console/auth", "console/fleet"},
	{"console/cluster", "console/lens", "console/redrive", "console/connectors", "console/registry"},
	{"console/pages"},
	{"console"},
	{"examples"},
	{"internal/invariants"},
	{"internal/traffic"},
	{"cmd"},
}

// forTests are packages that only tests import; they may import anything.
var forTests = []string{"internal/testenv", "internal/systemtest", "internal/simulation", "internal/testservers", "internal/clients", "internal/faults", "internal/debezium", "connect/internal/sourcetest", "internal/pekko", "internal/kstreams", "internal/architecture", "internal/platforms", "streams/internal/eostest", "docs"}

// reserved are packages, ours or foreign, that only some may import.
var reserved = []struct {
	targets, users []string
	why            string
}{
	{
		targets: []string{"github.com/jackc/pgx"},
		users:   []string{"storage/postgres", "connect/postgres", "connect/sink/sql"},
		why:     "ports never import a database driver, only backends do",
	},
	{
		targets: []string{"modernc.org"},
		users:   []string{"storage/sqlite"},
		why:     "ports never import a database driver, only backends do",
	},
	{
		targets: []string{"go.mongodb.org/mongo-driver"},
		users:   []string{"storage/mongodb", "examples/library/bestbook/adapters/mongo", "examples/orders/order/mongo", "connect/mongodb", "connect/sink/mongodb", "connect/internal/mongouri"},
		why:     "ports never import a database driver, only backends do",
	},
	{
		targets: []string{"github.com/go-mysql-org/go-mysql"},
		users:   []string{"connect/mysql", "connect/sink/sql"},
		why:     "ports never import a database driver, only backends do",
	},
	{
		targets: []string{"github.com/redis/go-redis"},
		users:   []string{"storage/redis", "cmd/pabal/internal/demo", "connect/sink/redis"},
		why:     "ports never import a database driver, only backends do",
	},
	{
		targets: []string{"go.opentelemetry.io/otel/sdk", "go.opentelemetry.io/otel/exporters"},
		users:   []string{"cmd/pabal"},
		why:     "the library uses OpenTelemetry's API, only the binary its SDK",
	},
	{
		targets: []string{module + "/kafka/broker", module + "/kafka/kafkatest"},
		users:   []string{"kafka/broker", "kafka/kafkatest", "examples", "cmd/pabal"},
		why:     "the library talks to any broker; the one in process is a choice of programs and tests",
	},
}

// confined are packages that import nothing, or nothing of a kind.
var confined = []struct {
	pkg     string
	allowed func(imported string) bool
	why     string
}{
	{"event", isStandard, "event imports only the standard library"},
	{"examples", isPublic, "examples show what users can do, so they import public packages only"},
}

func TestImportRules(t *testing.T) {
	imports := moduleImports(t)
	if len(imports) < 20 {
		t.Fatalf("found %d imports in the whole module: the reader is broken", len(imports))
	}
	for _, v := range check(imports) {
		t.Error(v)
	}
}

// TestCheckerCatches shows that each rule bites, and how its message reads.
func TestCheckerCatches(t *testing.T) {
	tests := []struct {
		pkg, imported string
		want          string // part of the message; empty where it is allowed
	}{
		{"event", "encoding/json", ""},
		{"event", "github.com/google/uuid", "standard library"},
		{"event", module + "/lifecycle", "standard library"},
		{"lifecycle", module + "/event", "layer"},
		{"outbox", module + "/event", ""},
		{"outbox", module + "/inbox", "layer"},
		{"inbox", module + "/outbox", ""},
		{"kafka", module + "/storage/sqlite", "layer"},
		{"kafka", module + "/unheard/of", "no layer"},
		{"unheard/of", "fmt", "no layer"},
		{"outbox", "github.com/jackc/pgx/v5", "database driver"},
		{"inbox", "modernc.org/sqlite", "database driver"},
		{"storage", "github.com/jackc/pgx/v5/pgxpool", "database driver"},
		{"storage/postgres", "github.com/jackc/pgx/v5/pgxpool", ""},
		{"storage/postgres/migrations", "github.com/jackc/pgx/v5", ""},
		{"storage/postgres", module + "/storage/postgres/migrations", ""},
		{"storage/postgres", "modernc.org/sqlite", "database driver"},
		{"storage/sqlite", module + "/storage/postgres", "layer"},
		{"storage/postgres", module + "/storage/sqlite", "layer"},
		{"storage/mongodb", "go.mongodb.org/mongo-driver/v2/mongo", ""},
		{"projection", "go.mongodb.org/mongo-driver/v2/bson", "database driver"},
		{"connect/mysql", "github.com/go-mysql-org/go-mysql/replication", ""},
		{"connect/debezium", "github.com/go-mysql-org/go-mysql/client", "database driver"},
		{"storage/redis", "github.com/redis/go-redis/v9", ""},
		{"storage/mongodb", "github.com/redis/go-redis/v9", "database driver"},
		{"storage/redis", module + "/storage/mongodb", "layer"},
		{"storage/open", module + "/storage/sqlite", ""},
		{"inbox", module + "/kafka/broker", "choice of programs"},
		{"storage/sqlite", module + "/kafka/kafkatest", "choice of programs"},
		{"examples/orders", module + "/kafka/broker", ""},
		{"examples/orders/order", module + "/examples/orders/api", ""},
		{"examples/orders", module + "/internal/testenv", "public packages only"},
		{"examples/orders", "go.opentelemetry.io/otel/sdk/trace", "only the binary"},
		{"examples/orders", "go.opentelemetry.io/otel/trace", ""},
		{"cmd/pabal", "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp", ""},
		{"cmd/pabal", module + "/examples/orders", ""},
		{"cmd/pabal", module + "/internal/testservers", "only tests"},
		{"internal/testenv", "github.com/jackc/pgx/v5", ""},
		{"eventful", "fmt", "no layer"},
	}
	for _, tt := range tests {
		got := check([]edge{{file: tt.pkg + "/x.go", pkg: tt.pkg, imported: tt.imported}})
		switch {
		case tt.want == "" && len(got) > 0:
			t.Errorf("%s -> %s is allowed, and the checker says %q", tt.pkg, tt.imported, got)
		case tt.want != "" && len(got) == 0:
			t.Errorf("%s -> %s was not caught", tt.pkg, tt.imported)
		case tt.want != "" && !strings.Contains(strings.Join(got, "\n"), tt.want):
			t.Errorf("%s -> %s: %q does not contain %q", tt.pkg, tt.imported, got, tt.want)
		}
		for _, message := range got {
			if !strings.Contains(message, tt.pkg+"/x.go") || !strings.Contains(message, tt.imported) {
				t.Errorf("the message %q names file and import incompletely", message)
			}
		}
	}
}
