package plugin

import (
	"context"
	"log/slog"

	"github.com/VictoriaMetrics/metrics"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/kafka"
)

// Info names a plugin.
type Info struct {
	// Class is the Java class whose configurations it takes, such as
	// "io.debezium.connector.postgresql.PostgresConnector".
	Class string
	// Aliases are other names of it.
	Aliases []string
	// Version whose behaviour it has, such as "3.6.1.Final".
	Version string
	// TaskClass is the Java class of a connector's tasks, as tools show it; Class with "Task" behind
	// where it is "".
	TaskClass string
	// Config is its own keys, without those that all connectors have.
	Config config.Definition
}

// Connector is what sources and sinks have in common.
type Connector interface {
	Info() Info
	// Check finds what the keys one by one do not tell: keys that exclude one another, a database
	// that does not answer. cfg was parsed, perhaps with problems: keys in wrong were already
	// found wrong.
	Check(ctx context.Context, cfg config.Values, wrong []config.Problem) []config.Problem
	// Tasks are the configurations of the connector's tasks, at least one and at most most.
	Tasks(cfg config.Values, most int) ([]map[string]string, error)
}

// Source makes records.
type Source interface {
	Connector
	// Open a task. It is ready when it returns; the database may still be away: Poll tries again.
	Open(ctx context.Context, t SourceContext) (SourceTask, error)
	// CheckOffset says whether a task could start at a position that a person gave.
	CheckOffset(partition, offset map[string]any) error
}

// SourceTask makes the records of one task. The runtime calls one method at a time, but for Close.
type SourceTask interface {
	// Poll returns the next records as soon as there are any, and no more than fit into memory. It
	// blocks until then, or returns nil after a second at most, so that the runtime can look after
	// other things. An error that wraps ErrRetry is waited out and costs nothing; another one fails
	// the task.
	Poll(ctx context.Context) ([]SourceRecord, error)
	// Committed says that all records up to this position are in Kafka for good, with the position
	// itself. What was needed to make them again may go. Positions come in order, not every one.
	Committed(ctx context.Context, at Position) error
	// Close frees everything; a Poll under way returns soon. The context bounds the farewell.
	Close(ctx context.Context) error
}

// ErrRetry is wrapped by errors that may pass by themselves, such as a database that is away.
var ErrRetry = converter.ErrRetry

// SourceContext is what a task of a source is given.
type SourceContext struct {
	Common
	// Offset is where a partition's task left off; nil where it never was.
	Offset func(ctx context.Context, partition map[string]any) (map[string]any, error)
	// Positions says that records without a topic may be made; see SourceRecord.
	Positions bool
}

// Common is what tasks of sources and sinks are given.
type Common struct {
	// Connector is its name, Task the task's number in it.
	Connector string
	Task      int
	// Config is the task's, with its secrets.
	Config config.Values
	Logger *slog.Logger
	// Metrics of the process; labels should name the connector.
	Metrics *metrics.Set
	// Kafka is the cluster of the runtime, for what a task reads or writes itself, such as signals.
	Kafka kafka.Config
	// Memory is how many bytes the task's queues may hold.
	Memory int64
}

// Sink takes records.
type Sink interface {
	Connector
	Open(ctx context.Context, t SinkContext) (SinkTask, error)
}

// SinkContext is what a task of a sink is given.
type SinkContext struct{ Common }

// SinkTask takes the records of the partitions that it was assigned. The runtime calls one method
// at a time.
type SinkTask interface {
	// Put stores records, in their order per partition; they are stored when it returns. After a
	// failure records come again. An error that wraps ErrRetry is waited out; another one fails the
	// task, unless it is a RecordError and the connector tolerates those.
	Put(ctx context.Context, records []SinkRecord) error
	// Close frees everything.
	Close(ctx context.Context) error
}

// RecordError says which of the records given to Put was refused; those before it are stored.
type RecordError struct {
	Index int
	Err   error
}

// Error is that of the record.
func (e *RecordError) Error() string { return e.Err.Error() }

// Unwrap is the record's error.
func (e *RecordError) Unwrap() error { return e.Err }

// Transform changes records one by one.
type Transform interface {
	// Apply changes the record; keep is false where it is to be dropped.
	Apply(r *Record) (keep bool, err error)
}

// Predicate says whether a transform applies to a record.
type Predicate interface {
	Test(r *Record) (bool, error)
}

// TransformPlugin makes transforms.
type TransformPlugin struct {
	Info
	New func(cfg config.Values) (Transform, error)
}

// PredicatePlugin makes predicates.
type PredicatePlugin struct {
	Info
	New func(cfg config.Values) (Predicate, error)
}

// ConverterPlugin makes converters of keys or of values.
type ConverterPlugin struct {
	Info
	New func(cfg config.Values, key bool) (converter.Converter, error)
}

// HeaderConverter writes and reads headers' values.
type HeaderConverter interface {
	EncodeHeader(topic string, h Header) ([]byte, error)
	DecodeHeader(topic, key string, b []byte) (Header, error)
}

// HeaderPlugin makes header converters.
type HeaderPlugin struct {
	Info
	New func(cfg config.Values) (HeaderConverter, error)
}

// Set is all plugins that a runtime knows.
type Set struct {
	Sources    []Source
	Sinks      []Sink
	Transforms []TransformPlugin
	Predicates []PredicatePlugin
	Converters []ConverterPlugin
	Headers    []HeaderPlugin
}
