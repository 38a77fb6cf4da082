package mysql_test

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// withNotes are notifications as "aggregate type data", and other records as shown.
func withNotes(records []plugin.SourceRecord) (out []string) {
	for _, one := range records {
		if one.Topic != "notes" {
			out = append(out, show(one))
			continue
		}
		out = append(out, fmt.Sprint(field(one, "aggregate_type"), " ", field(one, "type"), " ", plain(field(one, "additional_data"))))
	}
	return out
}

func TestSnapshotNotifications(t *testing.T) {
	s := newSource(t, "notification.enabled.channels", "sink,log", "notification.sink.topic.name", "notes")
	s.exec("CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE b (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1), (2)")
	r := s.open(nil)
	got := r.Take(8)
	all := "data_collections=" + s.name + ".a," + s.name + ".b"
	check(t, withNotes(got), []string{
		"Initial Snapshot STARTED map[connector_name=p]",
		"Initial Snapshot IN_PROGRESS map[current_collection_in_progress=" + s.name + ".a connector_name=p " + all + "]",
		"p." + s.name + ".a r {id:1} - -> {id:1}",
		"Initial Snapshot TABLE_SCAN_COMPLETED map[scanned_collection=" + s.name + ".a connector_name=p total_rows_scanned=2 " + all + " status=SUCCEEDED]",
		"Initial Snapshot IN_PROGRESS map[current_collection_in_progress=" + s.name + ".b connector_name=p " + all + "]",
		"Initial Snapshot TABLE_SCAN_COMPLETED map[scanned_collection=" + s.name + ".b connector_name=p total_rows_scanned=0 " + all + " status=SUCCEEDED]",
		"p." + s.name + ".a r {id:2} - -> {id:2}",
		"Initial Snapshot COMPLETED map[connector_name=p]",
	})
	if o := r.Task.(plugin.Observed).Observe(); o.Tables != 2 || o.TablesDone != 2 || o.QueueLimit == 0 {
		t.Errorf("%+v", o)
	}
	r.Close()
	r = s.open(got[7].At.Offset())
	check(t, withNotes(r.Take(1)), []string{"Initial Snapshot SKIPPED map[connector_name=p]"})
	r.Close()
	s.set("snapshot.mode", "no_data")
	r = s.open(nil)
	check(t, withNotes(r.Take(2)), []string{"Initial Snapshot STARTED map[connector_name=p]", "Initial Snapshot COMPLETED map[connector_name=p]"})
}
