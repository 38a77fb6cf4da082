package postgres

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

var projectionSave = statementFile("projection_save")

// SaveOffsets is described at projection.Tx; one round trip.
func (tx *Tx) SaveOffsets(ctx context.Context, claim projection.Claim, offsets []projection.Offset, cursor journal.Cursor) error {
	last, err := projection.LastOffsets(claim, offsets)
	if err != nil {
		return err
	}
	n := len(last)
	sliceNrs, seqNrs := make([]int32, n), make([]int64, n)
	ids, times := make([]string, n), make([]time.Time, n)
	for i, o := range last {
		sliceNrs[i], ids[i], seqNrs[i], times[i] = int32(o.Slice), o.PersistenceID, o.SeqNr, o.Time
	}
	var held int
	err = tx.QueryRow(ctx, tx.names.sql(projectionSave), claim.Projection, claim.Slices.Min, claim.Epoch,
		cursorOrNull(cursor), sliceNrs, ids, seqNrs, times).Scan(&held)
	if err != nil {
		return failed("save the offsets of projection "+claim.Projection, err)
	}
	if held == 0 {
		return projection.ErrFenced
	}
	return nil
}

// cursorOrNull is text, which every driver passes as it is.
func cursorOrNull(c journal.Cursor) *string {
	if c == nil {
		return nil
	}
	text := string(c)
	return &text
}
