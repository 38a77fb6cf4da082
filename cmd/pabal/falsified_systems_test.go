package main

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/internal/traffic"
	"github.com/pabal-dev/pabal/internal/traffic/hotel"
	"github.com/pabal-dev/pabal/storage"
)

// aStay is the first reservation of a status.
func aStay(status string) string {
	return `(SELECT min(id) FROM reservations WHERE status = '` + status + `')`
}

// aPlainStay is the first that had rooms free and that nobody cancelled: the last rooms
// have higher numbers, and what was cancelled is not confirmed.
const aPlainStay = `(SELECT min(id) FROM reservations WHERE status = 'CONFIRMED' AND room_id <= 4)`

// aRent is the first rent of a status.
func aRent(status string) string {
	return `(SELECT min(id) FROM rentals WHERE status = '` + status + `')`
}

// hotelFalsifications and libraryFalsifications are like falsifications.
var hotelFalsifications = []struct {
	name, db, sql string
	want          []string
}{
	{"nothing", "room", `UPDATE nights SET stock = stock`, nil},
	{"night lost", "room", `UPDATE nights SET stock = stock - 1 WHERE stock = (SELECT max(stock) FROM nights)`, []string{"hotel nights"}},
	{"night out of nothing", "room", `UPDATE nights SET stock = stock + 1 WHERE stock < capacity`, []string{"hotel nights"}},
	{"night forgotten", "room", `DELETE FROM nights WHERE stock < capacity`, []string{"hotel nights"}},
	{"one less of a kind", "room", `UPDATE nights SET capacity = capacity + 1 WHERE stock < capacity`, []string{"hotel nights"}},
	{"stay forgotten", "room", `DELETE FROM stays WHERE reservation_id = (SELECT min(reservation_id) FROM stays WHERE status = 'TAKEN')`, []string{"hotel stays"}},
	{"stay of nobody", "room", `INSERT INTO stays SELECT -1, room_id, check_in, check_out, 'REFUSED', '', 0, 0 FROM stays LIMIT 1`, []string{"hotel stays"}},
	{"stay on other days", "room", `UPDATE stays SET check_out = '2039-01-01' WHERE reservation_id = (SELECT min(reservation_id) FROM stays WHERE status = 'TAKEN')`, []string{"hotel stays"}},
	{"cancelled, nights stand", "room", `UPDATE stays SET status = 'TAKEN' WHERE reservation_id = (SELECT min(reservation_id) FROM stays WHERE status = 'GIVEN_BACK')`, []string{"hotel stays"}},
	{"confirmed and given back", "reservation", `UPDATE reservations SET status = 'CONFIRMED' WHERE id = ` + aStay("CANCELLED"), []string{"hotel nights", "hotel stays"}},
	{"failed, nights stand", "reservation", `UPDATE reservations SET status = 'FAILED' WHERE id = ` + aPlainStay, []string{"hotel nights", "hotel stays", "hotel confirmed"}},
	{"cancelled by nobody", "reservation", `UPDATE reservations SET status = 'CANCELLED' WHERE id = ` + aPlainStay, []string{"hotel nights", "hotel stays", "hotel confirmed"}},
	{"never ends", "reservation", `UPDATE reservations SET status = 'CANCELLING' WHERE id = ` + aStay("CANCELLED"), []string{"hotel reservations"}},
	{"saga never ends", "reservation", `UPDATE pabal_saga SET status = 'RUNNING' WHERE id = (SELECT min(id) FROM pabal_saga)`, []string{"hotel reservations"}},
	{"reservation lost", "reservation", `DELETE FROM reservations WHERE id = ` + aStay("FAILED"), []string{"hotel stays", "hotel accepted"}},
	{"dead letter", "room", `UPDATE pabal_inbox SET outcome = 'dead' WHERE id = (SELECT min(id) FROM pabal_inbox)`, []string{"hotel messages"}},
}

var libraryFalsifications = []struct {
	name, db, sql string
	want          []string
}{
	{"nothing", "book", `UPDATE books SET holder = holder`, nil},
	{"book with nobody", "book", `UPDATE books SET holder = '', rental_id = '', status = 'AVAILABLE' WHERE no = (SELECT min(no) FROM books WHERE holder <> '')`, []string{"library holders"}},
	{"book with somebody else", "book", `UPDATE books SET holder = 'somebody' WHERE no = (SELECT min(no) FROM books WHERE holder <> '')`, []string{"library holders"}},
	{"book still with them", "book", `UPDATE books SET holder = 'somebody', rental_id = 'x', status = 'UNAVAILABLE' WHERE no = (SELECT min(no) FROM books WHERE holder = '')`, []string{"library holders"}},
	{"point out of nothing", "member", `UPDATE members SET points = points + 1 WHERE no = 1`, []string{"library points"}},
	{"given twice", "member", `INSERT INTO point_entries SELECT id || 'x', kind, member_id, points, status, reason, 0, 0 FROM point_entries
		WHERE id = (SELECT min(id) FROM point_entries WHERE status = 'DONE' AND kind = 'RENT')`, []string{"library points"}},
	{"rent not counted", "bestbook", `UPDATE best_books SET rents = rents - 1 WHERE book_no = (SELECT min(book_no) FROM best_books WHERE rents > 0)`, []string{"library best"}},
	{"book not counted", "bestbook", `DELETE FROM best_books WHERE book_no = (SELECT min(book_no) FROM best_books WHERE rents > 0)`, []string{"library best"}},
	{"compensated and counted", "rental", `UPDATE rentals SET status = 'CANCELLED' WHERE id = ` + aRent("RETURNED"), []string{"library points", "library best"}},
	{"fee forgotten", "rental", `UPDATE rental_cards SET late_fee = 0 WHERE late_fee > 0`, []string{"library cards"}},
	{"never ends", "rental", `UPDATE rentals SET status = 'CANCELLING' WHERE id = ` + aRent("CANCELLED"), []string{"library rents"}},
	{"fee never ends", "rental", `UPDATE clearings SET status = 'PENDING' WHERE id = (SELECT min(id) FROM clearings WHERE status = 'UNDONE')`, []string{"library rents"}},
	{"timer lost", "rental", `DELETE FROM pabal_saga WHERE name = 'loan' AND id = ` + aRent("RENTED"), []string{"library rents"}},
	{"timer of a book that is back", "rental", `UPDATE pabal_saga SET status = 'RUNNING' WHERE name = 'loan' AND id = ` + aRent("RETURNED"), []string{"library rents"}},
	{"rent lost", "rental", `DELETE FROM rentals WHERE id = ` + aRent("CANCELLED"), []string{"library accepted"}},
	{"return lost", "rental", `DELETE FROM returns WHERE id = (SELECT min(id) FROM returns WHERE status = 'DONE' AND late_fee = 0)`, []string{"library points", "library accepted"}},
	{"fee lost", "rental", `DELETE FROM clearings WHERE id = (SELECT min(id) FROM clearings WHERE status = 'UNDONE')`, []string{"library accepted"}},
	{"dead letter", "bestbook", `UPDATE pabal_inbox SET outcome = 'dead' WHERE id = (SELECT min(id) FROM pabal_inbox)`, []string{"library messages"}},
}

var libraryServices = []string{"rental", "book", "member", "bestbook"}

// balancedFalsifications of the member database leave each member's points the sum of
// the entries: only the look at each transaction notices. gave is what it says.
var balancedFalsifications = []struct {
	name      string
	sql, gave []string
}{
	// Who returned a book had rented it.
	{"one member's rent and return, too much and too little", []string{`WITH two AS (SELECT a.id AS rent, b.id AS back FROM point_entries a JOIN point_entries b ON b.member_id = a.member_id
		WHERE a.kind = 'RENT' AND b.kind = 'RETURN' AND a.status = 'DONE' AND b.status = 'DONE' ORDER BY 1, 2 LIMIT 1)
		UPDATE point_entries SET points = points + CASE kind WHEN 'RENT' THEN 10 ELSE -10 END
		WHERE kind = 'RENT' AND id = (SELECT rent FROM two) OR kind = 'RETURN' AND id = (SELECT back FROM two)`},
		[]string{"10 points, and gave 20", "10 points, and gave 0"}},
	// The member is marked, because afterwards it may not have 10 points any more.
	{"undone the wrong one", []string{`UPDATE members SET points = points - 10, changed_at = -1 WHERE id =
		(SELECT min(m.id) FROM members m JOIN point_entries e ON e.member_id = m.id WHERE e.kind = 'RENT' AND e.status = 'DONE' AND m.points >= 10)`,
		`UPDATE point_entries SET status = 'CANCELLED' WHERE kind = 'RENT' AND id = (SELECT min(e.id) FROM point_entries e JOIN members m ON m.id = e.member_id
		WHERE e.kind = 'RENT' AND e.status = 'DONE' AND m.changed_at = -1)`},
		[]string{"10 points, and gave 0"}},
}

// notThere are the falsifications that have nothing to change.
func notThere(t *testing.T, folder string) (names []string) {
	t.Helper()
	rooms := copiedHotel(t, folder)
	books, _ := copied(t, folder, "accepted-library.log", libraryServices)
	look := func(name string, db storage.DB, sql string) {
		never := errors.New("it was to be seen only")
		err := db.Update(t.Context(), func(tx storage.Tx) error {
			changed, err := tx.Exec(t.Context(), sql)
			if err == nil && changed == 0 {
				names = append(names, name)
			}
			return cmp.Or(err, never)
		})
		if !errors.Is(err, never) {
			t.Fatal(err)
		}
	}
	for _, f := range hotelFalsifications {
		look(f.name, rooms.dbs[f.db], f.sql)
	}
	for _, f := range libraryFalsifications {
		look(f.name, books[f.db], f.sql)
	}
	for _, f := range balancedFalsifications {
		look(f.name, books["member"], f.sql[0])
	}
	return names
}

// testSystemsFalsified falsifies copies of the databases of hotel and library.
func testSystemsFalsified(t *testing.T, folder string) {
	for _, tt := range hotelFalsifications {
		t.Run("hotel "+tt.name, func(t *testing.T) {
			h := copiedHotel(t, folder)
			falsify(t, h.dbs[tt.db], tt.sql)
			h.violates(t, tt.want)
		})
	}
	t.Run("hotel refused though rooms were free", func(t *testing.T) { testRefusedInVain(t, copiedHotel(t, folder)) })
	for _, tt := range libraryFalsifications {
		t.Run("library "+tt.name, func(t *testing.T) {
			dbs, ledger := copied(t, folder, "accepted-library.log", libraryServices)
			falsify(t, dbs[tt.db], tt.sql)
			areViolated(t, checkedLibrary(t, dbs, ledger), tt.want)
		})
	}
	for _, tt := range balancedFalsifications {
		t.Run("library "+tt.name, func(t *testing.T) {
			dbs, ledger := copied(t, folder, "accepted-library.log", libraryServices)
			for _, sql := range tt.sql {
				falsify(t, dbs["member"], sql)
			}
			results := checkedLibrary(t, dbs, ledger)
			areViolated(t, results, []string{"library points"})
			isViolatedBy(t, results, "library points", tt.gave...)
		})
	}
}

func checkedLibrary(t *testing.T, dbs map[string]storage.DB, ledger *traffic.Ledger) []invariants.Result {
	t.Helper()
	results, err := invariants.CheckLibrary(t.Context(), invariants.LibraryDatabases{
		Rental: dbs["rental"], Book: dbs["book"], Member: dbs["member"], BestBook: dbs["bestbook"],
	}, ledger.Read)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// isViolatedBy expects these violations of one invariant and no others.
func isViolatedBy(t *testing.T, results []invariants.Result, name string, want ...string) {
	t.Helper()
	for _, r := range results {
		if r.Name != name {
			continue
		}
		for _, violation := range want {
			if !strings.Contains(r.Detail, violation) || !strings.Contains(r.Detail, fmt.Sprintf("violated %d times", len(want))) {
				t.Errorf("%s: %s; want %q alone", name, r.Detail, want)
			}
		}
	}
}

// hotelCopy is one of its databases and of its ledger.
type hotelCopy struct {
	dbs    map[string]storage.DB
	ledger *traffic.Ledger
}

func copiedHotel(t *testing.T, folder string) hotelCopy {
	dbs, ledger := copied(t, folder, "accepted-hotel.log", []string{"reservation", "room"})
	return hotelCopy{dbs, ledger}
}

func (h hotelCopy) violates(t *testing.T, want []string) {
	t.Helper()
	dbs := invariants.HotelDatabases{Reservation: h.dbs["reservation"], Room: h.dbs["room"]}
	results, err := invariants.CheckHotel(t.Context(), dbs, h.ledger.Read, hotel.MustBeConfirmed)
	if err != nil {
		t.Fatal(err)
	}
	areViolated(t, results, want)
}

// testRefusedInVain: both services agree and the nights are free; only the member knows
// better. Where nobody waited for room's answer any more, it is right.
func testRefusedInVain(t *testing.T, h hotelCopy) {
	id := idOf(t, h.dbs["reservation"], `SELECT `+aPlainStay)
	falsify(t, h.dbs["reservation"], `UPDATE reservations SET status = 'FAILED' WHERE id = `+id)
	falsify(t, h.dbs["room"], `UPDATE nights SET stock = stock + 1 WHERE EXISTS (SELECT 1 FROM stays s
		WHERE s.reservation_id = `+id+` AND s.room_id = nights.room_id AND night >= check_in AND night < check_out)`)
	falsify(t, h.dbs["room"], `UPDATE stays SET status = 'OVERTAKEN' WHERE reservation_id = `+id)
	h.violates(t, nil)
	falsify(t, h.dbs["room"], `UPDATE stays SET status = 'REFUSED' WHERE reservation_id = `+id)
	h.violates(t, []string{"hotel confirmed"})
}

func idOf(t *testing.T, db storage.DB, query string) string {
	t.Helper()
	var id int64
	err := db.View(t.Context(), func(q storage.Querier) error { return q.QueryRow(t.Context(), query).Scan(&id) })
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(id, 10)
}

func falsify(t *testing.T, db storage.DB, sql string) {
	t.Helper()
	err := db.Update(t.Context(), func(tx storage.Tx) error {
		changed, err := tx.Exec(t.Context(), sql)
		if changed == 0 && err == nil {
			t.Fatal("the statement changed nothing")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
