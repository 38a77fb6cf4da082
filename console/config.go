package console

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"

	"github.com/pabal-dev/pabal/console/audit"
	"github.com/pabal-dev/pabal/console/auth"
	"github.com/pabal-dev/pabal/console/lens"
	"github.com/pabal-dev/pabal/console/mask"
	"github.com/pabal-dev/pabal/kafka"
)

// Config of a console. Only Kafka is required.
type Config struct {
	Kafka kafka.Config
	// DataDir has the index, the redrives and the audit log, in files of its own. ""
	// keeps all of it for as long as the console runs.
	DataDir string
	// AuditFile has the audit log; audit.jsonl in DataDir where empty.
	AuditFile string
	// Audit is an audit log that is open already, instead of AuditFile: it is for programs that write
	// to it, too, and stays theirs to close.
	Audit *audit.Log

	// Listen is the Server's address, DefaultListen where empty. Others than loopback
	// need Users, and TLS or AllowPlainHTTP.
	Listen string
	// TLS has the Server's certificate.
	TLS *tls.Config
	// AllowPlainHTTP is for a proxy before the console that ends TLS and passes the
	// Host header on.
	AllowPlainHTTP bool
	// Base is the path the console is mounted at, such as "/pabal"; "" for the root.
	Base string
	// AllowedHosts are names, with the port where it is not the usual one, under which
	// browsers reach the console, beside loopback and the address listened on.
	AllowedHosts []string
	// Users who may log in; nil: whoever is on this machine may do everything, and
	// nobody else anything.
	Users *auth.Users

	// Mask hides parts of messages by role.
	Mask []mask.Rule
	// ServiceHosts are hosts of services, beside loopback, that the console asks;
	// ServiceToken is sent to them. See fleet.Config.
	ServiceHosts []string
	ServiceToken string
	// Broker is the one of Kafka that is in this process; nil where it is elsewhere.
	Broker Broker
	// ConnectURL is Kafka Connect's REST API, whose connectors are shown; "" for none.
	ConnectURL string
	// ConnectHTTP asks it; a client with a bound on time where nil.
	ConnectHTTP *http.Client
	// RegistryURL is the REST API of a schema registry, whose schemas are shown and used to show
	// keys and values; "" for none. It has no user and password.
	RegistryURL string
	// RegistryHTTP asks it, with credentials where it wants some; a client with a bound on time
	// where nil.
	RegistryHTTP *http.Client
	// RetainedAlarm is how many bytes of log a replication slot of a connector may keep before
	// there is an alarm; 1 GiB where 0.
	RetainedAlarm int64
	// Metrics writes more metrics beside the console's own, in Prometheus' format; nil for none.
	Metrics func(io.Writer)
	// Lens bounds the index of the log. Its Path, Services and Logger are the console's.
	Lens lens.Config

	// Version is shown to people.
	Version string
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
}
