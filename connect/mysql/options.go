package mysql

import (
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/mysql/internal/values"
)

// flavor of the server, as the driver calls it.
type flavor string

const (
	mariadb flavor = "mariadb"
	mysql   flavor = "mysql"
)

// options of a task, ready for use.
type options struct {
	*debezium.Relational
	flavor                flavor
	server                uint32
	silence               time.Duration
	query, byFile         bool
	snapshotMode, locking string
	lockTimeout           time.Duration
	dataRows, startStream bool // of snapshot.mode=configuration_based
	values                values.Options
	lenient               bool // values that do not fit their type are null
	skipFailed            bool // events that cannot be processed are skipped
	skipUnknown           bool // changes whose columns are not known are skipped
	origins               origins
	action                string // heartbeat.action.query
	definitions           bool   // include.schema.changes
}

// system tables are those of the server itself.
func system(id debezium.TableID) bool { return systemDatabase(id.Catalog) }

func systemDatabase(name string) bool {
	switch strings.ToLower(name) {
	case "mysql", "performance_schema", "sys", "information_schema":
		return true
	}
	return false
}

func newOptions(f flavor, v config.Values) (*options, error) {
	r, err := debezium.NewRelational(v, debezium.Database{System: system})
	if err != nil {
		return nil, err
	}
	o := &options{
		Relational: r, flavor: f, server: uint32(v.Int("database.server.id")),
		silence: v.Millis("connect.keep.alive.interval.ms"),
		query:   v.Bool("include.query"), byFile: v.Bool("gtid.ignore.on.recovery"),
		snapshotMode: lower(v, "snapshot.mode"), locking: lower(v, "snapshot.locking.mode"),
		lockTimeout: v.Millis("snapshot.lock.timeout.ms"),
		dataRows:    v.Bool("snapshot.mode.configuration.based.snapshot.data"),
		startStream: v.Bool("snapshot.mode.configuration.based.start.stream"),
		lenient:     lower(v, "event.converting.failure.handling.mode") != "fail",
		skipFailed:  lower(v, "event.processing.failure.handling.mode") != "fail",
		skipUnknown: lower(v, "inconsistent.schema.handling.mode") != "fail",
	}
	o.action, o.definitions = v.String("heartbeat.action.query"), v.Bool("include.schema.changes")
	if o.origins, err = newOrigins(v); err != nil {
		return nil, err
	}
	if v.Bool("read.only") && len(r.Signals) > 0 {
		return nil, config.Problem{Key: "read.only", Message: "incremental snapshots write marks into signal.data.collection: leave read.only out, or signal.data.collection"}
	}
	if v.Bool("read.only") && o.action != "" {
		return nil, config.Problem{Key: "read.only", Message: "heartbeat.action.query writes to the database: leave one of the two out"}
	}
	o.values = values.Options{
		Decimal: r.Decimal, Time: r.Time, Binary: r.Binary,
		PreciseBigints: lower(v, "bigint.unsigned.handling.mode") == "precise",
	}
	return o, nil
}

func lower(v config.Values, key string) string { return strings.ToLower(v.String(key)) }
