package postgres

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestSnapshotsTellWhoRuns also where the number of a transaction has begun anew.
func TestSnapshotsTellWhoRuns(t *testing.T) {
	const era = "4294967296" // 1<<32
	for _, c := range []struct {
		snapshot string
		xid      uint32
		want     bool
	}{
		{"10:10:", 9, false}, {"10:10:", 10, true}, {"10:10:", 11, true}, {"8:12:8,11", 8, true}, {"8:12:8,11", 9, false}, {"8:12:8,11", 11, true},
		{era + ":" + era + ":", 1<<32 - 1, false}, {era + ":" + era + ":", 0, true}, {"4294967290:4294967300:4294967299", 3, true},
		{"4294967290:4294967300:4294967299", 2, false}, {"4294967290:4294967300:4294967291", 4294967291, true},
	} {
		s, err := parseSnapshot(c.snapshot)
		if err != nil || s.running(c.xid) != c.want {
			t.Errorf("%s: %d runs: %v, %v", c.snapshot, c.xid, !c.want, err)
		}
	}
	for _, wrong := range []string{"", "1:2", "1:x:", "1:2:x"} {
		if _, err := parseSnapshot(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

func dial(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// TestTransactionsAreSeen: one that has an id and goes on is waited for.
func TestTransactionsAreSeen(t *testing.T) {
	url := testenv.Postgres(t)
	db, other := dial(t, url), dial(t, url)
	tx, err := other.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var xid int64
	if err := tx.QueryRow(t.Context(), "SELECT txid_current()").Scan(&xid); err != nil {
		t.Fatal(err)
	}
	u := unseen{wanted: true, db: db}
	u.began(uint32(xid-1), true)
	u.began(uint32(xid), true)
	if seen, err := u.seen(t.Context()); seen || err != nil || len(u.xids) != 1 {
		t.Errorf("%v, %v, %v", seen, u.xids, err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if seen, err := u.seen(t.Context()); !seen || err != nil || len(u.xids) != 0 {
		t.Errorf("%v, %v, %v", seen, u.xids, err)
	}
	u.began(1, true)
	u.began(2, false) // 1 has made no records
	if len(u.xids) != 1 || u.xids[0] != 2 {
		t.Errorf("%v", u.xids)
	}
}
