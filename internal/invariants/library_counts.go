package invariants

import (
	"context"
	"time"
)

// LibraryCounts are rents by what became of them.
type LibraryCounts struct {
	// Rents that were accepted; Returned of them came back, Compensated were undone.
	// Those that are in none of the other counts are rented.
	Rents       int64 `json:"rents"`
	Returned    int64 `json:"returned"`
	Compensated int64 `json:"compensated"`
	// NeedsReview are sagas that wait for a person, Stuck are rents, returns and fees
	// that have not ended.
	NeedsReview int64 `json:"needs_review"`
	Stuck       int64 `json:"stuck"`
}

// CountLibrary counts what was begun since then.
func CountLibrary(ctx context.Context, dbs LibraryDatabases, since time.Time) (n LibraryCounts, err error) {
	query := `SELECT
    (SELECT count(*) FROM rentals WHERE rented_at >= SINCE),
    (SELECT count(*) FROM rentals WHERE rented_at >= SINCE AND status = 'RETURNED'),
    (SELECT count(*) FROM rentals WHERE rented_at >= SINCE AND status = 'CANCELLED'),
    (SELECT count(*) FROM pabal_saga WHERE status = 'NEEDS_REVIEW'),
    (SELECT count(*) FROM rentals WHERE rented_at >= SINCE AND status IN ('RENTING', 'RETURNING', 'CANCELLING'))
    + (SELECT count(*) FROM clearings WHERE created_at >= SINCE AND status = 'PENDING')`
	err = row(ctx, dbs.Rental, withNumber(query, "SINCE", since.UnixMicro()), &n.Rents, &n.Returned, &n.Compensated, &n.NeedsReview, &n.Stuck)
	return n, err
}

// LibrarySettled says whether nothing is under way any more; it is cheap while little
// is.
func LibrarySettled(ctx context.Context, dbs LibraryDatabases) (bool, error) {
	outbox, waiting, err := UnderWay(ctx, dbs.Services()...)
	if err != nil || outbox+waiting > 0 {
		return false, err
	}
	var open, rents, returns, clearings, stand int64
	err = row(ctx, dbs.Rental, `SELECT
    (SELECT count(*) FROM rentals WHERE status IN ('RENTING', 'RETURNING', 'CANCELLING'))
    + (SELECT count(*) FROM returns WHERE status = 'PENDING') + (SELECT count(*) FROM clearings WHERE status = 'PENDING')
    + (SELECT count(*) FROM pabal_saga WHERE name <> '`+loanSaga+`' AND `+openSaga+`),
    (SELECT count(*) FROM rentals), (SELECT count(*) FROM returns), (SELECT count(*) FROM clearings),
    (SELECT count(*) FROM rentals WHERE status IN ('RENTED', 'RETURNED'))`, &open, &rents, &returns, &clearings, &stand)
	if err != nil || open > 0 {
		return false, err
	}
	// Everybody has heard of everything.
	var steps, entries, counted, listed int64
	if err := row(ctx, dbs.Book, `SELECT count(*) FROM book_steps`, &steps); err != nil {
		return false, err
	}
	if err := row(ctx, dbs.Member, `SELECT count(*) FROM point_entries`, &entries); err != nil {
		return false, err
	}
	err = row(ctx, dbs.BestBook, `SELECT count(*), (SELECT count(*) FROM rents WHERE status = 'COUNTED') FROM rents`, &listed, &counted)
	return err == nil && steps >= rents+returns && entries >= rents+returns+clearings && listed >= rents && counted == stand, err
}
