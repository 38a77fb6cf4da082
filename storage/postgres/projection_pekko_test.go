package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// tablesOfPekko are those of its published script for projections.
const tablesOfPekko = `
CREATE TABLE IF NOT EXISTS projection_timestamp_offset_store (
  projection_name VARCHAR(255) NOT NULL,
  projection_key VARCHAR(255) NOT NULL,
  slice INT NOT NULL,
  persistence_id VARCHAR(255) NOT NULL,
  seq_nr BIGINT NOT NULL,
  timestamp_offset timestamp with time zone NOT NULL,
  timestamp_consumed timestamp with time zone NOT NULL,
  PRIMARY KEY(slice, projection_name, timestamp_offset, persistence_id, seq_nr)
);
CREATE TABLE IF NOT EXISTS projection_management (
  projection_name VARCHAR(255) NOT NULL,
  projection_key VARCHAR(255) NOT NULL,
  paused BOOLEAN NOT NULL,
  last_updated BIGINT NOT NULL,
  PRIMARY KEY(projection_name, projection_key)
)`

// pekkoHandled is an offset as an instance of Pekko's stores it.
func pekkoHandled(t *testing.T, conn *pgx.Conn, key, id string, seqNr int64, at, consumed time.Time) {
	t.Helper()
	_, err := conn.Exec(t.Context(), `INSERT INTO projection_timestamp_offset_store
		(projection_name, projection_key, slice, persistence_id, seq_nr, timestamp_offset, timestamp_consumed)
		VALUES ('view', $1, $2, $3, $4, $5, $6)`, key, journal.SliceOf(id), id, seqNr, at, consumed)
	if err != nil {
		t.Fatal(err)
	}
}

// eventAt has that db_timestamp.
func eventAt(t *testing.T, conn *pgx.Conn, id string, seqNr int64, at time.Time) {
	t.Helper()
	_, err := conn.Exec(t.Context(), `INSERT INTO event_journal (slice, entity_type, persistence_id, seq_nr, db_timestamp,
		event_ser_id, event_ser_manifest, event_payload, writer) VALUES ($1, '', $2, $3, $4, 20, '', 'x', 'w')`,
		journal.SliceOf(id), id, seqNr, at)
	if err != nil {
		t.Fatal(err)
	}
}

func claimView(t *testing.T, db *postgres.DB, r journal.SliceRange) projection.Claim {
	t.Helper()
	return must[projection.Claim](t)(db.ClaimSlices(t.Context(), "view", "events", r, nil))
}

// readsOn is what is read after a claim's cursor.
func readsOn(t *testing.T, db *postgres.DB, claim projection.Claim) string {
	t.Helper()
	page := must[journal.Page](t)(db.Page(t.Context(), journal.Query{Slices: claim.Slices, After: claim.Cursor}))
	var got []string
	for _, e := range page.Events {
		got = append(got, fmt.Sprintf("%s:%d", e.PersistenceID, e.SeqNr))
	}
	return fmt.Sprint(got)
}

func isText(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %s, want %s", what, got, want)
	}
}

// TestProjectionIsTakenOverFromPekko: p1 and p2 are of its instance 0-511, p10 of
// 512-1023, which had come further.
func TestProjectionIsTakenOverFromPekko(t *testing.T) {
	url, conn := pekkoSchema(t)
	execAll(t, conn, tablesOfPekko)
	now := time.Now().UTC().Truncate(time.Second)
	slow, fast := now.Add(-10*time.Minute), now.Add(-9*time.Minute)
	pekkoHandled(t, conn, "0-1023", "p11", 1, now.AddDate(-1, 0, 0), now.AddDate(-1, 0, 0)) // before it was cut in two
	pekkoHandled(t, conn, "0-511", "p1", 3, slow, now.Add(-time.Minute))
	pekkoHandled(t, conn, "512-1023", "p10", 2, fast, now.Add(-time.Minute))
	eventAt(t, conn, "p2", 1, slow.Add(-3*time.Minute))
	eventAt(t, conn, "p2", 2, slow.Add(-time.Minute))
	eventAt(t, conn, "p10", 2, fast)
	execAll(t, conn, "DELETE FROM event_journal WHERE entity_type = 'order'")

	db := open(t, url, postgres.Config{})
	stored := must[[]projection.Stored](t)(db.Projections(t.Context(), "view"))
	if len(stored) != 1 || !stored[0].Latest.Equal(fast) || len(stored[0].Ranges) > 0 {
		t.Fatalf("what is known of Pekko's projection: %+v", stored)
	}
	claim := claimView(t, db, journal.AllSlices())
	isText(t, "from two minutes before the slower instance's last event", readsOn(t, db, claim), "[p2:2 p10:2]")
	offsets := must[[]projection.Offset](t)(db.Offsets(t.Context(), claim, 10))
	if len(offsets) != 3 || offsets[0].PersistenceID != "p10" || offsets[1].SeqNr != 3 {
		t.Fatalf("Pekko's offsets: %+v", offsets)
	}
	high := claimView(t, db, journal.SliceRange{Min: 512, Max: 1023})
	isText(t, "nothing was saved yet: the instance's own", readsOn(t, db, high), "[p10:2]")
}

// TestPekkoTakesOverAndGivesBack: what it has handled meanwhile is not handled
// again, though our cursor is older.
func TestPekkoTakesOverAndGivesBack(t *testing.T) {
	url := testenv.Postgres(t)
	db, conn := open(t, url, postgres.Config{}), connect(t, url)
	now := time.Now().UTC().Truncate(time.Second)
	low := claimView(t, db, journal.SliceRange{Min: 0, Max: 511})
	eventAt(t, conn, "p1", 1, now.Add(-20*time.Minute))
	saveView(t, db, low, projection.Offset{PersistenceID: "p1", Slice: 449, SeqNr: 1, Time: now.Add(-20 * time.Minute)})
	isText(t, "the key that Pekko has for the slices", texts(t, conn, "SELECT projection_key FROM projection_timestamp_offset_store")[0], "0-511")
	eventAt(t, conn, "p1", 2, now.Add(-10*time.Minute))
	isText(t, "before Pekko", readsOn(t, db, claimView(t, db, low.Slices)), "[p1:1 p1:2]")

	pekkoHandled(t, conn, "0-511", "p1", 3, now.Add(-time.Minute), now.Add(time.Minute))
	eventAt(t, conn, "p1", 3, now.Add(-time.Minute))
	low = claimView(t, db, low.Slices)
	isText(t, "after Pekko", readsOn(t, db, low), "[p1:3]")
}

func saveView(t *testing.T, db *postgres.DB, claim projection.Claim, offsets ...projection.Offset) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *postgres.Tx) error { return tx.SaveOffsets(t.Context(), claim, offsets, nil) })
	if err != nil {
		t.Fatal(err)
	}
}

// TestOffsetsAreSavedInJoinedTransactions, whatever the driver and the protocol.
func TestOffsetsAreSavedInJoinedTransactions(t *testing.T) {
	where := testenv.Postgres(t)
	db := open(t, where, postgres.Config{Schema: "app"})
	claim := must[projection.Claim](t)(db.ClaimSlices(t.Context(), "view", "events", journal.AllSlices(), nil))
	at := time.Now().UTC().Truncate(time.Microsecond)
	seqNr := int64(0)
	for name, way := range ways(t, where, db) {
		t.Run(name, func(t *testing.T) {
			seqNr++
			now := must[journal.Cursor](t)(db.Now(t.Context(), journal.Events))
			offset := projection.Offset{PersistenceID: `a|"b'\,{}`, SeqNr: seqNr, Time: at.Add(time.Duration(seqNr))}
			offset.Slice = journal.SliceOf(offset.PersistenceID)
			for _, cursor := range []journal.Cursor{nil, now} {
				err := way(func(tx *postgres.Tx) error {
					return tx.SaveOffsets(t.Context(), claim, []projection.Offset{offset}, cursor)
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			got := must[[]projection.Offset](t)(db.OffsetsOf(t.Context(), claim, []string{offset.PersistenceID}))
			if got[0].SeqNr != seqNr {
				t.Fatalf("got %+v", got)
			}
			stored := must[[]projection.Stored](t)(db.Projections(t.Context(), "view"))
			if string(stored[0].Ranges[0].Cursor) != string(now) {
				t.Fatalf("cursor %s, want %s", stored[0].Ranges[0].Cursor, now)
			}
		})
	}
}
