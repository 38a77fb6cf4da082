package mysql

import (
	"errors"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
)

// definition of a connector's keys.
func (f flavor) definition() config.Definition {
	d := config.Definition{Patterns: append(debezium.CommonPatterns(), debezium.RelationalPatterns()...)}
	for _, k := range debezium.CommonKeys() {
		if k.Name == "topic.naming.strategy" {
			k.Default = debezium.DefaultStrategy
		}
		d.Keys = append(d.Keys, k)
	}
	for _, k := range debezium.RelationalKeys() {
		if k.Name != "schema.include.list" && k.Name != "schema.exclude.list" {
			d = d.With(k)
		}
	}
	d.Patterns = append(d.Patterns, "database.*", "driver.*", "schema.history.internal.*")
	for _, keys := range [][]config.Key{f.connectionKeys(), logKeys(), tableKeys(), f.snapshotKeys()} {
		d = d.With(keys...)
	}
	return d
}

func key(name string, t config.Type, fallback string, importance config.Importance, doc string) config.Key {
	return config.Key{Name: name, Type: t, Default: fallback, Importance: importance, Doc: doc}
}

func choice(name, fallback, doc string, all ...string) config.Key {
	return config.Key{Name: name, Type: config.String, Default: fallback, Doc: doc, Check: config.OneOf(all...), Recommended: all}
}

func required(k config.Key) config.Key {
	k.Required, k.Importance = true, config.High
	return k
}

func checked(k config.Key, check func(any) error) config.Key {
	k.Check = check
	return k
}

func refused(k config.Key, why string) config.Key {
	k.Unsupported = why
	return k
}

func validServer(v any) error {
	if n, ok := v.(int64); ok && (n < 1 || n > 1<<32-1) {
		return errors.New("A positive value of at most 4294967295 is expected") //nolint:staticcheck // as the others
	}
	return nil
}

func (f flavor) connectionKeys() []config.Key {
	const jks = "stores are files of a JVM: the system's certificates are used"
	ssl := choice("database.ssl.mode", "preferred", "Whether the connection is encrypted and the server's certificate checked.",
		"disabled", "preferred", "required", "verify_ca", "verify_identity")
	if f == mariadb {
		ssl = choice("database.ssl.mode", "disable", "Whether the connection is encrypted and the server's certificate checked.",
			"disable", "trust", "verify-ca", "verify-full")
	}
	return []config.Key{
		required(key("database.hostname", config.String, "", config.High, "The server's name or address.")),
		key("database.port", config.Int, "3306", config.High, "The server's port."),
		required(key("database.user", config.String, "", config.High, "The user to log in as; the rights needed are SELECT, RELOAD, REPLICATION SLAVE and REPLICATION CLIENT, which MariaDB calls BINLOG MONITOR.")),
		key("database.password", config.Password, "", config.High, "The user's password."),
		checked(required(key("database.server.id", config.Long, "", config.High, "The number that the source has among the server's replicas; no other replica may have it.")), validServer),
		key("database.server.id.offset", config.Long, "10000", config.High, "Accepted and of no effect: a snapshot needs no number."),
		ssl,
		refused(key("database.ssl.keystore", config.String, "", config.Medium, "The client's certificate."), jks),
		refused(key("database.ssl.keystore.password", config.Password, "", config.Medium, "The password of the client's certificate."), jks),
		refused(key("database.ssl.truststore", config.String, "", config.Medium, "The certificates that the server's is checked against."), jks),
		refused(key("database.ssl.truststore.password", config.Password, "", config.Medium, "The password of these certificates."), jks),
		refused(key("database.jdbc.driver", config.Class, "", config.Medium, "The driver's class."), "it names a class that runs in a JVM"),
		key("database.initial.statements", config.String, "", config.Low, "Statements for each new connection but that of the binary log, with semicolons between; two of them stand for one."),
		key("database.query.timeout.ms", config.Int, "600000", config.Low, "Accepted and of no effect: queries end with the task."),
		key("connect.timeout.ms", config.Int, "30000", config.Medium, "How long to wait for a connection, in milliseconds."),
		key("connect.keep.alive", config.Boolean, "true", config.Low, "Accepted and of no effect: connections are always probed."),
		key("connect.keep.alive.interval.ms", config.Long, "60000", config.Low, "How long the binary log may be silent before its connection is made again, in milliseconds."),
		key("read.only", config.Boolean, "false", config.Low, "Whether nothing is written to the database. Incremental snapshots and heartbeat.action.query write, and are refused then."),
	}
}

func logKeys() []config.Key {
	return []config.Key{
		key("include.query", config.Boolean, "false", config.Medium, "Whether the source block has the statement that made the change; the server must log it (binlog_annotate_row_events, binlog_rows_query_log_events)."),
		key("binlog.buffer.size", config.Int, "0", config.Medium, "Accepted and of no effect: the log has only transactions that were committed."),
		key("binlog.metadata.based.schema", config.Boolean, "true", config.Low, "Accepted and of no effect: columns come from the binary log wherever it tells them."),
		key("gtid.source.includes", config.List, "", config.High, "The sources of the transactions whose changes are streamed: regular expressions of MySQL's server UUIDs, or of MariaDB's <domain>-<server>, with commas between."),
		key("gtid.source.excludes", config.String, "", config.Medium, "The sources of the transactions whose changes are not streamed, as gtid.source.includes has them."),
		refused(key("gtid.source.filter.dml.events", config.Boolean, "true", config.Medium, "Whether changes of other sources are left out."), "the filter of sources is there for nothing else here"),
		key("gtid.ignore.on.recovery", config.Boolean, "false", config.Low, "Whether a restart goes on by file and position though there are global transaction ids."),
		choice("event.deserialization.failure.handling.mode", "fail", "The former name of event.processing.failure.handling.mode, which is the one that counts.", "fail", "warn", "skip", "ignore"),
		choice("inconsistent.schema.handling.mode", "fail", "What becomes of changes whose columns are not known: the task fails (fail), or they are skipped with a warning (warn) or without (skip, ignore).", "fail", "warn", "skip", "ignore"),
	}
}

func tableKeys() []config.Key {
	return []config.Key{
		choice("time.precision.mode", "adaptive_time_microseconds", "How dates and times are written: by the column's precision with times in microseconds (adaptive_time_microseconds), as Kafka Connect's types (connect), as text (isostring), or in one unit (microseconds, nanoseconds).",
			"adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds"),
		choice("bigint.unsigned.handling.mode", "long", "How unsigned bigints are written: as int64, where the largest become negative (long), or as decimals (precise).", "long", "precise"),
		refused(key("enable.time.adjuster", config.Boolean, "true", config.Low, "Whether years of two digits are those of 1970 to 2069."), "the server stores years of four digits"),
		key("min.row.count.to.stream.results", config.Int, "1000", config.Low, "Accepted and of no effect: results are always streamed."),
		key("include.schema.changes", config.Boolean, "false", config.Medium, "Whether definitions of tables, and statements that change them, are written to the topic that topic.prefix names."),
		key("heartbeat.action.query", config.String, "", config.Low, "A statement that each heartbeat runs in the database."),
	}
}

func (f flavor) snapshotKeys() []config.Key {
	const none = "a snapshot reads one table after the other"
	locks := []string{"minimal", "extended", "none"}
	if f == mysql {
		locks = append(locks, "minimal_percona", "minimal_percona_no_table_locks")
	}
	return []config.Key{
		choice("snapshot.mode", "initial", "When rows are read before changes are streamed: where no position is stored (initial), also where it is no longer in the log (when_needed), at each start (always), once and without streaming (initial_only), never (no_data, recovery), or as snapshot.mode.configuration.based says.",
			"always", "initial", "initial_only", "no_data", "recovery", "when_needed", "configuration_based"),
		choice("snapshot.locking.mode", "minimal", "How long a snapshot keeps others from writing: until its transaction has begun (minimal), to its end (extended), or not at all (none).", locks...),
		refused(key("snapshot.max.threads", config.Int, "1", config.Medium, "How many connections a snapshot reads with."), none),
		refused(key("snapshot.select.statement.overrides", config.String, "", config.Medium, "Tables that a snapshot reads with a statement of their own."), "a snapshot reads whole tables"),
	}
}
