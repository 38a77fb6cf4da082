package postgres

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/postgres/internal/values"
)

// options of a task, ready for use.
type options struct {
	*debezium.Relational
	database              string
	slot, publication     string
	autocreate            string
	failover, dropOnStop  bool
	viaRoot, readOnly     bool
	mismatch              string
	snapshotMode          string
	flush                 bool
	status, xmin          time.Duration
	query                 time.Duration // how long one may take beside the stream; 0 is without end
	slotRetries           int
	slotDelay             time.Duration
	streamParams          []string // pairs of name and value
	values                values.Options
	messages              messageFilter
	dataRows, startStream bool // of snapshot.mode=configuration_based
	threads               int
	lenient               bool // values that do not fit their type are null
	skipFailed            bool // events that cannot be processed are skipped
}

// system tables are those of PostgreSQL itself.
func system(id debezium.TableID) bool {
	switch id.Schema {
	case "pg_catalog", "information_schema", "pg_toast":
		return true
	}
	return false
}

func newOptions(v config.Values) (*options, error) {
	r, err := debezium.NewRelational(v, debezium.Database{Schemas: true, System: system})
	if err != nil {
		return nil, err
	}
	o := &options{
		Relational: r, database: v.String("database.dbname"),
		slot: v.String("slot.name"), publication: v.String("publication.name"),
		autocreate: lower(v, "publication.autocreate.mode"), failover: v.Bool("slot.failover"),
		dropOnStop: v.Bool("slot.drop.on.stop"), viaRoot: v.Bool("publish.via.partition.root"), readOnly: v.Bool("read.only"),
		mismatch: lower(v, "offset.mismatch.strategy"), snapshotMode: lower(v, "snapshot.mode"),
		flush:  v.Bool("flush.lsn.source") && lower(v, "lsn.flush.mode") != "manual",
		status: v.Millis("status.update.interval.ms"), xmin: v.Millis("xmin.fetch.interval.ms"),
		query:       v.Millis("database.query.timeout.ms"),
		slotRetries: int(v.Int("slot.max.retries")), slotDelay: v.Millis("slot.retry.delay.ms"),
		dataRows:    v.Bool("snapshot.mode.configuration.based.snapshot.data"),
		startStream: v.Bool("snapshot.mode.configuration.based.start.stream"),
		threads:     int(v.Int("snapshot.max.threads")),
		lenient:     lower(v, "event.converting.failure.handling.mode") != "fail",
		skipFailed:  lower(v, "event.processing.failure.handling.mode") != "fail",
	}
	o.values = values.Options{
		Decimal: lower(v, "decimal.handling.mode"), Time: lower(v, "time.precision.mode"), Binary: lower(v, "binary.handling.mode"),
		HStore: lower(v, "hstore.handling.mode"), Interval: lower(v, "interval.handling.mode"),
		MoneyDigits: int(v.Int("money.fraction.digits")), Placeholder: v.String("unavailable.value.placeholder"),
		Unknown: v.Bool("include.unknown.datatypes"),
	}
	for _, part := range strings.Split(v.String("slot.stream.params"), ";") {
		if name, value, ok := strings.Cut(part, "="); ok {
			o.streamParams = append(o.streamParams, strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
	o.messages, err = newMessageFilter(v)
	return o, err
}

func lower(v config.Values, key string) string { return strings.ToLower(v.String(key)) }

// connection is where and how to connect.
func connection(v config.Values) (*pgx.ConnConfig, error) {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(v.String("database.user"), v.String("database.password")),
		Host: net.JoinHostPort(v.String("database.hostname"), strconv.FormatInt(v.Int("database.port"), 10)),
		Path: "/" + v.String("database.dbname"),
	}
	query := url.Values{}
	for _, name := range []string{"sslmode", "sslcert", "sslkey", "sslpassword", "sslrootcert"} {
		if value := v.String("database." + name); value != "" {
			query.Set(name, value)
		}
	}
	query.Set("application_name", "pabal")
	query.Set("connect_timeout", "30")
	u.RawQuery = query.Encode()
	c, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, fmt.Errorf("%w: the connection to the database: %w", config.ErrConfig, err)
	}
	for name, value := range values.Settings {
		c.RuntimeParams[name] = value
	}
	c.DefaultQueryExecMode = pgx.QueryExecModeExec // poolers have no prepared statements for us
	if c.TLSConfig != nil {
		c.TLSConfig.MinVersion = tls.VersionTLS12
	}
	return c, nil
}
