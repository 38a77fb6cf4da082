package mongodb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// TestSignalOfTopicCountsOnce: a task that starts at the position of any record of a snapshot which a
// record of the topic of signals asked for ends that snapshot, and begins it only where the
// position is before the begin.
func TestSignalOfTopicCountsOnce(t *testing.T) {
	cluster := kafkatest.Start(t)
	if _, err := kadm.NewClient(cluster.Client(t)).CreateTopic(t.Context(), 1, 1, nil, "p-signal"); err != nil {
		t.Fatal(err)
	}
	db := newDatabase(t)
	c := db.Collection("c")
	for i := range 7 {
		insert(t, c, bson.D{{Key: "_id", Value: i}})
	}
	cfg := settingsFor(t, db, "snapshot.mode", "no_data", "signal.enabled.channels", "source,kafka", "signal.data.collection", db.Name()+".signals",
		"incremental.snapshot.chunk.size", "3", "notification.enabled.channels", "sink", "notification.sink.topic.name", "notes")
	r := openWith(t, cfg, nil, cluster.Config)
	r.streaming()
	places := []map[string]any{r.stored}
	record := kgo.Record{Topic: "p-signal", Key: []byte("p"), Value: []byte(fmt.Sprintf(
		`{"id":"of the topic","type":"execute-snapshot","data":{"data-collections":["%s.c"],"type":"incremental"}}`, db.Name()))}
	if err := cluster.Client(t).ProduceSync(t.Context(), &record).FirstErr(); err != nil {
		t.Fatal(err)
	}
	started, completed, reads := follow(t, r, func() { places = append(places, r.stored) }, "")
	if started != 1 || completed != 1 || reads != 7 {
		t.Fatalf("%d began, %d ended, %d documents were read", started, completed, reads)
	}
	r.close()
	for i, from := range places {
		r := openWith(t, cfg, from, cluster.Config)
		begun, end := from["signal_kafka_offset"] != nil, ""
		over := begun && from["incremental_snapshot_collections"] == nil
		if over {
			end = fmt.Sprintf("end of %d", i)
			insert(t, c, bson.D{{Key: "_id", Value: end}})
		}
		started, completed, _ := follow(t, r, func() {}, end)
		r.close()
		if started != btoi(!begun) || completed != btoi(!over) {
			t.Errorf("from place %d of %d, %v, %d began and %d ended", i, len(places), from, started, completed)
		}
		if i == len(places)-1 && !over {
			t.Errorf("the last position is %v", from)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// follow the records until a snapshot is completed, or a document comes that end names.
func follow(t *testing.T, r *runner, each func(), end string) (started, completed, reads int) {
	t.Helper()
	for done := false; !done; {
		record := r.next()
		switch {
		case record.Topic == "notes":
			note := noteOf(t, &record)
			if strings.Contains(note, `"type":"SKIPPED"`) {
				continue
			}
			if !strings.Contains(note, `"id":"of the topic"`) {
				t.Errorf("the notification is %s", note)
			}
			switch {
			case strings.Contains(note, `"type":"STARTED"`):
				started++
			case strings.Contains(note, `"type":"COMPLETED"`):
				completed++
				done = end == ""
			}
		case strings.HasSuffix(record.Topic, ".c"):
			if v := envelope(t, &record); v != nil && v["op"] == "r" {
				reads++
			}
			done = end != "" && keyOf(t, &record) == fmt.Sprintf(`{"id":"\"%s\""}`, end)
		}
		each()
	}
	return started, completed, reads
}
