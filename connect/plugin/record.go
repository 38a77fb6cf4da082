package plugin

import (
	"time"

	"github.com/pabal-dev/pabal/connect/data"
)

// NoPartition lets the key choose the partition.
const NoPartition int32 = -1

// NoTimestamp lets the producer choose.
const NoTimestamp int64 = -1

// Header of a record.
type Header struct {
	Key    string
	Schema *data.Schema
	Value  any
}

// Record on its way to or from Kafka. Its values may be shared: who changes one puts a changed
// copy in its place.
type Record struct {
	Topic       string
	Partition   int32
	KeySchema   *data.Schema
	Key         any
	ValueSchema *data.Schema
	Value       any
	// Timestamp in milliseconds since 1970.
	Timestamp int64
	Headers   []Header
}

// Position is where a source was when it made a record. Records after it have positions that say
// so; a task that starts at one makes all records after it, and none up to it.
type Position interface {
	// Partition of the source, such as {"server":"orders"}: a source may have several, each with
	// a position. The map must not be changed.
	Partition() map[string]any
	// Offset in it. It is asked for once per commit, not per record. The map must not be changed.
	Offset() map[string]any
}

// SourceRecord is a Record that a source made. One without a topic is only a position, for where
// a source went on with nothing to send: nothing is sent, At is stored as that of others, and
// Committed called. Sources make them only where SourceContext.Positions says so.
type SourceRecord struct {
	Record
	// At is where the source is once this record is in Kafka.
	At Position
	// End says that what belongs together ends here, such as a transaction of the database: it is
	// where the runtime prefers to end its own transactions.
	End bool
	// Bytes is about how much memory the record takes; 0 is unknown.
	Bytes int
}

// SinkRecord is a Record that came from Kafka; Topic and Partition are those of Kafka even where
// transforms have changed the Record's.
type SinkRecord struct {
	Record
	From   TopicPartition
	Offset int64
}

// TopicPartition of Kafka.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Time is the record's timestamp; the zero time where it has none.
func (r *Record) Time() time.Time {
	if r.Timestamp == NoTimestamp {
		return time.Time{}
	}
	return time.UnixMilli(r.Timestamp)
}

// Header is the last one of that name.
func (r *Record) Header(key string) (Header, bool) {
	for i := len(r.Headers) - 1; i >= 0; i-- {
		if r.Headers[i].Key == key {
			return r.Headers[i], true
		}
	}
	return Header{}, false
}
