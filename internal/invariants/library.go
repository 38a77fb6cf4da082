package invariants

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/storage"
)

// LibraryDatabases are those of the library's four services, the best books' among them:
// their view must be in SQL.
type LibraryDatabases struct {
	Rental, Book, Member, BestBook Viewer
	// Postgres says that they are PostgreSQL's, as of Databases.
	Postgres bool
}

// Services names them.
func (dbs LibraryDatabases) Services() []Named {
	return []Named{{"rental", dbs.Rental}, {"book", dbs.Book}, {"member", dbs.Member}, {"bestbook", dbs.BestBook}}
}

// Names of the library's invariants.
const (
	LibraryHolders  = "library holders"  // a book has at most one holder, the one that rents it
	LibraryPoints   = "library points"   // each transaction gave what it should; what a member has is the sum
	LibraryBest     = "library best"     // best-book counts = rents not compensated
	LibraryCards    = "library cards"    // fees add up; at most 5 items, none twice
	LibraryRents    = "library rents"    // every rent, return, fee and saga has ended; rents wait to be due
	LibraryAccepted = "library accepted" // every accepted rent, return and fee is there
	LibraryMessages = "library messages" // none waits, none failed, none is dead
)

// CheckLibrary computes all of them, like Check.
func CheckLibrary(ctx context.Context, dbs LibraryDatabases, accepted Accepted) ([]Result, error) {
	c := libraryChecker{
		LibraryDatabases: dbs, findings: newFindings(LibraryHolders, LibraryPoints, LibraryBest, LibraryCards, LibraryRents, LibraryAccepted, LibraryMessages),
		out: map[int64]holding{}, rented: map[int64]int64{},
	}
	for _, step := range []func(context.Context) error{
		c.rents, c.holders, c.points, c.best, c.cards,
		func(ctx context.Context) error { return c.accepted(ctx, accepted) },
		func(ctx context.Context) error { return c.leftovers(ctx, LibraryMessages, dbs.Services()) },
	} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("read the library's databases: %w", err)
		}
	}
	return c.results(), nil
}

type libraryChecker struct {
	LibraryDatabases
	findings
	out    map[int64]holding // books that are rented
	rented map[int64]int64   // how often each was
}

// holding is who has a book, and by which rent.
type holding struct{ member, rental string }

// rents reads what the rental service says of every rent.
func (c libraryChecker) rents(ctx context.Context) error {
	counts := map[string]int64{}
	err := each(ctx, c.Rental, `SELECT id, member_id, item_no, status FROM rentals`, nil, func(r storage.Row) error {
		var h holding
		var book int64
		var status string
		if err := r.Scan(&h.rental, &h.member, &book, &status); err != nil {
			return err
		}
		counts[status]++
		switch status {
		case "RENTED":
			if other, twice := c.out[book]; twice {
				c.violated(LibraryHolders, "book %d is rented by %s and by %s", book, other.member, h.member)
			}
			c.out[book] = h
			c.rented[book]++
		case "RETURNED":
			c.rented[book]++
		case "CANCELLED":
		default:
			c.violated(LibraryRents, "rent %s is %s", h.rental, status)
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.summary(LibraryRents, "%d rented, %d returned, %d compensated, %d not final",
		counts["RENTED"], counts["RETURNED"], counts["CANCELLED"], counts["RENTING"]+counts["RETURNING"]+counts["CANCELLING"])
	if err := c.unfinished(ctx); err != nil {
		return err
	}
	rentals := map[string]bool{}
	for _, h := range c.out {
		rentals[h.rental] = true
	}
	return c.openSagas(ctx, LibraryRents, c.Rental, func(saga, id string) bool { return saga == loanSaga && rentals[id] })
}

// unfinished are returns and late fees without an end, and rents that would never be
// overdue.
func (c libraryChecker) unfinished(ctx context.Context) error {
	for _, query := range []string{
		`SELECT 'return ' || id || ' is PENDING' FROM returns WHERE status = 'PENDING'`,
		`SELECT 'late fee ' || id || ' is PENDING' FROM clearings WHERE status = 'PENDING'`,
		`SELECT 'nothing waits for rent ' || r.id || ' to be due' FROM rentals r WHERE r.status = 'RENTED' AND r.overdue = 0
			AND NOT EXISTS (SELECT 1 FROM pabal_saga WHERE name = '` + loanSaga + `' AND id = r.id AND ` + openSaga + `)`,
	} {
		err := each(ctx, c.Rental, query, nil, func(r storage.Row) error {
			var what string
			err := r.Scan(&what)
			c.violated(LibraryRents, "%s", what)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// loanSaga waits for as long as a book is out.
const loanSaga = "loan"

// holders compares that with what the books say. A book has one holder by its nature:
// it must be the one that rents it.
func (c libraryChecker) holders(ctx context.Context) error {
	var held int64
	err := each(ctx, c.Book, `SELECT no, holder, rental_id FROM books WHERE holder <> ''`, nil, func(r storage.Row) error {
		var no int64
		var h holding
		if err := r.Scan(&no, &h.member, &h.rental); err != nil {
			return err
		}
		held++
		if rents := c.out[no]; rents != h {
			c.violated(LibraryHolders, "book %d is with %s by rent %s, it is rented by %q by rent %q", no, h.member, h.rental, rents.member, rents.rental)
		}
		delete(c.out, no)
		return nil
	})
	for no, h := range c.out {
		c.violated(LibraryHolders, "book %d is rented by %s by rent %s, and is with nobody", no, h.member, h.rental)
	}
	c.summary(LibraryHolders, "%d books are out, each with the one member that rents it", held)
	return err
}

// best compares the counts with the rents that were not compensated.
func (c libraryChecker) best(ctx context.Context) error {
	var books, rents int64
	err := each(ctx, c.BestBook, `SELECT book_no, rents FROM best_books`, nil, func(r storage.Row) error {
		var no, n int64
		if err := r.Scan(&no, &n); err != nil {
			return err
		}
		books, rents = books+1, rents+n
		if n != c.rented[no] {
			c.violated(LibraryBest, "book %d is counted %d times and was rented %d times", no, n, c.rented[no])
		}
		delete(c.rented, no)
		return nil
	})
	for no, n := range c.rented {
		c.violated(LibraryBest, "book %d was rented %d times and is not counted", no, n)
	}
	c.summary(LibraryBest, "%d books, counted %d rents = rents not compensated", books, rents)
	return err
}

// cards: what a card owes is what its returns cost and nobody paid.
func (c libraryChecker) cards(ctx context.Context) error {
	var cards, owed int64
	err := each(ctx, c.Rental, `
SELECT c.member_id, c.late_fee,
    (SELECT CAST(COALESCE(sum(late_fee), 0) AS BIGINT) FROM returns r WHERE r.member_id = c.member_id AND r.status = 'DONE'),
    (SELECT CAST(COALESCE(sum(point), 0) AS BIGINT) FROM clearings l WHERE l.member_id = c.member_id AND l.status = 'DONE'),
    (SELECT count(*) FROM rentals o WHERE o.member_id = c.member_id AND o.status IN ('RENTING', 'RENTED', 'RETURNING')),
    (SELECT count(DISTINCT item_no) FROM rentals o WHERE o.member_id = c.member_id AND o.status IN ('RENTING', 'RENTED', 'RETURNING'))
FROM rental_cards c`, nil, func(r storage.Row) error {
		var member string
		var fee, cost, paid, items, different int64
		if err := r.Scan(&member, &fee, &cost, &paid, &items, &different); err != nil {
			return err
		}
		cards, owed = cards+1, owed+fee
		if fee != cost-paid || fee < 0 {
			c.violated(LibraryCards, "%s owes %d, was charged %d and paid %d", member, fee, cost, paid)
		}
		if items > mostItems || different != items {
			c.violated(LibraryCards, "%s has %d items, %d different ones", member, items, different)
		}
		return nil
	})
	c.summary(LibraryCards, "%d cards owe %d = late fees - fees paid", cards, owed)
	return err
}

// mostItems a card may have.
const mostItems = 5
