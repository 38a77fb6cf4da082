package config

import (
	"strings"

	"github.com/pabal-dev/pabal/cloudconfig"
)

// Setting is a line of the table.
type Setting struct {
	// Key in the file: sections and a name, such as "kafka.tls.ca".
	Key string
	// Flag without dashes, where it is not the key with dashes; NoFlag for none.
	Flag string
	// Default as text; "" is none.
	Default string
	// Placeholder in help, Example in the example file.
	Placeholder, Example string
	Help                 string
	// Secret values are never shown.
	Secret bool
	// Shown is what people see of a value, where that is not all of it.
	Shown func(string) string
	// Enum has the values allowed; nil for any.
	Enum []string

	field func(*Settings) any // a pointer of one of the types set knows
}

// NoFlag is the Flag of what does not belong on a command line, which others see.
const NoFlag = "-"

// FlagName is the flag without dashes, "" where there is none.
func (s Setting) FlagName() string {
	switch s.Flag {
	case NoFlag:
		return ""
	case "":
		return strings.ReplaceAll(s.Key, ".", "-")
	}
	return s.Flag
}

// EnvPrefix begins the name of every variable.
const EnvPrefix = "PABAL_"

// Env is the variable's name.
func (s Setting) Env() string {
	return EnvPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(s.Key))
}

// Table has every setting, by section.
var Table = []Setting{
	{Key: "data-dir", Placeholder: "DIR", Example: "/var/lib/pabal",
		Help:  "Folder for everything that is kept: the log of the broker in this process, the console's index, redrives and audit log. Without it nothing is kept.",
		field: func(s *Settings) any { return &s.DataDir }},

	{Key: "config-server.url", Flag: "config-server", Placeholder: "URL", Example: "optional:http://config.internal:8888", Shown: cloudconfig.Redact,
		Help:  "Server with more settings, in the JSON format of Spring Cloud Config: " + cloudconfig.Forms + ". Its keys are these with pabal. before them; they count less than the file. optional: goes on without it where it is away.",
		field: func(s *Settings) any { return &s.ConfigServer.URL }},
	{Key: "config-server.application", Default: "pabal", Placeholder: "NAME",
		Help:  "Application that is asked for there.",
		field: func(s *Settings) any { return &s.ConfigServer.Application }},
	{Key: "config-server.profiles", Placeholder: "NAME", Example: "[production]",
		Help:  "Profiles that are asked for there; default, and what spring.profiles.active says there, where none is given.",
		field: func(s *Settings) any { return &s.ConfigServer.Profiles }},
	{Key: "config-server.label", Placeholder: "NAME", Example: "main",
		Help:  "Branch, tag or version that is asked for there; the server's own where none is given.",
		field: func(s *Settings) any { return &s.ConfigServer.Label }},

	{Key: "kafka.brokers", Flag: "kafka", Placeholder: "HOST:PORT", Example: "[kafka-1:9092, kafka-2:9092]",
		Help:  "Kafka brokers, separated by commas; without them a broker runs in this process.",
		field: func(s *Settings) any { return &s.Kafka.Brokers }},
	{Key: "kafka.prefix", Placeholder: "TEXT", Example: "tenant-a.",
		Help:  "Stands before every topic, group and transactional id of the services.",
		field: func(s *Settings) any { return &s.Kafka.Prefix }},
	{Key: "kafka.tls.enabled", Flag: "kafka-tls", Default: "false",
		Help:  "Connect to Kafka with TLS; with the system's certificate authorities unless kafka.tls.ca is given.",
		field: func(s *Settings) any { return &s.Kafka.TLS.Enabled }},
	{Key: "kafka.tls.ca", Placeholder: "FILE", Example: "/etc/pabal/kafka-ca.pem",
		Help:  "Certificate authorities of the brokers (PEM); TLS is on then.",
		field: func(s *Settings) any { return &s.Kafka.TLS.CA }},
	{Key: "kafka.tls.cert", Placeholder: "FILE", Example: "/etc/pabal/kafka-client.pem",
		Help:  "This client's certificate (PEM), where the brokers want one.",
		field: func(s *Settings) any { return &s.Kafka.TLS.Cert }},
	{Key: "kafka.tls.key", Placeholder: "FILE", Example: "/etc/pabal/kafka-client.key",
		Help:  "The key of kafka.tls.cert (PEM).",
		field: func(s *Settings) any { return &s.Kafka.TLS.Key }},
	{Key: "kafka.sasl.mechanism", Placeholder: "NAME", Example: "SCRAM-SHA-512", Enum: []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"},
		Help:  "How to authenticate to the brokers.",
		field: func(s *Settings) any { return &s.Kafka.SASL.Mechanism }},
	{Key: "kafka.sasl.user", Placeholder: "NAME", Example: "pabal",
		Help:  "User of kafka.sasl.mechanism.",
		field: func(s *Settings) any { return &s.Kafka.SASL.User }},
	{Key: "kafka.sasl.password", Flag: NoFlag, Secret: true, Example: "secret",
		Help:  "His password; not a flag, because others see command lines.",
		field: func(s *Settings) any { return &s.Kafka.SASL.Password }},
	{Key: "kafka.sasl.password-file", Placeholder: "FILE", Example: "/run/secrets/kafka-password",
		Help:  "File whose first line is his password.",
		field: func(s *Settings) any { return &s.Kafka.SASL.PasswordFile }},

	{Key: "broker.listen", Flag: "broker", Default: "127.0.0.1:9092", Placeholder: "HOST:PORT",
		Help:  "Where the broker in this process listens, port 0 takes any free one. An address that is not loopback needs TLS and broker.users or broker.tls.client-ca. All of broker is without effect where kafka.brokers is given.",
		field: func(s *Settings) any { return &s.Broker.Listen }},
	{Key: "broker.advertised", Placeholder: "HOST:PORT", Example: "kafka.internal:9092",
		Help:  "Where clients are told to connect, where that is not the address listened on: behind a proxy, in a container, or with an address such as 0.0.0.0.",
		field: func(s *Settings) any { return &s.Broker.Advertised }},
	{Key: "broker.durability", Flag: "durability", Default: Auto, Placeholder: "WHAT", Enum: []string{Auto, Fsync, OS, Memory},
		Help:  "What a record that was acknowledged survives. fsync: a power cut, because it is on the disk before the answer. os: the end and the kill of this process, not of the machine. memory: nothing. auto is fsync with data-dir, and memory without.",
		field: func(s *Settings) any { return &s.Broker.Durability }},
	{Key: "broker.tls.cert", Placeholder: "FILE", Example: "/etc/pabal/broker.pem",
		Help:  "The broker's certificate (PEM); all its connections are TLS then.",
		field: func(s *Settings) any { return &s.Broker.TLSCert }},
	{Key: "broker.tls.key", Placeholder: "FILE", Example: "/etc/pabal/broker.key",
		Help:  "The key of broker.tls.cert (PEM).",
		field: func(s *Settings) any { return &s.Broker.TLSKey }},
	{Key: "broker.tls.client-ca", Placeholder: "FILE", Example: "/etc/pabal/clients-ca.pem",
		Help:  "Certificate authorities of clients (PEM): each must show a certificate of theirs, whose subject is its principal unless it logs in.",
		field: func(s *Settings) any { return &s.Broker.TLSClientCA }},
	{Key: "broker.users", Placeholder: "FILE", Example: "/etc/pabal/broker-users",
		Help:  "File with a user a line, NAME:PASSWORD, that only its owner can read. Every client must log in then, with PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.",
		field: func(s *Settings) any { return &s.Broker.Users }},
	{Key: "broker.acls", Default: "false",
		Help:  "Have access rules decide who may do what: nobody anything but broker.super-users, until rules are made (kafka-acls).",
		field: func(s *Settings) any { return &s.Broker.ACLs }},
	{Key: "broker.super-users", Placeholder: "USER", Example: "[\"User:admin\"]",
		Help:  "Who may do everything, such as User:admin, or User:CN=admin of a certificate.",
		field: func(s *Settings) any { return &s.Broker.SuperUsers }},
	{Key: "broker.insecure-listen", Default: "false",
		Help:  "Listen on an address that is not loopback without TLS, or without asking who clients are: whoever reaches it may read and write everything.",
		field: func(s *Settings) any { return &s.Broker.InsecureListen }},
	{Key: "broker.auto-create", Default: "true",
		Help:  "Create a topic that a client asks for and nobody has created, where the client wants that.",
		field: func(s *Settings) any { return &s.Broker.AutoCreate }},
	{Key: "broker.partitions", Default: "4", Placeholder: "N",
		Help:  "Partitions of topics that are created without a number.",
		field: func(s *Settings) any { return &s.Broker.Partitions }},
	{Key: "broker.settings", Flag: "broker-setting", Placeholder: "KEY=VALUE", Example: "[log.retention.ms=604800000]",
		Help:  "Settings by Kafka's names, which hold where a topic has none of its own. Unknown ones are refused.",
		field: func(s *Settings) any { return &s.Broker.Settings }},
	{Key: "broker.max-request-bytes", Default: "32MiB", Placeholder: "SIZE",
		Help:  "Largest request; a larger one ends its connection.",
		field: func(s *Settings) any { return &s.Broker.MaxRequestBytes }},
	{Key: "broker.max-buffer-bytes", Default: "128MiB", Placeholder: "SIZE",
		Help:  "Most memory for all requests that are read or answered together; connections wait for room.",
		field: func(s *Settings) any { return &s.Broker.MaxBufferBytes }},
	{Key: "broker.max-connections", Default: "4096", Placeholder: "N",
		Help:  "Most connections at a time; more are closed.",
		field: func(s *Settings) any { return &s.Broker.MaxConnections }},
	{Key: "broker.max-partitions", Default: "20000", Placeholder: "N",
		Help:  "Most partitions of all topics together.",
		field: func(s *Settings) any { return &s.Broker.MaxPartitions }},

	{Key: "console.listen", Flag: "console", Default: "127.0.0.1:8080", Placeholder: "HOST:PORT",
		Help:  "Where the console listens, port 0 takes any free one; off for none. An address that is not loopback needs console.users and TLS.",
		field: func(s *Settings) any { return &s.Console.Listen }},
	{Key: "console.base-path", Placeholder: "PATH", Example: "/pabal",
		Help:  "Path before every page, for a proxy that mounts the console there.",
		field: func(s *Settings) any { return &s.Console.BasePath }},
	{Key: "console.tls.cert", Placeholder: "FILE", Example: "/etc/pabal/console.pem",
		Help:  "The console's certificate (PEM); HTTPS is on then.",
		field: func(s *Settings) any { return &s.Console.TLSCert }},
	{Key: "console.tls.key", Placeholder: "FILE", Example: "/etc/pabal/console.key",
		Help:  "The key of console.tls.cert (PEM).",
		field: func(s *Settings) any { return &s.Console.TLSKey }},
	{Key: "console.users", Placeholder: "FILE", Example: "/etc/pabal/users",
		Help:  "File with users and tokens, made by `pabal user`; everybody must log in then.",
		field: func(s *Settings) any { return &s.Console.Users }},
	{Key: "console.allowed-hosts", Placeholder: "NAME", Example: "[pabal.example.com]",
		Help:  "Names under which the console is asked for, beside its address and loopback.",
		field: func(s *Settings) any { return &s.Console.AllowedHosts }},
	{Key: "console.allow-plain-http", Default: "false",
		Help:  "Listen without TLS on an address that is not loopback, because a proxy in front has it. Passwords cross the network in the open otherwise.",
		field: func(s *Settings) any { return &s.Console.AllowPlainHTTP }},

	{Key: "connect.listen", Flag: "connect", Default: Auto, Placeholder: "HOST:PORT", Example: "127.0.0.1:8083",
		Help:  "Where Kafka Connect's REST API listens; port 0 takes any free one, off has neither API nor connectors. auto is " + AutoConnect + " beside the broker in this process, if that port is free, and off where kafka.brokers is given. An address that is not loopback needs console.users and console.tls.",
		field: func(s *Settings) any { return &s.Connect.Listen }},
	{Key: "connect.retained-alarm", Default: "1GiB", Placeholder: "SIZE",
		Help:  "How much log a PostgreSQL replication slot may keep from being freed before the console gives an alarm.",
		field: func(s *Settings) any { return &s.Connect.RetainedAlarm }},

	{Key: "registry.listen", Flag: "registry", Default: Auto, Placeholder: "HOST:PORT", Example: "127.0.0.1:8081",
		Help:  "Where the schema registry's REST API listens, which is Confluent's; port 0 takes any free one, off has no registry. auto is " + AutoRegistry + " beside the broker in this process, if that port is free, and off where kafka.brokers is given. An address that is not loopback needs console.users and console.tls.",
		field: func(s *Settings) any { return &s.Registry.Listen }},
	{Key: "registry.url", Placeholder: "URL", Example: "http://registry.internal:8081", Shown: cloudconfig.Redact,
		Help:  "Another schema registry with Confluent's REST API, which the console shows and decodes with; the one in this process without it. registry.listen is off then unless it is given.",
		field: func(s *Settings) any { return &s.Registry.URL }},
	{Key: "registry.user", Placeholder: "NAME", Example: "pabal",
		Help:  "User there.",
		field: func(s *Settings) any { return &s.Registry.User }},
	{Key: "registry.password", Flag: NoFlag, Secret: true, Example: "secret",
		Help:  "His password; not a flag, because others see command lines.",
		field: func(s *Settings) any { return &s.Registry.Password }},
	{Key: "registry.password-file", Placeholder: "FILE", Example: "/run/secrets/registry-password",
		Help:  "File whose first line is his password.",
		field: func(s *Settings) any { return &s.Registry.PasswordFile }},

	{Key: "services.allow", Placeholder: "HOST", Example: "[10.0.0.0/8, orders.internal]",
		Help:  "Hosts of services that the console may ask, beside loopback: names, IP addresses and networks.",
		field: func(s *Settings) any { return &s.Services.Allow }},
	{Key: "services.token", Flag: NoFlag, Secret: true, Example: "secret",
		Help:  "Bearer token for the services' admin side; not a flag, because others see command lines.",
		field: func(s *Settings) any { return &s.Services.Token }},
	{Key: "services.token-file", Placeholder: "FILE", Example: "/run/secrets/services-token",
		Help:  "File whose first line is that token.",
		field: func(s *Settings) any { return &s.Services.TokenFile }},

	{Key: "lens.include", Placeholder: "PATTERN", Example: "[\"order*\"]",
		Help:  "Topics the index of transactions reads; all where none is given.",
		field: func(s *Settings) any { return &s.Lens.Include }},
	{Key: "lens.exclude", Placeholder: "PATTERN", Example: "[\"metrics*\"]",
		Help:  "Topics it leaves out.",
		field: func(s *Settings) any { return &s.Lens.Exclude }},
	{Key: "lens.window", Placeholder: "TIME", Default: "24h",
		Help:  "How far back it goes.",
		field: func(s *Settings) any { return &s.Lens.Window }},
	{Key: "lens.max-events", Placeholder: "N", Default: "2000000",
		Help:  "Most events in the index; the oldest go first.",
		field: func(s *Settings) any { return &s.Lens.MaxEvents }},
	{Key: "lens.max-bytes", Placeholder: "SIZE", Default: "1GiB",
		Help:  "Most bytes of the index on disk.",
		field: func(s *Settings) any { return &s.Lens.MaxBytes }},

	{Key: "mask.rules", Flag: NoFlag, Example: "[{topics: [\"payment*\"], fields: [card.number], reveal: admin}]",
		Help:  "What to hide of messages: a list of topics, fields, headers, keys (true or false) and reveal (the least role that sees it). In the environment as YAML or JSON.",
		field: func(s *Settings) any { return &s.Mask.Rules }},

	{Key: "audit.file", Placeholder: "FILE", Example: "/var/log/pabal/audit.jsonl",
		Help:  "Who did what, as JSON lines; default is audit.jsonl in data-dir, and memory without that.",
		field: func(s *Settings) any { return &s.Audit.File }},

	{Key: "log.level", Default: "INFO", Placeholder: "LEVEL", Enum: []string{"DEBUG", "INFO", "WARN", "ERROR"},
		Help:  "What goes to standard error.",
		field: func(s *Settings) any { return &s.Log.Level }},
	{Key: "log.format", Default: "text", Placeholder: "FORMAT", Enum: []string{"text", "json"},
		Help:  "How it is written.",
		field: func(s *Settings) any { return &s.Log.Format }},

	{Key: "otel.endpoint", Placeholder: "URL", Example: "http://127.0.0.1:4318",
		Help:  "OpenTelemetry collector (OTLP over HTTP) for spans; else OTEL_EXPORTER_OTLP_ENDPOINT is heeded.",
		field: func(s *Settings) any { return &s.OTel.Endpoint }},
}

func find(key string) (Setting, bool) {
	for _, s := range Table {
		if s.Key == key {
			return s, true
		}
	}
	return Setting{}, false
}
