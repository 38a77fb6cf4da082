// Package config is the configuration of pabal up: one table of settings, from which
// the file, the environment, the flags, `config explain`, `config example` and the
// documentation are made. Flags count more than the environment, that more than the
// file, that more than a configuration server, that more than the default. What is not
// in the table is refused.
package config

import (
	"log/slog"
	"time"

	"github.com/pabal-dev/pabal/console/mask"
)

// Settings are the values, from wherever they come.
type Settings struct {
	// DataDir keeps everything between runs; "": nothing is kept.
	DataDir      string
	ConfigServer ConfigServer
	Kafka        Kafka
	Broker       Broker
	Console      Console
	Connect      Connect
	Registry     Registry
	Services     Services
	Lens         Lens
	Mask         Mask
	Audit        Audit
	Log          Log
	OTel         OTel
}

// Kafka is the cluster; without Brokers the one in process.
type Kafka struct {
	Brokers []string
	Prefix  string
	TLS     KafkaTLS
	SASL    SASL
}

// KafkaTLS encrypts the connections to the brokers.
type KafkaTLS struct {
	Enabled       bool
	CA, Cert, Key string // PEM files
}

// SASL authenticates to the brokers.
type SASL struct {
	Mechanism, User, Password, PasswordFile string
}

// Console is the web console and its JSON API.
type Console struct {
	// Listen is host:port or Off.
	Listen         string
	BasePath       string
	TLSCert        string
	TLSKey         string
	Users          string
	AllowedHosts   []string
	AllowPlainHTTP bool
}

// Connect is the REST API of connectors.
type Connect struct {
	// Listen is host:port, Off or Auto.
	Listen string
	// RetainedAlarm is how much log a replication slot may keep.
	RetainedAlarm Bytes
}

// Off is a Listen where there shall be none.
const Off = "off"

// Auto is Connect.Listen and Registry.Listen where nobody said otherwise: AutoConnect and AutoRegistry
// beside the broker in this process if that port is free, and Off where brokers, or another registry, are given.
const Auto = "auto"

// The ports of Kafka Connect and of Confluent's registry themselves.
const (
	AutoConnect  = "127.0.0.1:8083"
	AutoRegistry = "127.0.0.1:8081"
)

// Registry is the schema registry.
type Registry struct {
	// Listen is host:port of its REST API, Off or Auto.
	Listen string
	// URL is another one that the console shows, with its credentials.
	URL, User, Password, PasswordFile string
}

// Services are those the console may ask.
type Services struct {
	Allow            []string
	Token, TokenFile string
}

// Lens bounds the index of the log.
type Lens struct {
	Include, Exclude []string
	Window           time.Duration
	MaxEvents        int64
	MaxBytes         Bytes
}

// Mask hides parts of messages.
type Mask struct{ Rules []mask.Rule }

// Audit is the audit log.
type Audit struct{ File string }

// Log is what the process says on standard error.
type Log struct {
	Level  slog.Level
	Format string
}

// OTel is where spans go.
type OTel struct{ Endpoint string }
