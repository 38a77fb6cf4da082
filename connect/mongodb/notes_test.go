package mongodb_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func TestSnapshotNotifications(t *testing.T) {
	db := newDatabase(t)
	insert(t, db.Collection("a"), bson.D{{Key: "_id", Value: 1}}, bson.D{{Key: "_id", Value: 2}})
	insert(t, db.Collection("b"), bson.D{{Key: "_id", Value: 1}})
	cfg := settingsFor(t, db, "notification.enabled.channels", "sink,log", "notification.sink.topic.name", "notes")
	r := open(t, cfg, nil)
	next := func() string {
		record := r.next()
		if record.Topic != "notes" {
			return keyOf(t, &record)
		}
		var note struct {
			Type      string            `json:"type"`
			Aggregate string            `json:"aggregate_type"`
			More      map[string]string `json:"additional_data"`
		}
		if err := json.Unmarshal([]byte(noteOf(t, &record)), &note); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(note.Aggregate, " ", note.Type, " ", note.More)
	}
	a, b := db.Name()+".a", db.Name()+".b"
	for _, want := range []string{
		"Initial Snapshot STARTED map[connector_name:p]",
		"Initial Snapshot IN_PROGRESS map[connector_name:p current_collection_in_progress:" + a + "]",
		`{"id":"1"}`,
		"Initial Snapshot TABLE_SCAN_COMPLETED map[connector_name:p scanned_collection:" + a + " status:SUCCEEDED]",
		"Initial Snapshot IN_PROGRESS map[connector_name:p current_collection_in_progress:" + b + "]",
		`{"id":"2"}`,
		"Initial Snapshot TABLE_SCAN_COMPLETED map[connector_name:p scanned_collection:" + b + " status:SUCCEEDED]",
		`{"id":"1"}`,
		"Initial Snapshot COMPLETED map[connector_name:p]",
	} {
		if got := next(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if o := r.task.(plugin.Observed).Observe(); o.Tables != 2 || o.TablesDone != 2 || o.QueueLimit == 0 {
		t.Errorf("%+v", o)
	}
	stored := r.stored
	r.close()
	r = open(t, cfg, stored)
	if got := next(); got != "Initial Snapshot SKIPPED map[connector_name:p]" {
		t.Errorf("after a restart: %s", got)
	}
}
