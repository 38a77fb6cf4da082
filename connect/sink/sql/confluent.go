package sql

import (
	"context"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// ConfluentClass is the sink connector that Confluent publishes.
const ConfluentClass = "io.confluent.connect.jdbc.JdbcSinkConnector"

// ConfluentSink is Confluent's JDBC sink connector: the same sink with other names of settings. It
// takes Debezium's changes, too.
type ConfluentSink struct{}

var _ plugin.Sink = ConfluentSink{}

// confluentVersion whose settings these are.
const confluentVersion = "10.8.0"

const otherDatabase = "it is for another database"

var confluentDefinition = config.Definition{Keys: []config.Key{
	{Name: "connection.url", Type: config.String, Required: true, Importance: config.High, Check: checkURL, Doc: "Where the database is: jdbc:postgresql://host:port/database, jdbc:mysql:// or jdbc:mariadb://, with or without jdbc: before it."},
	{Name: "connection.user", Type: config.String, Importance: config.High, Doc: "Name to log in with, where the URL has none."},
	{Name: "connection.password", Type: config.Password, Importance: config.High, Doc: "Password of connection.user."},
	{Name: "dialect.name", Type: config.String, Importance: config.Low, Check: checkDialect, Doc: "The kind of database; the URL says so, too."},
	{Name: "connection.attempts", Type: config.Int, Default: "3", Importance: config.Low, Check: config.AtLeast(1), Doc: "Has no effect: " + retries + "."},
	{Name: "connection.backoff.ms", Type: config.Long, Default: "10000", Importance: config.Low, Doc: "Has no effect: " + retries + "."},
	{Name: "insert.mode", Type: config.String, Default: "insert", Importance: config.High, Check: config.OneOf("insert", "upsert", "update"), Recommended: []string{"insert", "upsert", "update"}, Doc: "How rows are written: insert, upsert (insert, or update where the key is there), or update."},
	{Name: "batch.size", Type: config.Int, Default: "3000", Check: config.AtLeast(0), Doc: "How many rows are written with one statement at most."},
	{Name: "delete.enabled", Type: config.Boolean, Default: "false", Doc: "Whether a record without a value deletes the row of its key; it needs pk.mode=record_key."},
	{Name: "table.types", Type: config.List, Default: "TABLE", Importance: config.Low, Doc: "Has no effect: rows are written to whatever has the name."},
	{Name: "table.name.format", Type: config.String, Default: "${topic}", Check: config.NotEmpty, Doc: "Name of a record's table, with a schema before it if need be; ${topic} is its topic."},
	{Name: "pk.mode", Type: config.String, Default: "none", Importance: config.High, Check: config.OneOf("none", "kafka", "record_key", "record_value"), Recommended: []string{"none", "kafka", "record_key", "record_value"}, Doc: "Where a row's key comes from: nowhere, the record's place in Kafka, its key, or its value."},
	{Name: "pk.fields", Type: config.List, Doc: "The fields that are the key; by default all of them. The names of the columns for a place in Kafka and for a key that is no struct."},
	{Name: "fields.whitelist", Type: config.List, Doc: "The fields of the value to store; by default all."},
	{Name: "db.timezone", Type: config.String, Default: "UTC", Check: checkZone, Doc: "Time zone of the connection: in it, times with a zone are stored in columns that have none."},
	{Name: "db.timezone.date", Type: config.String, Default: "none", Importance: config.Low, Doc: "Has no effect: dates have no zone."},
	{Name: "date.timezone", Type: config.String, Default: "DB_TIMEZONE", Importance: config.Low, Doc: "Has no effect: dates have no zone."},
	{Name: "timestamp.fields.list", Type: config.List, Unsupported: "use the transform TimestampConverter", Doc: "Fields of text or numbers that are times."},
	{Name: "timestamp.precision.mode", Type: config.String, Default: "microseconds", Importance: config.Low, Doc: "Has no effect: times have microseconds."},
	{Name: "auto.create", Type: config.Boolean, Default: "false", Doc: "Whether missing tables are created."},
	{Name: "auto.evolve", Type: config.Boolean, Default: "false", Doc: "Whether missing columns are added."},
	{Name: "quote.sql.identifiers", Type: config.String, Default: "always", Check: config.OneOf("always", "never"), Recommended: []string{"always", "never"}, Doc: "Whether names keep their capital letters."},
	{Name: "max.retries", Type: config.Int, Default: "10", Check: config.AtLeast(0), Doc: "Has no effect: " + retries + "."},
	{Name: "retry.backoff.ms", Type: config.Int, Default: "3000", Check: config.AtLeast(0), Doc: "Has no effect: " + retries + "."},
	{Name: "replace.null.with.default", Type: config.Boolean, Default: "true", Unsupported: "an optional field that is null is stored as null, a required one as its default", Doc: "Whether defaults stand for null."},
	{Name: "trim.sensitive.log", Type: config.Boolean, Default: "false", Importance: config.Low, Doc: "Has no effect: values are not logged."},
	{Name: "mssql.use.merge.holdlock", Type: config.Boolean, Default: "true", Importance: config.Low, Unsupported: otherDatabase, Doc: "A hint for SQL Server."},
}}

func confluentSettings(v config.Values) (*settings, []config.Problem) {
	s := &settings{
		keys: keyNames{mode: "pk.mode", fields: "pk.fields"},
		url:  v.String("connection.url"), user: v.String("connection.user"), password: v.String("connection.password"),
		mode: strings.ToLower(v.String("insert.mode")), deletes: v.Bool("delete.enabled"),
		format: v.String("table.name.format"), keyMode: strings.ToLower(v.String("pk.mode")), keyFields: v.List("pk.fields"),
		create: v.Bool("auto.create"), evolve: v.Bool("auto.evolve"), keepCase: strings.EqualFold(v.String("quote.sql.identifiers"), "always"),
		zone: v.String("db.timezone"), postgis: "public", batch: max(int(v.Int("batch.size")), 1), only: v.List("fields.whitelist"),
	}
	s.dialect = dialectOf(s.url, s.zone, s.postgis)
	return s, s.check()
}

// Info implements plugin.Connector.
func (ConfluentSink) Info() plugin.Info {
	return plugin.Info{Class: ConfluentClass, TaskClass: "io.confluent.connect.jdbc.sink.JdbcSinkTask", Version: confluentVersion, Config: confluentDefinition}
}

// Check implements plugin.Connector: it connects, too.
func (ConfluentSink) Check(ctx context.Context, v config.Values, wrong []config.Problem) []config.Problem {
	s, problems := confluentSettings(v)
	return s.checkConnection(ctx, problems, wrong)
}

// Tasks implements plugin.Connector: all do the same for other partitions.
func (ConfluentSink) Tasks(v config.Values, most int) ([]map[string]string, error) {
	return Sink{}.Tasks(v, most)
}

// Open implements plugin.Sink.
func (ConfluentSink) Open(_ context.Context, c plugin.SinkContext) (plugin.SinkTask, error) {
	return open(confluentSettings(c.Config))
}
