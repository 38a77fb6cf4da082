package service

import (
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/kafka"
)

// flags are the command line; each is also read from the environment, in upper
// case behind the service's name (ORDER_DATABASE).
type flags struct {
	Listen   string `help:"Address to serve on." default:"127.0.0.1:${port}"`
	Database string `help:"Where the data is: sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE." default:"sqlite:${name}.db"`
	Schema   string `help:"Schema in PostgreSQL, made where it is missing." default:"${name}"`

	Kafka              []string `help:"Kafka brokers, separated by commas." default:"127.0.0.1:9092"`
	KafkaPrefix        string   `help:"Stands before every topic, group and transactional id, to share a cluster."`
	KafkaTLS           bool     `name:"kafka-tls" help:"Encrypt connections to Kafka."`
	KafkaSASLMechanism string   `name:"kafka-sasl-mechanism" help:"PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."`
	KafkaUser          string   `help:"User for SASL."`
	KafkaPassword      string   `help:"Password for SASL; better set in the environment."`

	Group             string     `help:"Consumer group." default:"${name}-service"`
	Instance          string     `help:"Name of this process among those of the service: one started again under its old name goes on at once. Default: host and address."`
	Topic             topicFlags `embed:"" prefix:"topic-"`
	DeadLetters       string     `help:"Topic of messages that could not be handled. Default: the group and .dead-letters." placeholder:"TOPIC"`
	OutboxDeadLetters string     `help:"Topic of messages that Kafka refused." default:"${name}.outbox.dead-letters"`
	Partitions        int32      `help:"Partitions of topics that do not exist yet." default:"4"`

	OutboxHistory time.Duration `help:"How long published messages are kept; 0 deletes them at once." default:"1h"`
	InboxHistory  time.Duration `help:"How long handled messages are remembered." default:"168h"`
	PollInterval  time.Duration `help:"How often the outbox is looked at where no wake-up came." default:"1s"`
	PollDelay     time.Duration `help:"Waited before the outbox is looked at first." default:"0s"`

	LogLevel  slog.Level `help:"DEBUG, INFO, WARN or ERROR." default:"INFO"`
	LogFormat string     `help:"text or json." enum:"text,json" default:"text"`
}

type topicFlags struct {
	PaymentRequest    string `help:"Name of that topic." default:"payment-request"`
	PaymentResponse   string `help:"Name of that topic." default:"payment-response"`
	ApprovalRequest   string `name:"order-approval-request" help:"Name of that topic." default:"order-approval-request"`
	ApprovalResponse  string `name:"order-approval-response" help:"Name of that topic." default:"order-approval-response"`
	CustomerCreated   string `help:"Name of that topic." default:"customer-created"`
	OrderChanged      string `help:"Name of that topic." default:"order-changed"`
	RestaurantChanged string `help:"Name of that topic." default:"restaurant-changed"`
}

func (f flags) config(log *slog.Logger) Config {
	c := Config{
		Listen: f.Listen, Database: f.Database, Schema: f.Schema,
		Kafka: kafka.Config{
			Brokers: f.Kafka, Prefix: f.KafkaPrefix,
			SASL: kafka.SASL{Mechanism: f.KafkaSASLMechanism, User: f.KafkaUser, Password: f.KafkaPassword},
		},
		Topics: message.Topics(f.Topic), Partitions: f.Partitions,
		Group: f.Group, Instance: f.Instance, DeadLetters: f.DeadLetters, OutboxDeadLetters: f.OutboxDeadLetters,
		OutboxHistory: f.OutboxHistory, InboxHistory: f.InboxHistory,
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
