package debezium

import (
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Heartbeats are records that say that a connector lives and how far it has come, where it has no
// others to make. One goroutine uses them.
type Heartbeats struct {
	every      time.Duration
	topic      string
	key, value *data.Schema
	name       *data.Struct
	last       time.Time
}

// NewHeartbeats with the settings; the first is due an interval after start.
func NewHeartbeats(s *Settings, start time.Time) *Heartbeats {
	h := &Heartbeats{every: s.Heartbeat, topic: s.Naming.Heartbeat(), last: start}
	h.key = versioned(data.StructOf(s.SchemaNames.Adjust("io.debezium.connector.common.ServerNameKey"),
		data.Field{Name: "serverName", Schema: data.Of(data.String)}))
	h.value = versioned(data.StructOf(s.SchemaNames.Adjust("io.debezium.connector.common.Heartbeat"),
		data.Field{Name: "ts_ms", Schema: data.Of(data.Int64)}))
	h.name = &data.Struct{Schema: h.key, Values: []any{s.Naming.Prefix}}
	return h
}

// Due says whether the interval is over, or how long it still takes. Without heartbeats it never is.
func (h *Heartbeats) Due(now time.Time) (due bool, wait time.Duration) {
	if h.every <= 0 {
		return false, 0
	}
	wait = h.every - now.Sub(h.last)
	return wait <= 0, max(wait, 0)
}

// Record is the heartbeat of now, from which the next interval counts.
func (h *Heartbeats) Record(now time.Time, at plugin.Position) plugin.SourceRecord {
	h.last = now
	return plugin.SourceRecord{At: at, Record: plugin.Record{
		Topic: h.topic, Partition: 0, Timestamp: plugin.NoTimestamp,
		KeySchema: h.key, Key: h.name,
		ValueSchema: h.value, Value: &data.Struct{Schema: h.value, Values: []any{now.UnixMilli()}},
	}}
}
