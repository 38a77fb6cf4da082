package journal

import "testing"

func TestSnapshotPolicy(t *testing.T) {
	out := func(p Progress) bool { _, ok := p.Event.(checkedOut); return ok }
	tests := []struct {
		name   string
		policy SnapshotPolicy
		at     Progress
		want   bool
	}{
		{"none is set", SnapshotPolicy{}, Progress{SeqNr: 1000, Events: 1000, Bytes: 1 << 30}, false},
		{"not yet as many", SnapshotPolicy{Every: 100}, Progress{SeqNr: 299, Events: 99}, false},
		{"as many", SnapshotPolicy{Every: 100}, Progress{SeqNr: 300, Events: 100}, true},
		{"a write went past it", SnapshotPolicy{Every: 100}, Progress{SeqNr: 303, Events: 103}, true},
		{"not yet as large", SnapshotPolicy{Bytes: 1000}, Progress{SeqNr: 9, Events: 9, Bytes: 999}, false},
		{"as large", SnapshotPolicy{Bytes: 1000}, Progress{SeqNr: 9, Events: 1, Bytes: 1000}, true},
		{"either", SnapshotPolicy{Every: 2, Bytes: 1000}, Progress{Events: 2, Bytes: 10}, true},
		{"the event says so", SnapshotPolicy{When: out}, Progress{Event: checkedOut{}}, true},
		{"the event does not", SnapshotPolicy{When: out}, Progress{Event: itemAdded{}}, false},
		{"a predicate beside a number", SnapshotPolicy{Every: 5, When: out}, Progress{Events: 5, Event: itemAdded{}}, true},
	}
	for _, test := range tests {
		if got := test.policy.Due(test.at); got != test.want {
			t.Errorf("%s: got %v", test.name, got)
		}
	}
	if (SnapshotPolicy{}).Validate() != nil || (SnapshotPolicy{Every: -1}).Validate() == nil || (SnapshotPolicy{Bytes: -1}).Validate() == nil {
		t.Error("only negative numbers are wrong")
	}
}
