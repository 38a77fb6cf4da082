package demo

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/kafka"
)

// Options are the demo's flags; see the command for what they mean to people.
type Options struct {
	// Scenario is orders (also where empty), hello, hotel, library or all.
	Scenario string
	// Rate is shared by the scenarios, each gets as much.
	Rate     float64
	Duration time.Duration // 0: until interrupted
	Seed     uint64
	DataDir  string   // "": a fresh temporary one
	Kafka    []string // none: the broker in process
	Database string   // "sqlite" or a postgres:// URL
	Redis    string   // HOST:PORT or a redis:// URL; "": one in process
	Outbox   string   // relay (also where empty), cdc or cdc-message
	// Codec is what services write their events in, json or avro; each system's own where empty.
	Codec string
	JSON  bool
	Chaos bool
	// KafkaPort and Port are of the broker in process and of the service order, whether
	// it runs or not: the others are as far from it as usual. 0 takes free ones.
	KafkaPort, Port int
	// ConnectPort is of the REST API of connectors, with Outbox cdc and cdc-message; 0 takes a free one.
	ConnectPort int
	// RegistryPort is of the schema registry; 0 takes a free one.
	RegistryPort int
	// ConsolePort is the console's, 0 takes a free one; NoConsole starts none.
	ConsolePort int
	NoConsole   bool
	LogLevel    slog.Level
	MaxOpen     int
	// Drain bounds the wait for the last saga.
	Drain time.Duration

	Version        string
	Stdout, Stderr io.Writer
	// Live says that the text goes to a terminal that can redraw.
	Live bool
	// Width is that of the terminal, in columns.
	Width func() int
	// Self is the command line that runs this program again, for services as
	// child processes.
	Self []string
	// Interrupts delivers requests to finish; the second one aborts.
	Interrupts <-chan struct{}
}

// UsageError is a flag that cannot work.
type UsageError struct{ Text string }

func (e *UsageError) Error() string { return e.Text }

func usage(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

const (
	maxRate = 100_000
	sqlite  = "sqlite"
)

// Validate reports the first flag that cannot work.
func (o Options) Validate() error {
	switch {
	case len(o.chosen()) == 0:
		return usage("--scenario=%s: there are orders, hello, hotel, library and all", o.Scenario)
	case math.IsNaN(o.Rate) || o.Rate <= 0 || o.Rate > maxRate:
		return usage("--rate=%v: "+o.work()+" per second must be above 0 and at most %d", o.Rate, maxRate)
	case o.Duration < 0:
		return usage("--duration=%s: it cannot be negative (0 runs until Ctrl-C)", o.Duration)
	case o.MaxOpen < 1:
		return usage("--max-open=%d: at least 1 order must be allowed", o.MaxOpen)
	case o.Port < 0 || o.Port > 65535-o.portRange():
		return usage("--port=%d: %d ports from there on must be between 1 and 65535, or 0 for any free ones", o.Port, o.portRange()+1)
	case o.KafkaPort < 0 || o.KafkaPort > 65535:
		return usage("--kafka-port=%d: a port is between 1 and 65535, or 0 for any free one", o.KafkaPort)
	case o.ConsolePort < 0 || o.ConsolePort > 65535:
		return usage("--console-port=%d: a port is between 1 and 65535, or 0 for any free one", o.ConsolePort)
	case o.ConnectPort < 0 || o.ConnectPort > 65535:
		return usage("--connect-port=%d: a port is between 1 and 65535, or 0 for any free one", o.ConnectPort)
	case o.RegistryPort < 0 || o.RegistryPort > 65535:
		return usage("--registry-port=%d: a port is between 1 and 65535, or 0 for any free one", o.RegistryPort)
	case o.Codec != "" && o.Codec != service.CodecJSON && o.Codec != service.CodecAvro:
		return usage("--codec=%s: there are json and avro", o.Codec)
	case o.outboxName() != service.OutboxRelay && !o.captured():
		return usage("--outbox=%s: there are relay, cdc and cdc-message", o.Outbox)
	case o.Drain <= 0:
		return usage("--drain=%s: it must be above 0", o.Drain)
	}
	if len(o.Kafka) > 0 {
		if err := (kafka.Config{Brokers: o.Kafka}).Validate(); err != nil {
			return usage("--kafka: %s", err)
		}
	}
	if err := o.validateRedis(); err != nil {
		return err
	}
	if err := o.validateDatabase(); err != nil {
		return err
	}
	return o.validateCapture()
}

func (o Options) validateCapture() error {
	const example = "--database=postgres://user:password@host:port/database"
	if !o.captured() {
		return nil
	}
	if !o.postgres() {
		return usage("--outbox="+o.Outbox+": change data capture reads a database's log, and %s has none for others to read; name a PostgreSQL with %s (its wal_level must be logical)", o.Database, example)
	}
	if u, err := url.Parse(o.Database); err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") == "" {
		return usage("--outbox="+o.Outbox+": the connector needs host and database in %s", example)
	}
	return nil
}

// captured says that change data capture publishes the outboxes.
func (o Options) captured() bool { return o.Outbox == service.OutboxCDC || o.rowless() }

// rowless says that outboxes have no rows, as soon as the connector reads.
func (o Options) rowless() bool { return o.Outbox == service.OutboxCDCMessage }

func (o Options) outboxName() string { return cmp.Or(o.Outbox, service.OutboxRelay) }

func (o Options) validateDatabase() error {
	if o.Database == sqlite {
		return nil
	}
	const hint = "expected sqlite or postgres://user:password@host:port/database"
	if !o.postgres() {
		return usage("--database=%s: %s", redact(o.Database), hint)
	}
	if u, err := url.Parse(o.Database); err != nil || u.Host == "" && u.Query().Get("host") == "" {
		return usage("--database: the URL names no host (%s)", hint)
	}
	return nil
}

func (o Options) postgres() bool {
	return strings.HasPrefix(o.Database, "postgres://") || strings.HasPrefix(o.Database, "postgresql://")
}

func (o Options) embedded() bool { return len(o.Kafka) == 0 }

// kafkaName is what the report calls the log.
func (o Options) kafkaName() string {
	if o.embedded() {
		return "embedded"
	}
	return strings.Join(o.Kafka, ",")
}

func (o Options) databaseName() string {
	if o.postgres() {
		return "postgres"
	}
	return sqlite
}

// redact is a connection string without its secrets, for people.
func redact(database string) string {
	u, err := url.Parse(database)
	if err != nil || u.Scheme == "" {
		if scheme, _, ok := strings.Cut(database, "://"); ok {
			return scheme + "://…"
		}
		return database
	}
	clean := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, Opaque: u.Opaque}
	if name := u.User.Username(); name != "" {
		clean.User = url.User(name)
	}
	return clean.String()
}
