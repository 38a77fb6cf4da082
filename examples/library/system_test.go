package library_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/examples/library/message"
)

// TestLibrary is the system end to end: what can become of rents, returns and late
// fees.
func TestLibrary(t *testing.T) {
	onEach(t, func(t *testing.T, s system) {
		var now clock
		s.All(now.at)
		for name, scenario := range map[string]func(t *testing.T, s system){
			"rent and return": rentAndReturn, "book is held by another": heldByAnother,
			"unknown member": unknownMember, "unknown book": unknownBook, "book is not available yet": notAvailable,
			"five items": fiveItems,
		} {
			t.Run(name, func(t *testing.T) { scenario(t, s.within(t)) })
		}
		t.Run("late", func(t *testing.T) { late(t, s.within(t), &now) })
		t.Run("late, without the points", func(t *testing.T) { lateWithoutPoints(t, s.within(t)) })
		checkEnded(t, s)
	})
}

func rentAndReturn(t *testing.T, s system) {
	s.member("ann")
	book := s.book()
	rent := s.rented("ann", book)
	a := s.transaction(rent)
	if results(a) != "BOOK SUCCESS, MEMBER SUCCESS" || a.Body["eventType"] != "RENT" {
		t.Errorf("the rent is %s", a)
	}
	s.hasCard("ann", "RENT_AVAILABLE 0, "+number(book)+" RENTED")
	if holder, points := s.holder(book), s.points("ann"); holder != "ann" || points != 10 {
		t.Errorf("%s has the book, ann %d points", holder, points)
	}
	s.refused("item", "/rent", rentBody("ann", book))
	s.counted(book, 1)

	a = s.ends(s.giveBack("ann", book), "COMPLETED")
	if results(a) != "BOOK SUCCESS, MEMBER SUCCESS" || a.Body["eventType"] != "RETURN" {
		t.Errorf("the return is %s", a)
	}
	s.hasCard("ann", "RENT_AVAILABLE 0")
	if holder, points := s.holder(book), s.points("ann"); holder != "" || points != 20 {
		t.Errorf("%q has the book, ann %d points", holder, points)
	}
	s.refused("item", "/return", obj{"idName": obj{"id": "ann"}, "item": obj{"no": book}})
	s.rented("ann", book)
	s.counted(book, 2)
}

func heldByAnother(t *testing.T, s system) {
	s.member("bea")
	s.member("bob")
	book := s.book()
	s.rented("bea", book)
	a := s.ends(s.rent("bob", book), "COMPENSATED")
	if got := results(a); got != "BOOK FAILED, MEMBER SUCCESS DONE" {
		t.Errorf("the rent is %s", a)
	}
	if reason, _ := a.Body["reason"].(string); !strings.Contains(reason, "another member has book") {
		t.Errorf("the reason is %q", reason)
	}
	s.hasCard("bob", "RENT_AVAILABLE 0")
	if holder, points := s.holder(book), s.points("bob"); holder != "bea" || points != 0 {
		t.Errorf("%s has the book, bob %d points", holder, points)
	}
	s.counted(book, 1)
}

func unknownMember(t *testing.T, s system) {
	book := s.book()
	a := s.ends(s.rent("nobody", book), "COMPENSATED")
	if got := results(a); got != "BOOK SUCCESS DONE, MEMBER FAILED" || a.Body["reason"] != "unknown member nobody" {
		t.Errorf("the rent is %s", a)
	}
	s.hasCard("nobody", "RENT_AVAILABLE 0")
	if holder := s.holder(book); holder != "" {
		t.Errorf("%s has the book", holder)
	}
	s.counted(book, 0)
}

func unknownBook(t *testing.T, s system) {
	s.member("cid")
	a := s.ends(s.rent("cid", 1<<40), "COMPENSATED")
	if got := results(a); got != "BOOK FAILED, MEMBER SUCCESS DONE" || a.Body["reason"] != "unknown book 1099511627776" {
		t.Errorf("the rent is %s", a)
	}
	if points := s.points("cid"); points != 0 {
		t.Errorf("%d points", points)
	}
}

func notAvailable(t *testing.T, s system) {
	s.member("dan")
	a := s.Must(201, "POST", "book", "/books", obj{"title": "새 책", "available": false})
	book := a.Int("no")
	if a.Body["status"] != "ENTERED" {
		t.Errorf("a new book is %s", a)
	}
	s.ends(s.rent("dan", book), "COMPENSATED")
	s.Must(200, "PATCH", "book", "/books/"+number(book), obj{"available": true})
	s.Must(409, "PATCH", "book", "/books/"+number(book), obj{"available": true})
	s.rented("dan", book)
}

func fiveItems(t *testing.T, s system) {
	s.member("eve")
	var books []int64
	for range 6 {
		books = append(books, s.book())
	}
	for _, book := range books[:5] { // not one of them is waited for
		s.rent("eve", book)
	}
	s.refused("item", "/rent", rentBody("eve", books[5]))
	s.Wait("five items", func() bool { return strings.Count(cardText(s.card("eve")), " RENTED") == 5 })
	s.refused("item", "/rent", rentBody("eve", books[5]))
	s.ends(s.giveBack("eve", books[0]), "COMPLETED")
	s.rented("eve", books[5])
	if points := s.points("eve"); points != 70 {
		t.Errorf("%d points", points)
	}
}

// late returns an item two days and a bit after it was due, and pays the fee.
func late(t *testing.T, s system, now *clock) {
	s.member("fay")
	book, other, third := s.book(), s.book(), s.book()
	s.rented("fay", other)
	s.ends(s.giveBack("fay", other), "COMPLETED")
	s.rented("fay", book)
	now.advance(14*24*time.Hour - time.Hour)
	s.rented("fay", third)
	now.advance(time.Hour)
	s.Wait("the item to be overdue", func() bool { // by its timer: nobody asks for it
		return cardText(s.card("fay")) == "RENT_UNAVAILABLE 0, "+number(book)+" RENTED overdue, "+number(third)+" RENTED"
	})
	s.refused("idName", "/rent", rentBody("fay", other))
	s.refused("item", "/overdue", obj{"idName": obj{"id": "fay"}, "item": obj{"no": third}})

	now.advance(2*24*time.Hour + time.Hour)
	a := s.Must(202, "POST", "rental", "/return", obj{"idName": obj{"id": "fay"}, "item": obj{"no": book}})
	if a.Int("lateFee") != 20 {
		t.Errorf("the return is answered with %s", a)
	}
	s.ends(a.Body["transactionId"].(string), "COMPLETED")
	s.hasCard("fay", "RENT_UNAVAILABLE 20, "+number(third)+" RENTED")
	s.refused("idName", "/clear-overdue", obj{"idName": obj{"id": "fay"}, "point": 20})
	s.ends(s.giveBack("fay", third), "COMPLETED")
	s.refused("point", "/clear-overdue", obj{"idName": obj{"id": "fay"}, "point": 10})
	before := s.points("fay")
	if a := s.ends(s.clear("fay", 20), "COMPLETED"); results(a) != "MEMBER SUCCESS" || a.Body["eventType"] != "OVERDUE" {
		t.Errorf("the clearing is %s", a)
	}
	s.hasCard("fay", "RENT_AVAILABLE 0")
	if points := s.points("fay"); points != before-20 {
		t.Errorf("%d points, before there were %d", points, before)
	}
	s.refused("idName", "/clear-overdue", obj{"idName": obj{"id": "fay"}, "point": 20})
}

// lateWithoutPoints: fee and unavailability come back.
func lateWithoutPoints(t *testing.T, s system) {
	s.member("gus")
	book := s.book()
	s.rented("gus", book)
	marked := s.Must(200, "POST", "rental", "/overdue", obj{"idName": obj{"id": "gus"}, "item": obj{"no": book}, "daysLate": 3})
	if got := cardText(marked); got != "RENT_UNAVAILABLE 0, "+number(book)+" RENTED overdue" {
		t.Errorf("the card is %s", got)
	}
	s.ends(s.giveBack("gus", book), "COMPLETED")
	s.hasCard("gus", "RENT_UNAVAILABLE 30")
	a := s.ends(s.clear("gus", 30), "COMPENSATED")
	if results(a) != "MEMBER FAILED" || a.Body["reason"] != "not enough points: gus has 20" {
		t.Errorf("the clearing is %s", a)
	}
	s.hasCard("gus", "RENT_UNAVAILABLE 30")
	if points := s.points("gus"); points != 20 {
		t.Errorf("%d points", points)
	}
}

// TestMessagesOnTheWire: the ids and keys that tie messages together.
func TestMessagesOnTheWire(t *testing.T) {
	s := newSystem(t)
	s.All()
	s.member("jenny")
	s.member("tom")
	book := s.book()
	rent := s.rented("tom", book)
	refused := s.rent("jenny", book)
	s.ends(refused, "COMPENSATED")
	seen := map[string]bool{}
	for _, topic := range []string{
		message.RentalRent, message.RentalReturn, message.OverdueClear, message.RentalResult, message.PointUse, message.RentCancel, message.ReturnCancel,
	} {
		for _, r := range s.Log(topic) {
			if seen[r.ID] {
				t.Errorf("two messages have the id %s", r.ID)
			}
			seen[r.ID] = true
			if r.CorrelationID != rent && r.CorrelationID != refused || r.Type != topic || r.Key != "jenny" && r.Key != "tom" {
				t.Errorf("%s: type %s, key %s, correlation id %s", topic, r.Type, r.Key, r.CorrelationID)
			}
		}
	}
	asked := s.About(message.RentalRent, "jenny", 1)[0]
	for _, result := range s.About(message.RentalResult, "jenny", 3)[:2] {
		if result.CausationID != asked.ID || result.Value["sourceEventId"] != asked.ID || result.Value["compensation"] != nil {
			t.Errorf("the result %s is caused by %s, want %s", result.Payload, result.CausationID, asked.ID)
		}
	}
	use := s.About(message.PointUse, "jenny", 1)[0]
	done := s.About(message.RentalResult, "jenny", 3)[2]
	if done.CausationID != use.ID || done.Value["compensation"] != true || done.Value["participant"] != "MEMBER" || done.Value["success"] != true {
		t.Errorf("the point-use is answered with %s", done.Payload)
	}
	cancel := s.About(message.RentCancel, "jenny", 1)[0] // for the best books alone
	if cancel.Value["participant"] != "BESTBOOK" {
		t.Errorf("%s", cancel.Payload)
	}
	if len(s.About(message.RentalResult, "tom", 2)) != 2 {
		t.Error("results about tom")
	}
}
