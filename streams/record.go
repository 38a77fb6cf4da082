package streams

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Record is what flows through a topology. It is passed by value; who receives one
// changes neither its headers nor what its key and value point to.
type Record[K, V any] struct {
	Key   K
	Value V
	// Timestamp in ms since 1970, as Kafka's.
	Timestamp int64
	Headers   []kgo.RecordHeader
	// NoKey and NoValue say that Key or Value is null in Kafka, which is something else
	// than its zero value. A record without a value is a tombstone.
	NoKey, NoValue bool
}

// Time is the timestamp.
func (r Record[K, V]) Time() time.Time { return time.UnixMilli(r.Timestamp) }
