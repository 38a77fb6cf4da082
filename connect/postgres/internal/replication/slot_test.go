package replication

import "testing"

// TestCreateSlot: the command as the protocol's documentation has it, of PostgreSQL 17 where the
// slot is to be on standbys, too, and of any version else.
func TestCreateSlot(t *testing.T) {
	for want, o := range map[string]Options{
		`CREATE_REPLICATION_SLOT "a" LOGICAL pgoutput EXPORT_SNAPSHOT`:                    {},
		`CREATE_REPLICATION_SLOT "a" TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT`:          {Temporary: true},
		`CREATE_REPLICATION_SLOT "a" LOGICAL pgoutput (SNAPSHOT 'export', FAILOVER true)`: {Failover: true},
	} {
		if got := createSlot("a", o); got != want {
			t.Errorf("%+v: %s, want %s", o, got, want)
		}
	}
}
