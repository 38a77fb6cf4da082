// Package service is what the examples' services share: configuration, an HTTP
// server with health and metrics, a database with its outbox, a consumer, and a
// program around it. What one of them is about is its Definition; services that
// work together are a System.
package service

import (
	"cmp"
	"context"
	"embed"
	"io/fs"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/streams"
)

// Definition is what tells one service from another.
type Definition struct {
	// System is the name of the services it works with; it begins the source of its
	// events.
	System string
	// Name is used for the schema, the group and the program.
	Name string
	// Summary is one sentence for --help.
	Summary string
	// Port the service listens on where nobody says.
	Port int
	// Group is the consumer group where nobody says; Name and "-service" where empty.
	Group string
	// NoDatabase says that all it knows is from topics, in stores of stream processing
	// (Parts.Streams): it writes to no topic by itself, and Env has no DB.
	NoDatabase bool
	// Migrations are the numbered .sql files of its tables.
	Migrations fs.FS
	// Consumes and Produces are the topics, by their standard names. Each can be
	// named otherwise, see Env.Topic.
	Consumes, Produces []string
	// Codec is what events are written in where nobody says: CodecAvro, or CodecJSON where empty.
	Codec string
	// Schemas are those of Avro, of what topics carry, by their standard names: of the service's own
	// topics, at least. Others are left alone.
	Schemas map[string]Schema
	// Answers says, for a topic in Consumes, to which topics an answer goes: every
	// message that is handled gets one to one of them. A topic whose messages are
	// sometimes not answered is not in it.
	Answers map[string][]string
	// TakesTurns makes the handlers' transactions run one after the other,
	// where messages of different keys change the same rows: many of them in
	// one transaction would lock those in any order, and deadlock. The table
	// "turns" has a row "consumer" then.
	TakesTurns bool
	// Durations can be set, each by a flag of its name; see Env.Duration.
	Durations []Duration
	// Texts can be set, each by a flag of its name; see Env.Text.
	Texts []Text
	// Build makes what the service does, once its database is open.
	Build func(Env) (Parts, error)
	// Databases are others than SQL ones that it runs on, by the scheme of
	// Config.Database: each opens one, and makes what the service does on it, with On.
	Databases map[string]func(ctx context.Context, env Env, url string) (Backend, error)
}

// Duration is a setting.
type Duration struct {
	// Name such as "payment-timeout", Help one sentence.
	Name, Help string
	// Default, above 0 like every value.
	Default time.Duration
}

// Text is a setting, "" where nobody says.
type Text struct {
	// Name such as "mongodb", Help one sentence.
	Name, Help string
	// Secret texts are shown to nobody.
	Secret bool
}

// Parts are what a service does on SQL.
type Parts = PartsOf[storage.Tx]

// PartsOf are what a service does in transactions of its database's type. Topics are those
// that Env.Topic returns.
type PartsOf[T saga.Tx] struct {
	// Handlers are for topics in Consumes, one message at a time.
	Handlers map[string]inbox.Handler[T]
	// Groups are for the other topics in Consumes, many messages at a time.
	Groups map[string]inbox.GroupHandler[T]
	// Foreign reads the records of topics whose writers are no services.
	Foreign map[string]inbox.Reader
	// Sagas take their answers from topics in Consumes, fire their timers, are asked
	// for their health, and are what people look at and act on by /admin.
	Sagas []SagaOf[T]
	// Services run beside the consumer: started before it, in that order. One that has
	// Health is asked whether the service is ready, under its Name where it has one.
	Services []lifecycle.Service
	// Streams are applications of stream processing. They run beside the consumer, are asked
	// for their health, and are shown by /admin; other instances find their stores under
	// Env.StreamsURL.
	Streams []*streams.App
	// View projects topics into tables of the service that only queries read; nil
	// where it has none. Its consumer group is the service's with ".view".
	View map[string]inbox.Handler[T]
	// Routes registers the REST API; Env has the View by then.
	Routes func(Env, *Router)
}

// Saga is a saga.Manager[storage.Tx, S], whatever its S.
type Saga = SagaOf[storage.Tx]

// SagaOf is a saga.Manager[T, S], whatever its S.
type SagaOf[T saga.Tx] interface {
	managed
	Handlers() map[string]inbox.GroupHandler[T]
}

// managed is a saga.Manager, whatever its types.
type managed interface {
	saga.Operator
	Service() lifecycle.Service
	Health() error
}

// Migrations is the folder "migrations" of embedded files.
func Migrations(files embed.FS) fs.FS {
	folder, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err) // it is a valid path
	}
	return folder
}

// topics are all that the definition names, by their standard names.
func (d Definition) topics() []string { return sorted(d.Consumes, d.Produces) }

// codec is what is written where nobody says.
func (d Definition) codec() string { return cmp.Or(d.Codec, CodecJSON) }

// group is the consumer group where nobody says.
func (d Definition) group() string { return cmp.Or(d.Group, d.Name+"-service") }
