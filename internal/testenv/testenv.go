// Package testenv gives tests the real servers they run against, and small
// things that every test of a distributed system needs: waiting for a state,
// names that collide with nobody, random numbers that can be repeated.
//
// The servers are those of the whole run (make test starts them, see package
// testservers) and are shared, so tests keep apart by databases and prefixes. A
// server that is not there skips the test and says so; where PABAL_REQUIRE
// names it, the test fails.
package testenv

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testservers"
)

// Kafka returns the addresses of a real Apache Kafka, without topics other
// than those of other tests: use Prefix. Topics are not created by use.
func Kafka(t testing.TB) []string {
	t.Helper()
	return strings.Split(variable(t, "kafka", "Apache Kafka", testservers.EnvKafka), ",")
}

// Redis returns the URL of a real Redis, which other tests use too: Prefix keeps
// keys apart.
func Redis(t testing.TB) string {
	t.Helper()
	return variable(t, "redis", "Redis", testservers.EnvRedis)
}

// MongoDB returns the URL of a real MongoDB replica set, which other tests use
// too: make a database of a random name and drop it.
func MongoDB(t testing.TB) string {
	t.Helper()
	return variable(t, "mongodb", "MongoDB", testservers.EnvMongoDB)
}

// MariaDB returns the URL (mysql://user:password@host:port/) of a superuser of a real
// MariaDB, which other tests use too: make a database of a random name and drop it. Its
// binary log holds what all of them write.
func MariaDB(t testing.TB) string {
	t.Helper()
	return variable(t, "mariadb", "MariaDB", testservers.EnvMariaDB)
}

// Kcat returns the path of kcat.
func Kcat(t testing.TB) string {
	t.Helper()
	return variable(t, "kcat", "kcat", testservers.EnvKcat)
}

// KafkaJS returns a folder whose node_modules hold kafkajs; node resolves it
// for scripts that lie there or with NODE_PATH=<folder>/node_modules.
func KafkaJS(t testing.TB) string {
	t.Helper()
	return variable(t, "kafkajs", "kafkajs", testservers.EnvKafkaJS)
}

// ConfluentPython returns the folder with Confluent's client for Python, for PYTHONPATH.
func ConfluentPython(t testing.TB) string {
	t.Helper()
	return variable(t, "confluent-python", "confluent-kafka for Python", testservers.EnvPython)
}

// ConfluentJava returns the folder with the jars of Confluent's client of schema registries.
func ConfluentJava(t testing.TB) string {
	t.Helper()
	return variable(t, "confluent-java", "Confluent's client for Java", testservers.EnvConfluentJava)
}

// ApicurioJava returns the folder with the jars of Apicurio's Avro converter.
func ApicurioJava(t testing.TB) string {
	t.Helper()
	return variable(t, "apicurio-java", "Apicurio's converter", testservers.EnvApicurioJava)
}

// KafkaTools returns the folder with the jars of Apache Kafka's command-line tools and of the
// programs that its system tests run.
func KafkaTools(t testing.TB) string {
	t.Helper()
	return variable(t, "kafka-tools", "Apache Kafka's tools", testservers.EnvKafkaTools)
}

// Pekko returns the folder of the Pekko application, see package pekko.
func Pekko(t testing.TB) string {
	t.Helper()
	return variable(t, "pekko", "Pekko", testservers.EnvPekko)
}

// KStreams returns the folder of the application on Kafka Streams, see package kstreams.
func KStreams(t testing.TB) string {
	t.Helper()
	return variable(t, "kstreams", "Kafka Streams", testservers.EnvKStreams)
}

// Chromium returns the path of the browser.
func Chromium(t testing.TB) string {
	t.Helper()
	return variable(t, "chromium", "Chromium", testservers.EnvChromium)
}

// StartKafka starts an Apache Kafka for this test alone, to kill and restart.
// It takes seconds; settings are lines of server.properties. It is closed with
// the test.
func StartKafka(t testing.TB, settings ...string) *testservers.Server {
	t.Helper()
	s, err := testservers.StartKafka(t.Context(), "", settings...)
	return own(t, "kafka", "Apache Kafka", s, err)
}

// StartPostgres starts a PostgreSQL for this test alone, to kill and restart.
// settings are lines of postgresql.conf. It is closed with the test.
func StartPostgres(t testing.TB, settings ...string) *testservers.Server {
	t.Helper()
	s, err := testservers.StartPostgres(t.Context(), "", settings...)
	return own(t, "postgres", "PostgreSQL", s, err)
}

// StartPostgres18 is StartPostgres of PostgreSQL 18.
func StartPostgres18(t testing.TB, settings ...string) *testservers.Server {
	t.Helper()
	s, err := testservers.StartPostgres18(t.Context(), settings...)
	return own(t, "postgres18", "PostgreSQL 18", s, err)
}

// StartStandby18 makes a hot standby of a server of StartPostgres18, which it restarts; see
// testservers.StartStandby18. It is closed with the test.
func StartStandby18(t testing.TB, primary *testservers.Server, connection string, settings ...string) *testservers.Server {
	t.Helper()
	s, err := testservers.StartStandby18(t.Context(), primary, connection, settings...)
	return own(t, "postgres18", "PostgreSQL 18", s, err)
}

// StartRedis starts a Redis for this test alone, to kill and restart. It is
// closed with the test.
func StartRedis(t testing.TB, arguments ...string) *testservers.Server {
	t.Helper()
	s, err := testservers.StartRedis(t.Context(), arguments...)
	return own(t, "redis", "Redis", s, err)
}

// StartMongoDB starts a MongoDB replica set of one node for this test alone, to
// kill and restart. It is closed with the test.
func StartMongoDB(t testing.TB) *testservers.Server {
	t.Helper()
	s, err := testservers.StartMongoDB(t.Context())
	return own(t, "mongodb", "MongoDB", s, err)
}

// StartMariaDB starts a MariaDB for this test alone, to kill and restart. arguments are
// those of its command line. It is closed with the test.
func StartMariaDB(t testing.TB, arguments ...string) *testservers.Server {
	t.Helper()
	s, err := testservers.StartMariaDB(t.Context(), arguments...)
	return own(t, "mariadb", "MariaDB", s, err)
}

// StartDebezium starts a worker of the real Kafka Connect with Debezium's connectors for
// this test alone; the brokers are those of an Apache Kafka of the test's own
// (StartKafka), for the worker's topics have fixed names. It takes many seconds and is
// closed with the test.
func StartDebezium(t testing.TB, brokers []string, settings ...string) *testservers.Server {
	t.Helper()
	s, err := testservers.StartDebezium(t.Context(), brokers, settings...)
	return own(t, "debezium", "Kafka Connect with Debezium", s, err)
}

// Long says whether long tests are asked for: make test-full.
func Long() bool { return os.Getenv("PABAL_TEST_FULL") != "" }

// Sized is how much of something a test tries: usual, or long where long tests are asked for.
func Sized[T any](usual, long T) T {
	if Long() {
		return long
	}
	return usual
}

// Full skips the test unless long tests are asked for.
func Full(t testing.TB) {
	t.Helper()
	if !Long() {
		skip(t, "long test", "set PABAL_TEST_FULL=1 or run make test-full")
	}
}

func variable(t testing.TB, part, what, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		missing(t, part, what, "set "+name+" or run make test")
	}
	return value
}

// Lacks ends a test that cannot run here, as what of a part is missing: it fails where the part is
// required, and is skipped loudly elsewhere. hint says what to do.
func Lacks(t testing.TB, part, what, hint string) {
	t.Helper()
	missing(t, part, what, hint)
}

// missing fails the test where the part is required, and skips it elsewhere.
func missing(t testing.TB, part, what, hint string) {
	t.Helper()
	required, err := testservers.Required()
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(required, part) {
		t.Fatalf("%s names %s, and it is missing: %s", testservers.EnvRequire, part, hint)
	}
	skip(t, what, hint)
}

// skip skips the test loudly: go test shows nothing of a passing package, so
// the runner is told too.
func skip(t testing.TB, what, hint string) {
	t.Helper()
	reason := fmt.Sprintf("%s — %s", what, hint)
	if err := record(os.Getenv(testservers.EnvSkips), reason); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(os.Stderr, "SKIPPED:", reason)
	t.Skip("SKIPPED:", reason)
}

func record(file, line string) error {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, line)
	return err
}
