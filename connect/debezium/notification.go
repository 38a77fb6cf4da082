package debezium

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Aggregates that notifications are about.
const (
	InitialSnapshotAggregate     = "Initial Snapshot"
	IncrementalSnapshotAggregate = "Incremental Snapshot"
)

// Notification tells what a connector does.
type Notification struct {
	// ID joins those about the same; "" is a new one.
	ID        string
	Aggregate string
	// Type is such as "STARTED" or "TABLE_SCAN_COMPLETED".
	Type string
	// Data is more about it. The connector's name is added.
	Data map[string]string
}

// Notifications go to the channels that notification.enabled.channels names.
type Notifications struct {
	topic      string // "" is no topic
	prefix     string
	log        *slog.Logger
	key, value *data.Schema
}

// NewNotifications of the settings.
func NewNotifications(s *Settings, logger *slog.Logger) *Notifications {
	n := &Notifications{prefix: s.Naming.Prefix}
	enabled := s.Values.List("notification.enabled.channels")
	if slices.Contains(enabled, "sink") {
		n.topic = s.Values.String("notification.sink.topic.name")
	}
	if slices.Contains(enabled, "log") {
		n.log = logger
	}
	text := data.Of(data.String)
	n.key = versioned(data.StructOf(s.SchemaNames.Adjust("io.debezium.connector.common.NotificationKey"), data.Field{Name: "id", Schema: text}))
	n.value = versioned(data.StructOf(s.SchemaNames.Adjust("io.debezium.connector.common.Notification"),
		data.Field{Name: "id", Schema: text},
		data.Field{Name: "type", Schema: text},
		data.Field{Name: "aggregate_type", Schema: text},
		data.Field{Name: "additional_data", Schema: &data.Schema{Type: data.MapType, Optional: true, Key: text, Value: text}},
		data.Field{Name: "timestamp", Schema: data.Of(data.Int64)}))
	return n
}

// Append logs the notifications, and appends their records for the topic.
func (n *Notifications) Append(out []plugin.SourceRecord, now time.Time, at plugin.Position, all ...Notification) []plugin.SourceRecord {
	for _, one := range all {
		if one.ID == "" {
			one.ID = NewUUID()
		}
		if n.log != nil {
			n.log.Info("notification", "id", one.ID, "aggregate", one.Aggregate, "type", one.Type, "data", one.Data, "connector", n.prefix)
		}
		if n.topic != "" {
			out = append(out, n.record(one, now, at))
		}
	}
	return out
}

func (n *Notifications) record(one Notification, now time.Time, at plugin.Position) plugin.SourceRecord {
	return plugin.SourceRecord{At: at, Record: plugin.Record{
		Topic: n.topic, Partition: plugin.NoPartition, Timestamp: plugin.NoTimestamp,
		KeySchema: n.key, Key: &data.Struct{Schema: n.key, Values: []any{one.ID}},
		ValueSchema: n.value, Value: &data.Struct{Schema: n.value, Values: []any{
			one.ID, one.Type, one.Aggregate, n.more(one.Data), now.UnixMilli(),
		}},
	}}
}

// more is the map in the order in which Java's has it.
func (n *Notifications) more(given map[string]string) *data.Map {
	buckets := 16
	if size := len(given); size > 0 {
		for buckets = 1; buckets < size*4/3+1; buckets *= 2 {
		}
		if (size+1)*4 > buckets*3 {
			buckets *= 2
		}
	}
	keys := slices.Sorted(maps.Keys(given))
	keys = append(keys, "connector_name")
	slices.SortStableFunc(keys, func(a, b string) int { return javaBucket(a, buckets) - javaBucket(b, buckets) })
	out := &data.Map{}
	for _, key := range keys {
		value := given[key]
		if key == "connector_name" {
			value = n.prefix
		}
		out.Put(key, value)
	}
	return out
}

// NewUUID is a random one, as runs of tasks and chunks are named.
func NewUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
