package incremental_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
)

func chunks() func() string {
	n := 0
	return func() string {
		n++
		return fmt.Sprintf("chunk%d", n)
	}
}

func types(notes []debezium.Notification) []string {
	var out []string
	for _, n := range notes {
		out = append(out, n.Type+" "+n.Data["data_collections"]+n.Data["status"])
	}
	return out
}

// TestNotes of a snapshot of two tables, the first of which is empty, and how it is stored.
func TestNotes(t *testing.T) {
	s := incremental.New(incremental.Config{Limit: 2, NewID: chunks()})
	s.Execute("sig", debezium.ExecuteSnapshot{
		Tables:     []string{"a.one", "a.*"},
		Conditions: []debezium.Condition{{Tables: "A.TWO", Filter: "x > 1"}},
	}, tables, parse)
	c, _ := s.Next()
	if _, again := s.Next(); again || c.OpenID() != "chunk1-open" || c.CloseID() != "chunk1-close" || c.Table.ID != tables[0] {
		t.Errorf("got %+v", c)
	}
	s.Read(incremental.Result{ID: c.ID})
	c, _ = s.Next()
	if c.Table.Condition != "x > 1" || c.Limit != 2 || c.After != nil {
		t.Errorf("got %+v", c)
	}
	s.Open(c.OpenID())
	s.Read(incremental.Result{ID: c.ID, Until: incremental.Key{"9"}, Rows: []incremental.Row{{Key: incremental.Key{"3"}, ID: "3"}}})
	if rows := s.Close(c.CloseID()); len(rows) != 1 || rows[0].Row.ID != "3" {
		t.Errorf("sends %+v", rows)
	}
	offset := map[string]any{}
	s.State().Put(offset)
	want := map[string]any{
		"incremental_snapshot_collections":    `[{"incremental_snapshot_collections_id":"a.two","incremental_snapshot_collections_additional_condition":"(x > 1)","incremental_snapshot_collections_surrogate_key":null}]`,
		"incremental_snapshot_primary_key":    `["3"]`,
		"incremental_snapshot_maximum_key":    `["9"]`,
		"incremental_snapshot_correlation_id": "sig",
	}
	if fmt.Sprint(offset) != fmt.Sprint(want) {
		t.Errorf("stored %v\nwant %v", offset, want)
	}
	c, _ = s.Next()
	s.Read(incremental.Result{ID: c.ID, Until: c.Until})
	if got := types(s.Notes()); !slices.Equal(got, []string{"STARTED a.one,a.two", "TABLE_SCAN_COMPLETED a.one,a.twoEMPTY", "IN_PROGRESS a.two", "TABLE_SCAN_COMPLETED a.twoSUCCEEDED", "COMPLETED "}) {
		t.Errorf("notes %q", got)
	}
	clear(offset)
	if s.State().Put(offset); s.Running() || len(offset) != 0 {
		t.Errorf("after its end it stores %v", offset)
	}
}

func TestStop(t *testing.T) {
	s := incremental.New(incremental.Config{Limit: 2, NewID: chunks()})
	s.Execute("sig", debezium.ExecuteSnapshot{Tables: []string{"a.one", "a.two", "a.three"}}, nil, parse)
	c, _ := s.Next()
	s.Open(c.OpenID())
	s.Stop(debezium.StopSnapshot{Tables: []string{"a.one", "a.thr.*"}}, nil)
	s.Read(incremental.Result{ID: c.ID, Until: incremental.Key{"9"}, Rows: []incremental.Row{{Key: incremental.Key{"3"}, ID: "3"}}})
	if rows := s.Close(c.CloseID()); len(rows) > 0 || s.Waiting() {
		t.Errorf("a stopped table sends %v", rows)
	}
	if c, ok := s.Next(); !ok || c.Table.ID != tables[1] || c.Until != nil {
		t.Errorf("goes on with %+v", c)
	}
	s.Stop(debezium.StopSnapshot{}, nil)
	if _, ok := s.Next(); ok || s.Running() {
		t.Error("still running")
	}
	if got := types(s.Notes()); !slices.Equal(got, []string{"STARTED a.one,a.two,a.three", "ABORTED a.one,a.three", "ABORTED a.two"}) {
		t.Errorf("notes %q", got)
	}
}

func TestRestore(t *testing.T) {
	offset := map[string]any{
		"incremental_snapshot_collections": `[{"incremental_snapshot_collections_id":"a.two","incremental_snapshot_collections_additional_condition":"(x)","incremental_snapshot_collections_surrogate_key":"y"}]`,
		"incremental_snapshot_primary_key": "aced0005757200135b4c6a6176612e6c616e672e4f626a6563743b", "incremental_snapshot_maximum_key": "aced0005",
		"incremental_snapshot_correlation_id": "sig",
	}
	s := incremental.New(incremental.Config{Limit: 2, NewID: chunks()})
	if err := s.Restore(offset, parse); err != nil {
		t.Fatal(err)
	}
	c, ok := s.Next()
	if !ok || c.Table != (incremental.Table{ID: tables[1], Condition: "x", SurrogateKey: "y"}) || c.After != nil || c.Until != nil {
		t.Errorf("a snapshot that Debezium began goes on with %+v", c)
	}
	for _, wrong := range []string{"{", `[{"incremental_snapshot_collections_id":"a..b"}]`} {
		offset["incremental_snapshot_collections"] = wrong
		if err := s.Restore(offset, parse); !errors.Is(err, incremental.ErrState) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// TestSignalled: the offset of a signal is stored with what it brought about, and stays after it.
func TestSignalled(t *testing.T) {
	s := incremental.New(incremental.Config{Limit: 2, NewID: chunks()})
	if s.State().SignalOffset() != debezium.NoSignal {
		t.Errorf("without a signal the offset is %d", s.State().SignalOffset())
	}
	s.Execute("sig", debezium.ExecuteSnapshot{Tables: []string{"a.one"}}, nil, parse)
	s.Signalled(0)
	s.Pause()
	s.Signalled(1)
	offset := map[string]any{}
	s.State().Put(offset)
	again := incremental.New(incremental.Config{Limit: 2, NewID: chunks()})
	if err := again.Restore(offset, parse); err != nil || !again.Running() || !again.Paused() || again.State().SignalOffset() != 1 {
		t.Errorf("restored is %+v, %v", again.State(), err)
	}
	again.Stop(debezium.StopSnapshot{}, nil)
	clear(offset)
	if again.State().Put(offset); fmt.Sprint(offset) != "map[signal_kafka_offset:1]" {
		t.Errorf("after it is stopped %v is stored", offset)
	}
	for _, stored := range []any{int64(1), float64(1), 1, json.Number("1")} {
		if err := again.Restore(map[string]any{"signal_kafka_offset": stored}, parse); err != nil || again.State().SignalOffset() != 1 || again.Paused() {
			t.Errorf("%T: %+v, %v", stored, again.State(), err)
		}
	}
	if err := again.Restore(map[string]any{"signal_kafka_offset": "x"}, parse); !errors.Is(err, incremental.ErrState) {
		t.Error(err)
	}
}

// TestTold: what a position says of the snapshot goes no further than what was notified of.
func TestTold(t *testing.T) {
	s := incremental.New(incremental.Config{Limit: 2, NewID: chunks()})
	tables := func() int { return len(s.Told().Tables()) }
	s.Apply("sig", debezium.ExecuteSnapshot{Tables: []string{"a.one"}}, names{})
	s.Signalled(7)
	if tables() != 0 || s.Told().SignalOffset() != debezium.NoSignal {
		t.Errorf("before it is notified of, %+v is told", s.Told())
	}
	s.Notes()
	if tables() != 1 || s.Told().SignalOffset() != 7 {
		t.Errorf("after it was notified of, %+v is told", s.Told())
	}
	c, _ := s.Next()
	s.Read(incremental.Result{ID: c.ID})
	if s.Running() || tables() != 1 {
		t.Errorf("of a snapshot that is over, and not notified of, %+v is told", s.Told())
	}
	s.Notes()
	if tables() != 0 {
		t.Errorf("of a snapshot that is over %+v is told", s.Told())
	}
}
