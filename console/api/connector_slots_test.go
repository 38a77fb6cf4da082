package api

import (
	"strings"
	"testing"
)

// TestJudge: each kind of alarm has its name and says what to do.
func TestJudge(t *testing.T) {
	const limit = 1 << 30
	for _, test := range []struct {
		slot ConnectorSlot
		rule string
		says []string
	}{
		{ConnectorSlot{Connector: "c", Active: true, RetainedBytes: limit, WALStatus: "reserved"}, "", nil},
		{ConnectorSlot{Connector: "c", Active: true, RetainedBytes: limit + 1, WALStatus: "extended"}, "slot-retains-log", []string{"1 GiB", "c is behind"}},
		{ConnectorSlot{Connector: "c", RetainedBytes: 5 << 30}, "slot-retains-log", []string{"5 GiB", "c does not read it", "fills up"}},
		{ConnectorSlot{Connector: "c", Deleted: true, RetainedBytes: 5 << 30}, "slot-abandoned", []string{"nobody reads it", "pg_drop_replication_slot('it''s')"}},
		{ConnectorSlot{RetainedBytes: 5 << 30}, "slot-abandoned", []string{"pg_drop_replication_slot"}},
		{ConnectorSlot{RetainedBytes: 5}, "", nil},
		{ConnectorSlot{Connector: "c", Active: true, RetainedBytes: 5, WALStatus: "unreserved"}, "slot-unreserved", []string{"max_slot_wal_keep_size"}},
		{ConnectorSlot{Connector: "c", RetainedBytes: -1, WALStatus: "lost"}, "slot-lost", []string{"changes are gone", "when_needed"}},
		{ConnectorSlot{RetainedBytes: -1, WALStatus: "lost"}, "slot-lost", []string{"pg_drop_replication_slot"}},
	} {
		s := test.slot
		s.Name, s.Server = "it's", "db:5432"
		s.Judge(limit)
		if s.Rule != test.rule || (s.Problem == "") != (test.rule == "") {
			t.Errorf("%+v: %q, want %q", s, s.Rule, test.rule)
		}
		for _, text := range append(test.says, "it's") {
			if test.rule != "" && !strings.Contains(s.Problem, text) {
				t.Errorf("%q does not say %q", s.Problem, text)
			}
		}
	}
}

// TestConnectorViolations: what failed can be restarted from there; traces, which may quote
// records, are not in them.
func TestConnectorViolations(t *testing.T) {
	list := ConnectorList{
		Items: []ConnectorSummary{{Name: "a/b", State: "FAILED", Tasks: 2, Failed: 1, Problem: "card 4111"}, {Name: "whole", State: "FAILED"}, {Name: "good", State: "RUNNING"}},
		Slots: []ConnectorSlot{{Name: "s", Rule: "slot-lost", Problem: "lost", Connector: "c"}, {Name: "good"}},
	}
	all := list.Violations()
	if len(all) != 3 || all[0].Action == nil || all[0].Action.Path != "connectors/a%2Fb/act" || all[2].Rule != "slot-lost" {
		t.Fatalf("%+v", all)
	}
	for _, v := range all {
		if strings.Contains(v.What, "4111") || v.What == "" {
			t.Errorf("%q", v.What)
		}
	}
}
