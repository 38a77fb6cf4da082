package library_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/examples/library"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
)

// simulation is the library without Kafka: messages are handled in whatever order.
type simulation struct{ *systemtest.Simulation }

func newSimulation(t *testing.T, database func(string) string) simulation {
	return simulation{systemtest.NewSimulation(t, library.System(), database)}
}

func (s simulation) databases() databases {
	return databases{s.Services["rental"].Env.DB, s.Services["book"].Env.DB, s.Services["member"].Env.DB, s.Services["bestbook"].Env.DB}
}

func (s simulation) stock(members, books int) {
	s.T.Helper()
	for i := range members {
		if a := s.REST("POST", "member", "/members", fmt.Sprintf(`{"id":"m%d","name":"제니"}`, i)); a.Status != 201 {
			s.T.Fatal(a)
		}
	}
	for range books {
		if a := s.REST("POST", "book", "/books", `{"title":"책"}`); a.Status != 201 {
			s.T.Fatal(a)
		}
	}
}

// anything is what some member may want, often enough what cannot be.
func (s simulation) anything(random *rand.Rand, members, books int) {
	s.T.Helper()
	member, book := fmt.Sprintf("m%d", random.IntN(members+1)), 1+random.IntN(books+1) // one of each is unknown
	who, what := fmt.Sprintf(`"idName":{"id":%q,"name":"제니"}`, member), fmt.Sprintf(`"item":{"no":%d,"title":"책"}`, book)
	var a answer
	switch random.IntN(8) {
	case 0, 1, 2:
		a = s.REST("POST", "rental", "/rent", `{`+who+`,`+what+`}`)
	case 3, 4, 5:
		a = s.REST("POST", "rental", "/return", `{`+who+`,`+what+`}`)
	case 6:
		a = s.REST("POST", "rental", "/overdue", `{`+who+`,`+what+`,"daysLate":`+fmt.Sprint(random.IntN(3))+`}`)
	case 7:
		fee := s.REST("GET", "rental", "/rental-cards/"+member, "").Int("lateFee")
		a = s.REST("POST", "rental", "/clear-overdue", `{`+who+`,"point":`+fmt.Sprint(max(fee, 1))+`}`)
	}
	if a.Status != 200 && a.Status != 202 && a.Status != 404 && a.Status != 409 {
		s.T.Errorf("%s", a)
	}
}

// TestAnyOrderOfMessagesKeepsBooksAndPoints lets messages of many rents, returns and
// late fees be handled in any order, across topics, repeatedly and with crashes; then
// replays every topic from its beginning.
func TestAnyOrderOfMessagesKeepsBooksAndPoints(t *testing.T) {
	random := testenv.Rand(t)
	s := newSimulation(t, systemtest.Files(t))
	const members, books = 4, 5
	s.stock(members, books)
	requests := 200
	s.anything(random, members, books)
	for requests > 0 {
		s.Drain(random, func() {
			for random.IntN(3) == 0 && requests > 0 {
				requests--
				s.anything(random, members, books)
			}
		})
		requests--
		s.anything(random, members, books)
	}
	s.Drain(random, func() {})
	s.databases().checkEnded(t)
	before := fmt.Sprint(states(t, s))

	sent := len(s.Sent)
	s.Replay()
	s.Drain(random, func() {})
	s.databases().checkEnded(t)
	if after := fmt.Sprint(states(t, s)); after != before {
		t.Errorf("replaying all topics changed\n%s to\n%s", before, after)
	}
	t.Logf("%d messages, %d with the replay; rents: %v", sent, len(s.Sent), ends(t, s))
}

// states are what a replay must not change.
func states(t *testing.T, s simulation) (all []any) {
	t.Helper()
	d := s.databases()
	return append(all,
		systemtest.Table(t, d.rental, 2, `SELECT member_id, status || CAST(late_fee AS TEXT) FROM rental_cards`),
		systemtest.Table(t, d.rental, 2, `SELECT id, status FROM rentals`),
		systemtest.Table(t, d.rental, 2, `SELECT name || id, status FROM pabal_saga`),
		systemtest.Table(t, d.book, 2, `SELECT CAST(no AS TEXT), status || holder || rental_id FROM books`),
		systemtest.Table(t, d.member, 2, `SELECT id, CAST(points AS TEXT) FROM members`),
		systemtest.Table(t, d.bestbook, 2, `SELECT CAST(book_no AS TEXT), CAST(rents AS TEXT) FROM best_books`),
	)
}

func ends(t *testing.T, s simulation) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, r := range systemtest.Table(t, s.databases().rental, 2, `SELECT id, status FROM rentals`) {
		all[r[0]]++
	}
	return all
}

// TestRaceForABook: one of many members gets a book that all of them want.
func TestRaceForABook(t *testing.T) {
	for name, database := range map[string]func(*testing.T) func(string) string{
		"SQLite": func(t *testing.T) func(string) string { return systemtest.Files(t) },
		"PostgreSQL": func(t *testing.T) func(string) string {
			url := testenv.Postgres(t)
			return func(string) string { return url }
		},
	} {
		t.Run(name, func(t *testing.T) { raceForABook(t, newSimulation(t, database(t))) })
	}
}

// raceForABook has many members rent one book at the same time, by requests and
// handlers side by side. One of them gets it.
func raceForABook(t *testing.T, s simulation) {
	const members = 8
	s.stock(members, 1)
	var all sync.WaitGroup
	for i := range members {
		all.Go(func() {
			a := s.Ask("POST", "rental", "/rent", fmt.Sprintf(`{"idName":{"id":"m%d","name":"제니"},"item":{"no":1,"title":"책"}}`, i))
			if a.Status != 202 {
				t.Errorf("%s", a)
			}
		})
	}
	all.Wait()
	a := s.REST("POST", "rental", "/rental-cards", `{"idName":{"id":"m0","name":"제니"}}`) // takes what was sent
	if a.Status != 200 || len(s.UnderWay) != members {
		t.Fatalf("%s, %d messages are under way", a, len(s.UnderWay))
	}
	rents := s.UnderWay
	s.UnderWay = nil
	for _, m := range rents {
		all.Go(func() { s.Handle(m) })
	}
	all.Wait()
	for name := range s.Services { // and what that has sent
		s.REST("GET", name, "/nothing", "")
	}
	s.Drain(testenv.Rand(t), func() {})
	if got := ends(t, s); got["RENTED"] != 1 || got["CANCELLED"] != members-1 {
		t.Errorf("the rents are %v", got)
	}
	s.databases().checkEnded(t)
}

// TestRequestsOfOneMemberAtATime: a member who asks for everything at once gets five items, and
// none of them twice.
func TestRequestsOfOneMemberAtATime(t *testing.T) {
	s := newSimulation(t, systemtest.Files(t))
	s.stock(1, 8)
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			a := s.Ask("POST", "rental", "/rent", fmt.Sprintf(`{"idName":{"id":"m0","name":"제니"},"item":{"no":%d,"title":"책"}}`, 1+i%8))
			if a.Status != 202 && a.Status != 409 {
				t.Errorf("%s", a)
			}
		})
	}
	all.Wait()
	s.REST("GET", "rental", "/nothing", "")
	sent := map[string]outbox.Message{}
	for _, m := range s.Sent {
		if m.Topic == message.RentalRent {
			sent[m.CorrelationID] = m
		}
	}
	if len(sent) != 5 {
		t.Errorf("%d rents were sent", len(sent))
	}
	s.databases().checkAlways(t)
	a := s.Ask("GET", "rental", "/rental-cards/m0", "")
	if n := strings.Count(cardText(a), "RENTING"); n != 5 {
		t.Errorf("the card has %d items: %s", n, a)
	}
	s.Drain(testenv.Rand(t), func() {})
	s.databases().checkEnded(t)
}
