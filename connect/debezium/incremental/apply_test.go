package incremental_test

import (
	"testing"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
)

type names struct{}

func (names) Known() []debezium.TableID                  { return tables }
func (names) Parse(name string) (debezium.TableID, bool) { return parse(name) }

// TestApply a whole snapshot's signals, as they come by in the table of signals.
func TestApply(t *testing.T) {
	s := incremental.New(incremental.Config{Limit: 2, NewID: chunks()})
	apply := func(signal debezium.Signal, ours bool) []incremental.Emission {
		t.Helper()
		a, err := signal.Action()
		if err != nil {
			t.Fatal(err)
		}
		rows, ok := s.Apply(signal.ID, a, names{})
		if ok != ours {
			t.Errorf("%s is ours: %t", signal.Type, ok)
		}
		return rows
	}
	apply(debezium.Signal{ID: "0", Type: "log", Data: `{"message":"x"}`}, false)
	apply(debezium.Signal{ID: "0", Type: "execute-snapshot", Data: `{"data-collections":["a.one"],"type":"blocking"}`}, true)
	if b := s.State().Blocking(); b == nil || b.ID != "0" || !b.Wants("A.one") || b.Wants("a.one.more") || s.Running() {
		t.Errorf("the blocking snapshot is %+v", b)
	}
	offset := map[string]any{}
	s.State().Put(offset)
	if err := s.Restore(offset, parse); err != nil || s.State().Blocking() == nil || s.State().Unblocked().Blocking() != nil {
		t.Errorf("of %v is left %+v, %v", offset, s.State(), err)
	}
	apply(debezium.Signal{ID: "1", Type: "execute-snapshot", Data: `{"data-collections":["a.one"]}`}, true)
	c, _ := s.Next()
	s.Read(incremental.Result{ID: c.ID, Until: incremental.Key{"2"}, Rows: []incremental.Row{{Key: incremental.Key{"1"}, ID: "1"}, {Key: incremental.Key{"2"}, ID: "2"}}})
	apply(debezium.Signal{ID: c.OpenID(), Type: c.OpenType}, true)
	s.Changed(tables[0], "2")
	apply(debezium.Signal{ID: "2", Type: "pause-snapshot"}, true)
	if rows := apply(debezium.Signal{ID: c.CloseID(), Type: c.CloseType}, true); len(rows) != 1 || rows[0].Row.ID != "1" {
		t.Errorf("sends %+v", rows)
	}
	if _, ok := s.Next(); ok || !s.Paused() {
		t.Error("a paused snapshot reads on")
	}
	apply(debezium.Signal{ID: "3", Type: "resume-snapshot"}, true)
	if c, ok := s.Next(); !ok || c.After[0] != "2" {
		t.Errorf("goes on with %+v", c)
	}
	apply(debezium.Signal{ID: "4", Type: "stop-snapshot"}, true)
	if s.Running() {
		t.Error("a stopped snapshot runs")
	}
}
