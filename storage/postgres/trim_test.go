package postgres_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// TestTrimKeepsWhatAFailoverReadsAgain: of all that comes again after the server has
// changed, the offset is still there.
func TestTrimKeepsWhatAFailoverReadsAgain(t *testing.T) {
	db := openNew(t)
	ctx := t.Context()
	// Oldest first: a row of an earlier hour among later ones would not be looked behind.
	for _, e := range []struct{ id, age string }{{"old|1", "2 hours"}, {"new|1", "7 minutes"}, {"last|1", "0"}} {
		appendTo(t, db, e.id, 0)
		must[any](t)(db.Pool().Exec(ctx, "UPDATE event_journal SET db_timestamp = db_timestamp - $2::text::interval WHERE persistence_id = $1", e.id, e.age))
	}
	claim := must[projection.Claim](t)(db.ClaimSlices(ctx, "view", "events", journal.AllSlices(), nil))
	page := must[journal.Page](t)(db.Page(ctx, journal.Query{Slices: journal.AllSlices()}))
	var offsets []projection.Offset
	for _, e := range page.Events {
		slice := journal.SliceOf(e.PersistenceID)
		offsets = append(offsets, projection.Offset{PersistenceID: e.PersistenceID, Slice: slice, SeqNr: e.SeqNr, Time: e.Time, Consumed: e.Time})
	}
	if err := db.Update(ctx, func(tx *postgres.Tx) error { return tx.SaveOffsets(ctx, claim, offsets, page.Cursor) }); err != nil {
		t.Fatal(err)
	}
	// Offsets of the same slices that are newer, so that none is kept as its slice's latest.
	must[any](t)(db.Pool().Exec(ctx, `INSERT INTO projection_timestamp_offset_store
		SELECT projection_name, projection_key, slice, 'newer|' || slice, 1, now(), now() FROM projection_timestamp_offset_store`))
	if n := must[int64](t)(db.TrimOffsets(ctx, claim, time.Now().Add(-5*time.Minute))); n != 1 {
		t.Errorf("%d were deleted, want the one of two hours ago", n)
	}
	fields := map[string]any{}
	if err := json.Unmarshal(page.Cursor, &fields); err != nil {
		t.Fatal(err)
	}
	fields["server"] = "1-00000001-5"
	again := must[journal.Page](t)(db.Page(ctx, journal.Query{Slices: journal.AllSlices(), After: must[[]byte](t)(json.Marshal(fields))}))
	if len(again.Events) != 2 {
		t.Errorf("%d events are read again, want 2", len(again.Events))
	}
	for _, e := range again.Events {
		if o := must[[]projection.Offset](t)(db.OffsetsOf(ctx, claim, []string{e.PersistenceID})); o[0].SeqNr != e.SeqNr {
			t.Errorf("%s would be handled again", e.PersistenceID)
		}
	}
}
