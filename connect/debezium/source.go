package debezium

import (
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
	"github.com/pabal-dev/pabal/connect/internal/slab"
)

// Version of Debezium whose behaviour this is, as it stands in the source block.
const Version = "3.6.1.Final"

// Snapshot says in a source block whether, and where in a snapshot, a record was made.
type Snapshot string

// Snapshots; NoSnapshot is written as the field's default.
const (
	NoSnapshot          Snapshot = ""
	InSnapshot          Snapshot = "true"
	FirstInSnapshot     Snapshot = "first"
	FirstOfTable        Snapshot = "first_in_data_collection"
	LastOfTable         Snapshot = "last_in_data_collection"
	LastInSnapshot      Snapshot = "last"
	IncrementalSnapshot Snapshot = "incremental"
)

// Fields that all source blocks begin with, by their places.
const (
	SourceVersion = iota
	SourceConnector
	SourceName
	SourceTSMillis
	SourceSnapshot
	SourceDB
	SourceSequence
	SourceTSMicros
	SourceTSNanos
	// SourceOwn is the place of the connector's first own field.
	SourceOwn
)

// SourceSchema is that of a connector's source blocks: the common fields and its own. name is
// such as "io.debezium.connector.postgresql.Source".
func SourceSchema(name string, own ...data.Field) *data.Schema {
	text, optional := data.Of(data.String), data.OptionalOf(data.String)
	snapshot := types.Enum([]string{"true", "first", "first_in_data_collection", "last_in_data_collection", "last", "false", "incremental"}).AsOptional()
	snapshot.Default = "false"
	s := data.StructOf(name,
		data.Field{Name: "version", Schema: text},
		data.Field{Name: "connector", Schema: text},
		data.Field{Name: "name", Schema: text},
		data.Field{Name: "ts_ms", Schema: data.Of(data.Int64)},
		data.Field{Name: "snapshot", Schema: snapshot},
		data.Field{Name: "db", Schema: text},
		data.Field{Name: "sequence", Schema: optional},
		data.Field{Name: "ts_us", Schema: data.OptionalOf(data.Int64)},
		data.Field{Name: "ts_ns", Schema: data.OptionalOf(data.Int64)},
	)
	s.Version = 1
	s.Fields = append(s.Fields, own...)
	return s
}

// SourceBlocks makes the source blocks of one connector, without boxing again what stays the same.
// It is not safe for use by many goroutines.
type SourceBlocks struct {
	schema                     *data.Schema
	version, connector, prefix any
	time                       Instant
	db                         string
	dbValue                    any
	snapshot                   Snapshot
	snapshotValue              any
	structs                    slab.Slab[data.Struct]
	values                     slab.Slab[any]
}

// NewSourceBlocks of a schema that SourceSchema made. connector is such as "postgresql", prefix is
// topic.prefix.
func NewSourceBlocks(schema *data.Schema, connector, prefix string) *SourceBlocks {
	return &SourceBlocks{schema: schema, version: Version, connector: connector, prefix: prefix, dbValue: ""}
}

// New block with the common fields set but for sequence: the caller sets the rest.
func (b *SourceBlocks) New(at time.Time, snapshot Snapshot, db string) *data.Struct {
	if db != b.db {
		b.db, b.dbValue = db, db
	}
	if snapshot != b.snapshot {
		b.snapshot, b.snapshotValue = snapshot, nil
		if snapshot != NoSnapshot {
			b.snapshotValue = string(snapshot)
		}
	}
	b.time.Set(at)
	s, v := b.structs.One(), b.values.Take(len(b.schema.Fields))
	s.Schema, s.Values = b.schema, v
	v[SourceVersion], v[SourceConnector], v[SourceName] = b.version, b.connector, b.prefix
	v[SourceSnapshot], v[SourceDB] = b.snapshotValue, b.dbValue
	v[SourceTSMillis], v[SourceTSMicros], v[SourceTSNanos] = b.time.Millis, b.time.Micros, b.time.Nanos
	return s
}
