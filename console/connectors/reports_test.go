package connectors_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/console/connectors"
)

// slotsOf a server: own is the connector's.
func slotsOf(own string) []plugin.Slot {
	all := []plugin.Slot{
		{Name: "orders", RetainedBytes: 2000, Active: true}, {Name: "stock", RetainedBytes: 5}, {Name: "forgotten", RetainedBytes: 5000},
		{Name: "other-program", RetainedBytes: 9000, Active: true}, {Name: "gone", RetainedBytes: 1, WALStatus: "lost"},
	}
	for i := range all {
		all[i].Own = all[i].Name == own
	}
	return all
}

// TestSlots: each is there once, abandoned ones too, other programs' not; alarms reach the list,
// the connector and the violations. A server that does not say which one it is may be there twice.
func TestSlots(t *testing.T) {
	t.Run("known servers", func(t *testing.T) { slots(t, "7", []string{"slot-abandoned"}) })
	t.Run("unknown servers", func(t *testing.T) { slots(t, "", []string{"slot-abandoned", "slot-abandoned"}) })
}

func slots(t *testing.T, id string, forgotten []string) {
	at := time.Now()
	known := connect.Reports{
		Tasks: []connect.TaskReport{{Connector: "orders", Progress: connect.Progress{Events: 7, LastEvent: at, BehindMillis: 1500, Snapshot: &connect.SnapshotProgress{Running: true, Rows: 3, Tables: 2}}}},
		Databases: []connect.DatabaseReport{
			{Connector: "orders", At: at, Inspection: plugin.Inspection{Server: "db:5432", ServerID: id, Slots: slotsOf("orders")}},
			{Connector: "stock", At: at, Inspection: plugin.Inspection{Server: "db.example.org:5432", ServerID: id, Slots: slotsOf("stock")}}, // the same server
			{Connector: "gone", At: at, Deleted: true, Inspection: plugin.Inspection{Server: "db:5432", ServerID: id, Slots: slotsOf("gone")}},
			{Connector: "away", At: at, Problem: "connection refused"},
			{Connector: "mongo", At: at, Inspection: plugin.Inspection{Server: "mongo:27017", Log: &plugin.Log{Kind: "oplog", First: "b", Last: "c", Next: "a", State: plugin.LogLost}}},
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/pabal/reports":
			_ = json.NewEncoder(w).Encode(known)
		case "/connectors":
			fmt.Fprint(w, `{"orders": {"info": {"type": "source"}, "status": {"connector": {"state": "RUNNING"}, "tasks": [{"id": 0, "state": "RUNNING"}]}}, "aaa": {"status": {"connector": {"state": "RUNNING"}}}}`)
		case "/connectors/orders":
			fmt.Fprint(w, `{"name": "orders", "type": "source"}`)
		case "/connectors/orders/status":
			fmt.Fprint(w, `{"connector": {"state": "RUNNING"}, "tasks": [{"id": 0, "state": "RUNNING"}]}`)
		default:
			fmt.Fprint(w, `{}`)
		}
	}))
	defer server.Close()
	e, err := connectors.New(connectors.Config{URL: server.URL, RetainedAlarm: 1000})
	if err != nil {
		t.Fatal(err)
	}
	list, err := e.Connectors(t.Context())
	if err != nil || len(list.Items) != 2 || list.Items[0].Name != "orders" || len(list.Items[0].Alarms) != 1 || list.Items[0].BehindMillis != 1500 || list.Items[0].Snapshot == nil || len(list.Problems) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	rules := map[string][]string{}
	for _, s := range list.Slots {
		rules[s.Name] = append(rules[s.Name], s.Rule)
	}
	want := map[string][]string{"orders": {"slot-retains-log"}, "stock": {""}, "forgotten": forgotten, "gone": {"slot-lost"}}
	if fmt.Sprint(rules) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", rules, want)
	}
	if len(list.Logs) != 1 || list.Logs[0].Rule != "log-lost" || list.Logs[0].Connector != "mongo" {
		t.Errorf("%+v", list.Logs)
	}
	if n := len(list.Violations()); n != 3+len(forgotten) {
		t.Errorf("%d violations: %+v", n, list.Violations())
	}
	one, err := e.Connector(t.Context(), "orders")
	if err != nil || len(one.Slots) != 1 || len(one.Alarms) != 1 || one.TaskList[0].Progress == nil || one.TaskList[0].Progress.Snapshot.Rows != 3 {
		t.Errorf("%+v, %v", one, err)
	}
}
