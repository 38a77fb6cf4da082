package postgres

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
)

// definition of the connector's keys.
func definition() config.Definition {
	d := config.Definition{Keys: debezium.CommonKeys(), Patterns: append(debezium.CommonPatterns(), debezium.RelationalPatterns()...)}
	d.Patterns = append(d.Patterns, "database.*", "driver.*")
	d = d.With(debezium.RelationalKeys()...)
	for _, keys := range [][]config.Key{connectionKeys(), slotKeys(), publicationKeys(), valueKeys(), snapshotKeys()} {
		d = d.With(keys...)
	}
	for name, why := range unsupported {
		if k, ok := d.Key(name); ok {
			d = d.With(refused(k, why))
		}
	}
	return d
}

// unsupported are settings that this connector would not heed.
var unsupported = map[string]string{
	"guardrail.collections.max":          "tables are not counted",
	"guardrail.collections.limit.action": "tables are not counted",
	"snapshot.lock.timeout.ms":           "no locks are taken",
	"snapshot.locking.mode":              "no locks are taken: a table that is altered meanwhile is read again",
	"snapshot.tables.order.by.row.count": "tables are read in the order of their names",
	"xmin.fetch.interval.ms":             "xmin is not read",
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

func connectionKeys() []config.Key {
	sslmode := choice("database.sslmode", "prefer", "Whether the connection is encrypted and the server's certificate checked.",
		"disable", "allow", "prefer", "require", "verify-ca", "verify-full")
	return []config.Key{
		required(key("database.hostname", config.String, "", config.High, "The server's name or address.")),
		key("database.port", config.Int, "5432", config.High, "The server's port."),
		required(key("database.user", config.String, "", config.High, "The role to log in as; it needs LOGIN and REPLICATION.")),
		key("database.password", config.Password, "", config.High, "The role's password."),
		required(key("database.dbname", config.String, "", config.High, "The database whose changes are captured.")),
		sslmode,
		key("database.sslcert", config.String, "", config.Medium, "The file of the client's certificate."),
		key("database.sslkey", config.String, "", config.Medium, "The file of the client's private key."),
		key("database.sslpassword", config.Password, "", config.Medium, "The password of the private key."),
		key("database.sslrootcert", config.String, "", config.Medium, "The file of certificates that the server's is checked against."),
		refused(key("database.sslfactory", config.String, "", config.Medium, "What makes encrypted connections."), "it names a class that runs in a JVM"),
		key("database.initial.statements", config.String, "", config.Low, "Statements for each new connection, with semicolons between; two of them stand for one."),
		key("database.tcpKeepAlive", config.Boolean, "true", config.Medium, "Accepted and of no effect: connections are always probed."),
		key("database.query.timeout.ms", config.Int, "600000", config.Low, "How long a query of a table's definition, or heartbeat.action.query, may take beside the stream, in milliseconds; 0 is without end."),
		key("read.only", config.Boolean, "false", config.Low, "Whether the database is a standby that is not written to: its publication must be there."),
	}
}

var slotName = regexp.MustCompile(`^[a-z0-9_]{1,63}$`)

func validSlot(v any) error {
	name, ok := v.(string)
	if !ok || slotName.MatchString(name) {
		return nil
	}
	return errors.New("Valid replication slot name must contain only digits, lowercase characters and underscores with length <= 63") //nolint:staticcheck // Debezium's own words
}

func onlyPgoutput(v any) error {
	if v == "pgoutput" {
		return nil
	}
	return fmt.Errorf("the plugin %v is not supported: pgoutput is in every PostgreSQL since 10", v)
}

// validParams are none of those that the connector sets itself, or that change what the plugin sends.
func validParams(v any) error {
	text, _ := v.(string)
	for _, part := range strings.Split(text, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, _, ok := strings.Cut(part, "=")
		switch name = strings.TrimSpace(name); {
		case !ok || name == "":
			return fmt.Errorf("%s has an invalid format (expecting 'name=value')", part)
		case slices.Contains([]string{"binary", "proto_version", "publication_names", "messages", "streaming", "two_phase"}, name):
			return fmt.Errorf("the parameter %s is not supported: the connector reads what pgoutput sends by its own choice of it", name)
		}
	}
	return nil
}

func slotKeys() []config.Key {
	return []config.Key{
		checked(key("plugin.name", config.String, "pgoutput", config.Medium, "The server's plugin for logical decoding; only pgoutput."), onlyPgoutput),
		checked(key("slot.name", config.String, "debezium", config.Medium, "The replication slot; it is made where it is not there. Each connector needs its own."), validSlot),
		key("slot.drop.on.stop", config.Boolean, "false", config.Medium, "Whether the slot is dropped when the task stops: changes until it starts again are then lost. For tests only."),
		key("slot.failover", config.Boolean, "false", config.Medium, "Whether the slot is made so that standbys take it over; PostgreSQL 17 and later."),
		checked(key("slot.stream.params", config.String, "", config.Low, "More options of the plugin: name=value, with semicolons between."), validParams),
		key("slot.max.retries", config.Int, "6", config.Low, "How often a slot that another connection uses is tried again before the task fails."),
		key("slot.retry.delay.ms", config.Long, "10000", config.Low, "How long to wait between these, in milliseconds."),
		choice("offset.mismatch.strategy", "trust_offset", "What to do where the slot is further than the stored position: fail, as changes are missing (trust_offset), go on from the slot's position (trust_slot, trust_greater_lsn), or do not look (no_validation).",
			"no_validation", "trust_offset", "trust_slot", "trust_greater_lsn"),
		checked(key("status.update.interval.ms", config.Int, "10000", config.Medium, "How often the server is told how far its log is needed, in milliseconds."), config.AtLeast(1)),
		key("lsn.flush.timeout.ms", config.Long, "30000", config.Medium, "Accepted and of no effect: nothing waits for the server to take a position."),
		choice("lsn.flush.timeout.action", "fail", "Accepted and of no effect, like lsn.flush.timeout.ms.", "fail", "warn", "ignore"),
		choice("lsn.flush.mode", "connector", "Who tells the server that its log is not needed any more: we, once it is stored in Kafka (connector, connector_and_driver), or nobody (manual).",
			"connector", "manual", "connector_and_driver"),
		key("flush.lsn.source", config.Boolean, "true", config.Low, "False is the former form of lsn.flush.mode=manual."),
		checked(key("xmin.fetch.interval.ms", config.Long, "0", config.Medium, "How often the slot's xmin is read for the source block, in milliseconds; 0 is never."), config.AtLeast(0)),
	}
}

func publicationKeys() []config.Key {
	return []config.Key{
		key("publication.name", config.String, "dbz_publication", config.Medium, "The publication whose tables are streamed."),
		choice("publication.autocreate.mode", "all_tables", "What becomes of a publication that is not there: it is made for all tables (all_tables), for those captured, and kept so (filtered), for none (no_tables), or it is an error (disabled).",
			"all_tables", "disabled", "filtered", "no_tables"),
		checked(key("replica.identity.autoset.values", config.String, "", config.Medium, "Replica identities that tables get at the start: pattern:DEFAULT, FULL, NOTHING or INDEX name, with commas between."), validIdentities),
		key(visibleKey, config.Boolean, "false", config.Low, "Whether the records of a transaction wait until every session of the server sees what it did. A commit is in the log before that, so that an answer to a record may come before its row is seen. Debezium does not have this option."),
		key("publish.via.partition.root", config.Boolean, "false", config.Low, "Whether changes in partitions are those of the partitioned table."),
	}
}

func valueKeys() []config.Key {
	return []config.Key{
		choice("hstore.handling.mode", "json", "How hstore is written: as text of JSON (json) or as a map (map).", "json", "map"),
		choice("interval.handling.mode", "numeric", "How intervals are written: as microseconds (numeric), where a month has 30.4375 days, or as text of ISO 8601 (string).", "numeric", "string"),
		key("money.fraction.digits", config.Short, "2", config.Medium, "How many digits amounts of money have after the point."),
		key("include.unknown.datatypes", config.Boolean, "false", config.Low, "Whether columns of types that have no schema are written as bytes of their text."),
		choice("schema.refresh.mode", "columns_diff", "Accepted and of no effect: the server tells of every change of a table.", "columns_diff", "columns_diff_exclude_unchanged_toast"),
		key("message.prefix.include.list", config.List, "", config.Medium, "The prefixes of pg_logical_emit_message to capture. Regular expressions, with commas between."),
		key("message.prefix.exclude.list", config.List, "", config.Medium, "The prefixes not to capture. Regular expressions, with commas between."),
	}
}

func snapshotKeys() []config.Key {
	locking := choice("snapshot.locking.mode", "none", "Whether tables are locked against changes of their definitions for a moment (shared).", "shared", "none")
	mode := choice("snapshot.mode", "initial", "When rows are read before changes are streamed: where no position is stored (initial), also where it is no longer in the log (when_needed), at each start (always), once and without streaming (initial_only), never (no_data, never), or as snapshot.mode.configuration.based says.",
		"always", "initial", "initial_only", "no_data", "never", "when_needed", "configuration_based")
	return []config.Key{
		mode, locking,
		choice("snapshot.isolation.mode", "serializable", "Accepted and of no effect: a snapshot is one point of the log, which repeatable_read and serializable are both.",
			"serializable", "repeatable_read", "read_committed", "read_uncommitted"),
	}
}

var identityPattern = regexp.MustCompile(`^\s*([^\s:]+):(?i:(DEFAULT|FULL|NOTHING)|INDEX\s+(\S+))\s*$`)

func validIdentities(v any) error {
	text, _ := v.(string)
	if text == "" {
		return nil
	}
	for _, part := range strings.Split(text, ",") {
		if !identityPattern.MatchString(part) {
			return fmt.Errorf("%s has an invalid format (expecting '%s')", part, identityPattern)
		}
	}
	return nil
}
