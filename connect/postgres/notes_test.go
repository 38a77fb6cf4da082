package postgres_test

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// notes among records, as "aggregate type data", and the others as shown.
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
	s := newSource(t, "notification.enabled.channels", "sink,log", "notification.sink.topic.name", "notes", "signal.data.collection", "public.signals", "lsn.flush.mode", "manual")
	s.exec(signalsTable, "CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (id int PRIMARY KEY)", "INSERT INTO a VALUES (1), (2)")
	r := s.open(nil)
	got := r.Take(8)
	all := "data_collections=public.a,public.b"
	want := []string{
		"Initial Snapshot STARTED map[connector_name=p]",
		"Initial Snapshot IN_PROGRESS map[current_collection_in_progress=public.a connector_name=p " + all + "]",
		"p.public.a r {id:1} - -> {id:1}",
		"Initial Snapshot TABLE_SCAN_COMPLETED map[scanned_collection=public.a connector_name=p total_rows_scanned=2 " + all + " status=SUCCEEDED]",
		"Initial Snapshot IN_PROGRESS map[current_collection_in_progress=public.b connector_name=p " + all + "]",
		"Initial Snapshot TABLE_SCAN_COMPLETED map[scanned_collection=public.b connector_name=p total_rows_scanned=0 " + all + " status=SUCCEEDED]",
		"p.public.a r {id:2} - -> {id:2}",
		"Initial Snapshot COMPLETED map[connector_name=p]",
	}
	check(t, withNotes(got), want)
	r.Close()
	for i := range 6 { // a restart reads no row twice
		r = s.open(got[i].At.Offset())
		reads := 0
		for one := r.Take(1)[0]; field(one, "type") != "COMPLETED"; one = r.Take(1)[0] {
			if field(one, "op") == "r" {
				reads++
			}
		}
		if before := min(i/2, 1); reads+before != 2 {
			t.Errorf("after a restart at %d there are %d rows", i, reads)
		}
		r.Close()
	}
	r = s.open(got[7].At.Offset())
	check(t, withNotes(r.Take(1)), []string{"Initial Snapshot SKIPPED map[connector_name=p]"})
	s.exec(`INSERT INTO signals VALUES ('1', 'execute-snapshot', '{"data-collections": ["public.a"], "type": "blocking",
		"additional-conditions": [{"data-collection": "public.a", "filter": "no statement"}]}')`)
	if got := withNotes(r.Take(4)); got[1] != want[0] || got[3] != "Initial Snapshot ABORTED map[connector_name=p]" {
		t.Errorf("a blocking snapshot that fails is told as %q", got)
	}
}
