package broker

import (
	"crypto/tls"
	"log/slog"
	"time"
)

// Durability is what an acknowledgement means.
type Durability string

// What an acknowledged record survives.
const (
	// Fsync: a power cut. The records of all partitions that come while one sync runs
	// are the next one. The default with a data folder.
	Fsync Durability = "fsync"
	// OS: a kill of this process; the operating system writes it down when it likes,
	// as it does for Apache Kafka.
	OS Durability = "os"
	// Memory: nothing. The default without a data folder, and the only one then.
	Memory Durability = "memory"
)

// Config of a broker; the zero value serves 127.0.0.1:9092 from memory.
type Config struct {
	// Addr to listen on, host:port; "127.0.0.1:9092" by default, port 0 is any free
	// one. Others than loopback need TLS or InsecureListen.
	Addr string
	// Advertised is the host:port that clients are told to connect to; by default the
	// one listened on, or this machine's name where that is all of its addresses.
	Advertised string
	// DataDir keeps the log; empty: in memory. One broker at a time may have it.
	DataDir string
	// Durability of what is acknowledged.
	Durability Durability
	// Partitions of topics created without a number; 4 by default.
	Partitions int
	// NoAutoCreate refuses topics nobody created. By default a client that
	// asks for one with auto-creation gets it, as from Apache Kafka.
	NoAutoCreate bool
	// Settings are the broker's own by Kafka's names, such as log.retention.ms; topics'
	// settings go before them. Unknown ones are refused.
	Settings map[string]string

	// TLS, unless nil, encrypts all connections. ClientAuth in it asks for certificates,
	// whose subject is then the principal.
	TLS *tls.Config
	// Users, unless empty, have every connection authenticate (PLAIN, SCRAM-SHA-256,
	// SCRAM-SHA-512): passwords by user name, which are set when the broker starts.
	// Further users are made with kafka-configs or kadm.
	Users map[string]string
	// ACLs has access rules decide who may do what: nobody anything but SuperUsers,
	// until rules allow it.
	ACLs bool
	// SuperUsers, such as "User:admin", may do everything.
	SuperUsers []string
	// InsecureListen allows others than loopback to connect without TLS.
	InsecureListen bool

	// MaxRequestBytes bounds one request; 32 MiB by default. A larger one ends
	// its connection.
	MaxRequestBytes int
	// MaxBufferBytes bounds all requests that are read or answered together; 128 MiB by
	// default. Connections wait for room. Half as much, beside that, is for records that are
	// read for consumers.
	MaxBufferBytes int64
	// MaxConnections at a time; 4096 by default. More are closed.
	MaxConnections int
	// MaxPartitions of all topics together; 20,000 by default.
	MaxPartitions int
	// MinSessionTimeout is the shortest session timeout a member of a consumer
	// group may ask for; 6 s by default, as of Apache Kafka.
	MinSessionTimeout time.Duration
	// InitialRebalanceDelay is how long the first rebalance of an empty group waits for
	// more members; 0 by default, Apache Kafka's is 3 s.
	InitialRebalanceDelay time.Duration

	// Faults, unless nil, are what tests do to the broker.
	Faults *Faults
	// Now is the clock; time.Now where nil.
	Now func() time.Time
	// Logger; slog.Default() where nil.
	Logger *slog.Logger
}

// DefaultAddr is where a broker listens by default.
const DefaultAddr = "127.0.0.1:9092"
