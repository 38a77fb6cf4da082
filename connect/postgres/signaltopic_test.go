package postgres_test

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// TestSignalOfTopicCountsOnce: a task that starts at the position of any record of a snapshot which a
// record of the topic of signals asked for ends that snapshot, and begins it only where the
// position is before the begin.
func TestSignalOfTopicCountsOnce(t *testing.T) {
	cluster := kafkatest.Start(t)
	client := cluster.Client(t)
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, "p-signal"); err != nil {
		t.Fatal(err)
	}
	s := newSource(t, "snapshot.mode", "no_data", "signal.enabled.channels", "source,kafka", "signal.data.collection", "public.signals",
		"incremental.snapshot.chunk.size", "3", "table.include.list", "public.a", "lsn.flush.mode", "manual",
		"notification.enabled.channels", "sink,log", "notification.sink.topic.name", "notes")
	s.exec("CREATE TABLE signals (id varchar(60) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048))",
		"CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a SELECT i FROM generate_series(1, 7) i")
	context := plugin.SourceContext{Positions: true}
	context.Kafka = cluster.Config
	r := s.openWith(nil, context)
	r.started()
	signal := `{"id":"of the topic","type":"execute-snapshot","data":{"data-collections":["public.a"],"type":"incremental"}}`
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "p-signal", Key: []byte("p"), Value: []byte(signal)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	var places []map[string]any
	started, completed, reads := r.notified(t, "", func(at map[string]any) { places = append(places, at) })
	if started != 1 || completed != 1 || reads != 7 {
		t.Fatalf("%d began, %d ended, %d rows were read", started, completed, reads)
	}
	r.Close()
	for i, from := range places {
		end, over := "", from["incremental_snapshot_collections"] == nil
		if from["signal_kafka_offset"] == nil || over != (i == len(places)-1) && i < len(places)-2 {
			t.Errorf("place %d of %d is %v", i, len(places), from)
		}
		if over {
			end = fmt.Sprint(1000 + i)
			s.exec("INSERT INTO a VALUES (" + end + ")")
		}
		again := s.openWith(from, context)
		started, completed, _ := again.notified(t, end, func(map[string]any) {})
		again.Close()
		if started != 0 || (completed == 1) == over {
			t.Errorf("from place %d of %d, %v, %d began and %d ended", i, len(places), from, started, completed)
		}
	}
}

// notified follows the records until a snapshot is completed, or a row comes that end names.
func (r *reader) notified(t *testing.T, end string, each func(at map[string]any)) (started, completed, reads int) {
	t.Helper()
	for done := false; !done; {
		one := r.Take(1)[0]
		switch {
		case field(one, "aggregate_type") == "Initial Snapshot":
			continue // it was skipped
		case one.Topic == "notes":
			if plain(field(one, "id")) != "of the topic" {
				t.Errorf("the notification is %s", show(one))
			}
			switch field(one, "type") {
			case "STARTED":
				started++
			case "COMPLETED":
				completed++
				done = end == ""
			}
		case one.Topic == "p.public.a" && field(one, "op") == "r":
			reads++
		case one.Topic == "p.public.a":
			done = end != "" && plain(field(one, "after")) == "{id:"+end+"}"
		}
		each(throughJSON(t, one.At.Offset()))
	}
	return started, completed, reads
}
