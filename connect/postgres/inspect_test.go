package postgres_test

import (
	"maps"
	"testing"

	"github.com/pabal-dev/pabal/connect/internal/sourcetest"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres"
)

// slot that a connector sees as its own; nil for none.
func (s *source) slot() *plugin.Slot {
	s.t.Helper()
	found, err := postgres.Connector{}.Inspect(s.t.Context(), s.values())
	if err != nil {
		s.t.Fatal(err)
	}
	if found.Server != s.settings["database.hostname"]+":"+s.settings["database.port"] {
		s.t.Errorf("the server is %q", found.Server)
	}
	other, values := "localhost", maps.Clone(s.settings)
	if values["database.hostname"] = other; found.ServerID == "" {
		s.t.Error("the server has no identifier")
	}
	if again, err := (postgres.Connector{}).Inspect(s.t.Context(), sourcetest.Values(s.t, postgres.Connector{}, values)); err == nil && again.ServerID != found.ServerID {
		s.t.Errorf("the server is %q by one address, %q by another", found.ServerID, again.ServerID)
	}
	for _, slot := range found.Slots {
		if slot.Own {
			return &slot
		}
	}
	return nil
}

// TestInspect: the slot is seen while somebody reads it, and when nobody does; what it keeps grows.
func TestInspect(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id int PRIMARY KEY, t text)")
	if slot := s.slot(); slot != nil {
		t.Errorf("before it begins there is %+v", slot)
	}
	r := s.open(nil)
	r.started()
	s.exec("INSERT INTO a VALUES (1, 'x')")
	r.Take(1)
	if slot := s.slot(); slot == nil || !slot.Active || slot.RestartLSN == "" || slot.ConfirmedLSN == "" || slot.RetainedBytes < 0 || slot.WALStatus != "reserved" || slot.Database != s.settings["database.dbname"] {
		t.Errorf("while it runs: %+v", slot)
	}
	r.Close()
	before := s.slot()
	s.exec("INSERT INTO a SELECT n, repeat('x', 1000) FROM generate_series(2, 2000) n", "CHECKPOINT")
	if after := s.slot(); after == nil || after.Active || after.RetainedBytes < before.RetainedBytes+1_000_000 {
		t.Errorf("%+v, before %+v", after, before)
	}
	s.set("database.password", "wrong-password")
	if _, err := (postgres.Connector{}).Inspect(t.Context(), s.values()); err == nil {
		t.Log("this server takes any password")
	}
}

// TestObserve: how many tables a snapshot reads, and has read.
func TestObserve(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (id int PRIMARY KEY)", "CREATE TABLE empty (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (1)")
	r := s.open(nil)
	r.Take(2)
	o := r.Task.(plugin.Observed).Observe()
	if o.Tables != 3 || o.TablesDone != 3 || o.QueueLimit == 0 || o.QueueBytes != 0 {
		t.Errorf("%+v", o)
	}
}
