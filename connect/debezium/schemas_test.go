package debezium_test

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
)

func schemaJSON(t *testing.T, s *data.Schema) string {
	t.Helper()
	json := converter.JSON{Schemas: true}
	got, err := json.Encode("", &data.Schema{Type: data.Array, Value: s}, []any{})
	if err != nil {
		t.Fatal(err)
	}
	got = bytes.TrimPrefix(got, []byte(`{"schema":{"type":"array","items":`))
	return string(bytes.TrimSuffix(got, []byte(`,"optional":false},"payload":[]}`)))
}

// TestSchemas against the JSON of Debezium 3.6.1's own.
func TestSchemas(t *testing.T) {
	r := relational(t, "provide.transaction.metadata", "true", "notification.enabled.channels", "sink,log", "notification.sink.topic.name", "notes", "heartbeat.interval.ms", "1000")
	now := time.UnixMilli(5000)
	beat := debezium.NewHeartbeats(r.Settings, now).Record(now, place("a"))
	begin := debezium.NewTransactions(r.Settings).Begin(nil, "1", now, place("a"))[0]
	notes := debezium.NewNotifications(r.Settings, slog.New(slog.DiscardHandler)).Append(nil, now, place("a"),
		debezium.Notification{ID: "7", Aggregate: debezium.InitialSnapshotAggregate, Type: "IN_PROGRESS", Data: map[string]string{"data_collections": "v", "status": "v", "scanned_collection": "v", "total_rows_scanned": "v"}},
		debezium.Notification{Type: "STARTED"})
	for _, c := range []struct {
		schema *data.Schema
		want   string
	}{
		{debezium.TransactionBlock, `{"type":"struct","fields":[{"type":"string","optional":false,"field":"id"},{"type":"int64","optional":false,"field":"total_order"},{"type":"int64","optional":false,"field":"data_collection_order"}],"optional":true,"name":"event.block","version":1}`},
		{beat.KeySchema, `{"type":"struct","fields":[{"type":"string","optional":false,"field":"serverName"}],"optional":false,"name":"io.debezium.connector.common.ServerNameKey","version":1}`},
		{beat.ValueSchema, `{"type":"struct","fields":[{"type":"int64","optional":false,"field":"ts_ms"}],"optional":false,"name":"io.debezium.connector.common.Heartbeat","version":1}`},
		{begin.KeySchema, `{"type":"struct","fields":[{"type":"string","optional":false,"field":"id"}],"optional":false,"name":"io.debezium.connector.common.TransactionMetadataKey","version":1}`},
		{begin.ValueSchema, `{"type":"struct","fields":[{"type":"string","optional":false,"field":"status"},{"type":"string","optional":false,"field":"id"},{"type":"int64","optional":true,"field":"event_count"},{"type":"array","items":{"type":"struct","fields":[{"type":"string","optional":false,"field":"data_collection"},{"type":"int64","optional":false,"field":"event_count"}],"optional":true,"name":"event.collection","version":1},"optional":true,"field":"data_collections"},{"type":"int64","optional":false,"field":"ts_ms"}],"optional":false,"name":"io.debezium.connector.common.TransactionMetadataValue","version":1}`},
		{notes[0].ValueSchema, `{"type":"struct","fields":[{"type":"string","optional":false,"field":"id"},{"type":"string","optional":false,"field":"type"},{"type":"string","optional":false,"field":"aggregate_type"},{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"string","optional":false},"optional":true,"field":"additional_data"},{"type":"int64","optional":false,"field":"timestamp"}],"optional":false,"name":"io.debezium.connector.common.Notification","version":1}`},
		{debezium.SourceSchema("S"), `{"type":"struct","fields":[{"type":"string","optional":false,"field":"version"},{"type":"string","optional":false,"field":"connector"},{"type":"string","optional":false,"field":"name"},{"type":"int64","optional":false,"field":"ts_ms"},{"type":"string","optional":true,"name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":"true,first,first_in_data_collection,last_in_data_collection,last,false,incremental"},"default":"false","field":"snapshot"},{"type":"string","optional":false,"field":"db"},{"type":"string","optional":true,"field":"sequence"},{"type":"int64","optional":true,"field":"ts_us"},{"type":"int64","optional":true,"field":"ts_ns"}],"optional":false,"name":"S","version":1}`},
	} {
		if got := schemaJSON(t, c.schema); got != c.want {
			t.Errorf("got %s\nwant %s", got, c.want)
		}
	}
	var json converter.JSON
	for _, c := range []struct {
		schema *data.Schema
		value  any
		want   string
	}{
		{beat.KeySchema, beat.Key, `{"serverName":"shop"}`},
		{beat.ValueSchema, beat.Value, `{"ts_ms":5000}`},
		{notes[0].KeySchema, notes[0].Key, `{"id":"7"}`},
		{notes[0].ValueSchema, notes[0].Value, `{"id":"7","type":"IN_PROGRESS","aggregate_type":"Initial Snapshot","additional_data":{"scanned_collection":"v","connector_name":"shop","total_rows_scanned":"v","data_collections":"v","status":"v"},"timestamp":5000}`},
	} {
		if got, err := json.Encode("", c.schema, c.value); err != nil || string(got) != c.want {
			t.Errorf("got %s, %v\nwant %s", got, err, c.want)
		}
	}
	if beat.Topic != "__debezium-heartbeat.shop" || beat.Partition != 0 || begin.Topic != "shop.transaction" || notes[1].Topic != "notes" {
		t.Errorf("topics %s, %s, %s", beat.Topic, begin.Topic, notes[1].Topic)
	}
}

func TestHeartbeatsAreDue(t *testing.T) {
	start := time.UnixMilli(0)
	h := debezium.NewHeartbeats(relational(t, "heartbeat.interval.ms", "1000").Settings, start)
	if due, wait := h.Due(start.Add(400 * time.Millisecond)); due || wait != 600*time.Millisecond {
		t.Errorf("%t, %s", due, wait)
	}
	if due, _ := h.Due(start.Add(time.Second)); !due {
		t.Error("not due")
	}
	h.Record(start.Add(1500*time.Millisecond), nil)
	if due, wait := h.Due(start.Add(2 * time.Second)); due || wait != 500*time.Millisecond {
		t.Errorf("%t, %s", due, wait)
	}
	if due, wait := debezium.NewHeartbeats(relational(t).Settings, start).Due(start.Add(time.Hour)); due || wait != 0 {
		t.Error("there are heartbeats though none are wanted")
	}
}
