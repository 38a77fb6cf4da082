package sql

import (
	"errors"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
)

const (
	java    = "it names a Java class"
	onePool = "each task has one connection"
	retries = "the runtime waits as long as it takes"
)

// definition is Debezium's.
var definition = config.Definition{
	Patterns: []string{"hibernate.*"},
	Keys: append(debezium.LineageKeys(), []config.Key{
		{Name: "connection.url", Type: config.String, Required: true, Importance: config.High, Check: checkURL, Doc: "Where the database is: jdbc:postgresql://host:port/database, jdbc:mysql:// or jdbc:mariadb://, with or without jdbc: before it."},
		{Name: "connection.username", Type: config.String, Importance: config.High, Doc: "Name to log in with, where the URL has none."},
		{Name: "connection.password", Type: config.Password, Importance: config.High, Doc: "Password of connection.username."},
		{Name: "connection.provider", Type: config.Class, Default: "org.hibernate.c3p0.internal.C3P0ConnectionProvider", Importance: config.Low, Unsupported: java, Doc: "What opens connections."},
		{Name: "connection.pool.min_size", Type: config.Int, Default: "5", Importance: config.Low, Doc: "Has no effect: " + onePool + "."},
		{Name: "connection.pool.max_size", Type: config.Int, Default: "32", Importance: config.Low, Doc: "Has no effect: " + onePool + "."},
		{Name: "connection.pool.acquire_increment", Type: config.Int, Default: "32", Importance: config.Low, Doc: "Has no effect: " + onePool + "."},
		{Name: "connection.pool.timeout", Type: config.Long, Default: "1800", Importance: config.Low, Doc: "Has no effect: " + onePool + "."},
		{Name: "connection.restart.on.errors", Type: config.Boolean, Default: "false", Importance: config.Low, Doc: "Has no effect: a lost connection is always opened again."},
		{Name: "insert.mode", Type: config.String, Default: "insert", Importance: config.Low, Check: config.OneOf("insert", "upsert", "update"), Recommended: []string{"insert", "upsert", "update"}, Doc: "How rows are written: insert, upsert (insert, or update where the key is there), or update."},
		{Name: "delete.enabled", Type: config.Boolean, Default: "false", Importance: config.Low, Doc: "Whether deletions are carried out; they need primary.key.mode=record_key."},
		{Name: "truncate.enabled", Type: config.Boolean, Default: "false", Importance: config.Low, Doc: "Whether the table of a truncated one is truncated."},
		{Name: "collection.name.format", Type: config.String, Default: "${topic}", Doc: "Name of a record's table, with a schema before it if need be; ${topic} is its topic with _ for points, ${source.table} and the like are fields of a change's source."},
		{Name: "table.name.format", Type: config.String, Doc: "The older name of collection.name.format."},
		{Name: "collection.table.format", Type: config.String, Default: "${table}", Unsupported: "use collection.name.format with ${source.schema} and ${source.table}", Doc: "Name of a table by that of its source."},
		{Name: "collection.naming.strategy", Type: config.Class, Default: "io.debezium.sink.naming.DefaultCollectionNamingStrategy", Importance: config.Low, Unsupported: java + "; use collection.name.format", Doc: "What names tables."},
		{Name: "table.naming.strategy", Type: config.Class, Importance: config.Low, Unsupported: java + "; use collection.name.format", Doc: "The older name of collection.naming.strategy."},
		{Name: "column.naming.strategy", Type: config.Class, Default: "io.debezium.connector.jdbc.naming.DefaultColumnNamingStrategy", Importance: config.Low, Unsupported: java, Doc: "What names columns."},
		{Name: "primary.key.mode", Type: config.String, Default: "none", Importance: config.High, Check: config.OneOf("none", "kafka", "record_key", "record_value", "record_header"), Recommended: []string{"none", "kafka", "record_key", "record_value", "record_header"}, Doc: "Where a row's key comes from: nowhere, the record's place in Kafka, its key, its value, or its headers."},
		{Name: "primary.key.fields", Type: config.String, Importance: config.Low, Doc: "The fields that are the key; by default all of them. The name of the column where the key is no struct."},
		{Name: "schema.evolution", Type: config.String, Default: "none", Importance: config.Low, Check: config.OneOf("none", "basic"), Recommended: []string{"none", "basic"}, Doc: "Whether missing tables and columns are made (basic)."},
		{Name: "quote.identifiers", Type: config.Boolean, Default: "false", Importance: config.Low, Doc: "Whether names keep their capital letters."},
		{Name: "use.time.zone", Type: config.String, Default: "UTC", Check: checkZone, Doc: "Time zone of the connection: in it, times with a zone are stored in columns that have none."},
		{Name: "database.time_zone", Type: config.String, Check: checkZone, Doc: "The older name of use.time.zone."},
		{Name: "dialect.postgres.postgis.schema", Type: config.String, Default: "public", Importance: config.Low, Check: config.NotEmpty, Doc: "Schema of the extension PostGIS, for columns that are made."},
		{Name: "dialect.postgres.unnest.insert.enabled", Type: config.Boolean, Default: "false", Doc: "Has no effect: rows are always written many at a time."},
		{Name: "dialect.sqlserver.identity.insert", Type: config.Boolean, Default: "false", Importance: config.Low, Unsupported: "it is for SQL Server", Doc: "Whether identity columns of SQL Server are written."},
		{Name: "batch.size", Type: config.Int, Default: "500", Check: config.AtLeast(1), Doc: "How many rows are written with one statement at most."},
		{Name: "use.reduction.buffer", Type: config.Boolean, Default: "false", Doc: "Has no effect: with upsert, only the last change of a row in a batch is written."},
		{Name: "field.include.list", Type: config.List, Doc: "Regular expressions of the fields to store, as topic:field."},
		{Name: "field.exclude.list", Type: config.List, Doc: "Regular expressions of the fields not to store, as topic:field."},
		{Name: "flush.max.retries", Type: config.Int, Default: "5", Importance: config.Low, Doc: "Has no effect: " + retries + "."},
		{Name: "flush.retry.delay.ms", Type: config.Long, Default: "1000", Importance: config.Low, Doc: "Has no effect: " + retries + "."},
		{Name: "cloud.events.schema.name.pattern", Type: config.String, Default: `.*CloudEvents\.Envelope$`, Importance: config.Low, Unsupported: "CloudEvents are not unpacked", Doc: "Names of the schemas of CloudEvents."},
	}...),
}

func checkZone(v any) error {
	name, ok := v.(string)
	if !ok {
		return nil
	}
	if _, err := time.LoadLocation(name); err != nil || strings.EqualFold(name, "local") || name == "" {
		return errors.New("it is no time zone; one is Europe/Berlin")
	}
	return nil
}

// names with commas between.
func names(list string) (out []string) {
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// debeziumSettings of a configuration of Debezium's.
func debeziumSettings(v config.Values) (s *settings, problems []config.Problem) {
	s = &settings{
		keys: keyNames{mode: "primary.key.mode", fields: "primary.key.fields"},
		url:  v.String("connection.url"), user: v.String("connection.username"), password: v.String("connection.password"),
		mode: strings.ToLower(v.String("insert.mode")), deletes: v.Bool("delete.enabled"), truncate: v.Bool("truncate.enabled"),
		format: v.String("collection.name.format"), keyMode: strings.ToLower(v.String("primary.key.mode")), keyFields: names(v.String("primary.key.fields")),
		keepCase: v.Bool("quote.identifiers"), zone: v.String("use.time.zone"), postgis: v.String("dialect.postgres.postgis.schema"), batch: int(v.Int("batch.size")),
		underscores: true,
	}
	if older := v.String("table.name.format"); older != "" && !v.Set("collection.name.format") {
		s.format = older
	}
	if older := v.String("database.time_zone"); older != "" && !v.Set("use.time.zone") {
		s.zone = older
	}
	s.create = strings.EqualFold(v.String("schema.evolution"), "basic")
	s.evolve = s.create
	matcher := func(key string) *debezium.Matcher {
		text, _ := v.Raw(key)
		m, err := debezium.ParseMatcher(text)
		if err != nil {
			problems = append(problems, config.Problem{Key: key, Message: err.Error()})
		}
		return m
	}
	s.include, s.exclude = matcher("field.include.list"), matcher("field.exclude.list")
	if s.include != nil && s.exclude != nil {
		problems = append(problems, config.Problem{Key: "field.exclude.list", Message: `"field.include.list" is already specified`})
	}
	s.dialect = dialectOf(s.url, s.zone, s.postgis)
	return s, append(problems, s.check()...)
}
