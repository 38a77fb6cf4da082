package service

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/alecthomas/kong"
	"github.com/pabal-dev/pabal/kafka"
)

// flags are the command line; each is also read from the environment, in upper
// case behind the service's name (ORDER_DATABASE).
type flags struct {
	Listen     string `help:"Address to serve on." default:"127.0.0.1:${port}"`
	Database   string `help:"Where the data is: sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE." default:"sqlite:${name}.db"`
	Advertise  string `help:"Address at which consoles reach the service. Default: where it listens." placeholder:"HOST:PORT"`
	AdminToken string `help:"Bearer token for /admin, needed where the address is not loopback; better set in the environment." secret:""`
	Schema     string `help:"Schema in PostgreSQL, made where it is missing." default:"${name}"`

	Kafka              []string `help:"Kafka brokers, separated by commas." default:"127.0.0.1:9092"`
	KafkaPrefix        string   `help:"Stands before every topic, group and transactional id, to share a cluster."`
	KafkaTLS           bool     `name:"kafka-tls" help:"Encrypt connections to Kafka."`
	KafkaSASLMechanism string   `name:"kafka-sasl-mechanism" help:"PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."`
	KafkaUser          string   `help:"User for SASL."`
	KafkaPassword      string   `help:"Password for SASL; better set in the environment." secret:""`
	KafkaClientID      string   `name:"kafka-client-id" help:"Name of this client in the brokers' logs." default:"${name}"`

	ConfigServer      string   `help:"Server with more settings, in the JSON format of Spring Cloud Config: ${server}. Its keys are these flags with pabal. before them, and Spring's names of the same; they count less than flags and environment. optional: goes on without it where it is away." placeholder:"URL"`
	ConfigApplication string   `help:"Application that is asked for there." default:"${name}"`
	ConfigProfile     []string `help:"Profiles that are asked for there. Default: default, and what spring.profiles.active says there." placeholder:"NAME"`
	ConfigLabel       string   `help:"Branch, tag or version that is asked for there. Default: the server's own." placeholder:"NAME"`
	ExplainConfig     bool     `help:"Print every setting, its value and where that is from, and end."`

	Group             string `help:"Consumer group." default:"${group}"`
	Instance          string `help:"Name of this process among those of the service: one started again under its old name goes on at once. Default: host and address."`
	DeadLetters       string `help:"Topic of messages that could not be handled. Default: the group and .dead-letters." placeholder:"TOPIC"`
	OutboxDeadLetters string `help:"Topic of messages that Kafka refused." default:"${name}.outbox.dead-letters"`
	Partitions        int32  `help:"Partitions of topics that do not exist yet." default:"4"`

	Codec         string   `help:"What events are written in, json or avro. Both are read, whatever it is." enum:"json,avro" default:"${codec}"`
	Registry      []string `help:"Schema registry, for Avro: URLs of its instances, separated by commas." default:"http://127.0.0.1:8081"`
	RegistryCache string   `help:"File that keeps what is known of the schema registry, so that a start needs none. Each process has its own." placeholder:"FILE"`

	Outbox        string        `help:"How messages leave the database: by a relay in this process, or by a connector for change data capture, from the outbox (cdc) or from PostgreSQL's log alone (cdc-message)." enum:"relay,cdc,cdc-message" default:"relay"`
	OutboxSlot    string        `help:"Replication slot of the connector that publishes the outbox, with --outbox=cdc or cdc-message on PostgreSQL. Default: pabal_ and the schema." placeholder:"NAME"`
	OutboxHistory time.Duration `help:"How long published messages are kept; 0 deletes them at once." default:"1h"`
	InboxHistory  time.Duration `help:"How long handled messages are remembered." default:"168h"`
	PollInterval  time.Duration `help:"How often the outbox is looked at where no wake-up came." default:"1s"`
	PollDelay     time.Duration `help:"Waited before the outbox is looked at first." default:"0s"`

	Topics    kong.Plugins `embed:"" prefix:"topic-"`
	Durations kong.Plugins `embed:""`
	Texts     kong.Plugins `embed:""`

	LogLevel  slog.Level `help:"DEBUG, INFO, WARN or ERROR." default:"INFO"`
	LogFormat string     `help:"text or json." enum:"text,json" default:"text"`
}

// newFlags has flags for what the definition names.
func newFlags(d Definition) *flags {
	var topics, durations, texts []reflect.StructField
	for _, name := range d.topics() {
		topics = append(topics, field[string](len(topics), name, "Name of that topic.", name))
	}
	for _, each := range d.Durations {
		durations = append(durations, field[time.Duration](len(durations), each.Name, each.Help, each.Default.String()))
	}
	for _, each := range d.Texts {
		f := field[string](len(texts), each.Name, each.Help, "")
		if each.Secret {
			f.Tag += ` secret:""`
		}
		texts = append(texts, f)
	}
	return &flags{Topics: plugin(topics), Durations: plugin(durations), Texts: plugin(texts)}
}

func field[T any](i int, name, help, standard string) reflect.StructField {
	return reflect.StructField{
		Name: fmt.Sprintf("Field%d", i), Type: reflect.TypeFor[T](),
		Tag: reflect.StructTag(fmt.Sprintf(`name:%q help:%q default:%q`, name, help, standard)),
	}
}

func plugin(fields []reflect.StructField) kong.Plugins {
	return kong.Plugins{reflect.New(reflect.StructOf(fields)).Interface()}
}

// values are what a plugin of fields of that type was set to, by their names.
func values[T any](p kong.Plugins) map[string]T {
	all := map[string]T{}
	fields := reflect.ValueOf(p[0]).Elem()
	for i := range fields.NumField() {
		all[fields.Type().Field(i).Tag.Get("name")] = fields.Field(i).Interface().(T)
	}
	return all
}

func (f flags) config(log *slog.Logger) Config {
	c := Config{
		Listen: f.Listen, Advertise: f.Advertise, AdminToken: f.AdminToken, Database: f.Database, Schema: f.Schema,
		Kafka: kafka.Config{
			Brokers: f.Kafka, Prefix: f.KafkaPrefix, ClientID: f.KafkaClientID,
			SASL: kafka.SASL{Mechanism: f.KafkaSASLMechanism, User: f.KafkaUser, Password: f.KafkaPassword},
		},
		Topics: values[string](f.Topics), Durations: values[time.Duration](f.Durations), Texts: values[string](f.Texts), Partitions: f.Partitions,
		Group: f.Group, Instance: f.Instance, DeadLetters: f.DeadLetters, OutboxDeadLetters: f.OutboxDeadLetters,
		Codec: f.Codec, Registry: f.Registry, RegistryCache: f.RegistryCache,
		Outbox: f.Outbox, OutboxSlot: f.OutboxSlot, OutboxHistory: f.OutboxHistory, InboxHistory: f.InboxHistory,
		PollInterval: f.PollInterval, PollDelay: f.PollDelay,
		Logger: log,
	}
	if f.KafkaTLS {
		c.Kafka.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if f.OutboxHistory == 0 {
		c.OutboxHistory = -1 // the zero value of Config is the default
	}
	return c
}
