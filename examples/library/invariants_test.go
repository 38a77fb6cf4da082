package library_test

import (
	"strconv"
	"testing"

	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/storage"
)

func number(n int64) string { return strconv.FormatInt(n, 10) }

// databases are those of the services, for looking inside.
type databases struct{ rental, book, member, bestbook storage.DB }

func (s system) databases() databases {
	return databases{s.DB("rental"), s.DB("book"), s.DB("member"), s.DB("bestbook")}
}

// none reports rows that should not be there; the query counts them.
func none(t testing.TB, db storage.DB, what, query string) {
	t.Helper()
	if n := systemtest.Count(t, db, query); n != 0 {
		t.Errorf("%d %s", n, what)
	}
}

// checkAlways holds at every moment.
func (d databases) checkAlways(t testing.TB) {
	t.Helper()
	none(t, d.book, "books whose holder does not fit their status",
		`SELECT COUNT(*) FROM books WHERE (status = 'UNAVAILABLE') <> (holder <> '') OR (holder = '') <> (rental_id = '')`)
	none(t, d.member, "members whose points are not the sum of what was done", `SELECT COUNT(*) FROM members m WHERE points < 0 OR points <> (
		SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM point_entries WHERE member_id = m.id AND status = 'DONE')`)
	none(t, d.bestbook, "books whose count is not that of their rents", `SELECT COUNT(*) FROM best_books b WHERE rents <> (
		SELECT COUNT(*) FROM rents WHERE book_no = b.book_no AND status = 'COUNTED')`)
	none(t, d.rental, "cards with more than five items", `SELECT COUNT(*) FROM rental_cards c WHERE 5 < (
		SELECT COUNT(*) FROM rentals WHERE member_id = c.member_id AND status IN ('RENTING', 'RENTED', 'RETURNING'))`)
	none(t, d.rental, "items that are on a card twice", `SELECT COUNT(*) FROM (SELECT member_id FROM rentals
		WHERE status IN ('RENTING', 'RENTED', 'RETURNING') GROUP BY member_id, item_no HAVING COUNT(*) > 1) twice`)
	none(t, d.rental, "cards whose fee is not what was charged and not cleared", `SELECT COUNT(*) FROM rental_cards c WHERE late_fee <>
		(SELECT CAST(COALESCE(SUM(late_fee), 0) AS BIGINT) FROM returns WHERE member_id = c.member_id AND status <> 'UNDONE') -
		(SELECT CAST(COALESCE(SUM(point), 0) AS BIGINT) FROM clearings WHERE member_id = c.member_id AND status <> 'UNDONE')`)
}

// checkEnded holds once no message is under way: what the services say of each
// business transaction fits.
func (d databases) checkEnded(t testing.TB) {
	t.Helper()
	d.checkAlways(t)
	none(t, d.rental, "transactions that have not ended", `SELECT
		(SELECT COUNT(*) FROM rentals WHERE status IN ('RENTING', 'RETURNING', 'CANCELLING')) +
		(SELECT COUNT(*) FROM returns WHERE status = 'PENDING') + (SELECT COUNT(*) FROM clearings WHERE status = 'PENDING')`)
	rentals := systemtest.Table(t, d.rental, 4, `SELECT id, member_id, CAST(item_no AS TEXT), status FROM rentals`)
	entries := systemtest.Table(t, d.member, 2, `SELECT id || ' ' || kind, status || ' ' || CAST(points AS TEXT) FROM point_entries`)
	counted := systemtest.Table(t, d.bestbook, 2, `SELECT id, status FROM rents`)
	held := systemtest.Table(t, d.book, 3, `SELECT rental_id, holder, CAST(no AS TEXT) FROM books WHERE holder <> ''`)
	for id, r := range rentals {
		kept := r[2] != "CANCELLED"
		if got := entries[id+" RENT"]; kept != (got != nil && got[0] == "DONE 10") {
			t.Errorf("rent %s is %v, its points are %v", id, r, got)
		}
		if got := counted[id]; kept != (got != nil && got[0] == "COUNTED") {
			t.Errorf("rent %s is %v, and counts as %v", id, r, got)
		}
		got := held[id]
		if (r[2] == "RENTED") != (got != nil) || got != nil && (got[0] != r[0] || got[1] != r[1]) {
			t.Errorf("rent %s is %v, its book is held as %v", id, r, got)
		}
		delete(held, id)
	}
	if len(held) > 0 {
		t.Errorf("books are held by rents that are not there: %v", held)
	}
	for id, r := range systemtest.Table(t, d.rental, 2, `SELECT id, status FROM returns`) {
		if got := entries[id+" RETURN"]; (r[0] == "DONE") != (got != nil && got[0] == "DONE 10") {
			t.Errorf("return %s is %v, its points are %v", id, r, got)
		}
	}
	for id, c := range systemtest.Table(t, d.rental, 3, `SELECT id, status, CAST(-point AS TEXT) FROM clearings`) {
		if got := entries[id+" OVERDUE"]; (c[0] == "DONE") != (got != nil && got[0] == "DONE "+c[1]) {
			t.Errorf("clearing %s is %v, its points are %v", id, c, got)
		}
	}
}

// checkEnded waits for the view, which answers nobody, and checks.
func checkEnded(t testing.TB, s system) {
	t.Helper()
	d := s.databases()
	s.Wait("the best books to have heard of everything", func() bool {
		sent := systemtest.Count(t, d.rental, `SELECT COUNT(*) FROM rentals WHERE status <> 'CANCELLED'`)
		return sent == systemtest.Count(t, d.bestbook, `SELECT COUNT(*) FROM rents WHERE status = 'COUNTED'`)
	})
	d.checkEnded(t)
}
