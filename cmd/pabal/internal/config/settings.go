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

// Broker is the one in process.
type Broker struct{ Listen string }

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
	// Listen is host:port or Off.
	Listen string
	// RetainedAlarm is how much log a replication slot may keep.
	RetainedAlarm Bytes
}

// Off is a Listen where there shall be none.
const Off = "off"

// Auto is Connect.Listen where nobody said otherwise: AutoConnect beside the broker in this process
// if that port is free, and Off where brokers are given.
const Auto = "auto"

// AutoConnect is Kafka Connect's own port.
const AutoConnect = "127.0.0.1:8083"

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
