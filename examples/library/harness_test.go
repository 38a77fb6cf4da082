package library_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/library"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/systemtest"
)

type (
	obj    = systemtest.Obj
	answer = systemtest.Answer
)

// system is the four services, or some of them.
type system struct {
	*systemtest.System
	t *testing.T
}

// newSystem is on the broker in process and SQLite.
func newSystem(t *testing.T) system {
	return system{systemtest.New(t, systemtest.Embedded, library.System()), t}
}

// onEach runs a test on both backends.
func onEach(t *testing.T, test func(t *testing.T, s system)) {
	systemtest.OnEach(t, library.System(), func(t *testing.T, s *systemtest.System) { test(t, system{s, t}) })
}

// within is the system for a part of the test.
func (s system) within(t *testing.T) system {
	inner := *s.System
	inner.T = t
	return system{&inner, t}
}

// clock is one that tests set forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// at has a service go by a clock.
func (c *clock) at(config *service.Config) { config.Clock = c.now }

func idName(id string) obj { return obj{"id": id, "name": "제니"} }

func rentBody(member string, book int64) obj {
	return obj{"idName": idName(member), "item": obj{"no": book, "title": "누구를 위하여 종을 울리나?"}}
}

// member registers one and returns the number.
func (s system) member(id string) int64 {
	s.t.Helper()
	return s.Must(201, "POST", "member", "/members", obj{"id": id, "name": "제니"}).Int("no")
}

func (s system) book() int64 {
	s.t.Helper()
	return s.Must(201, "POST", "book", "/books", obj{"title": "누구를 위하여 종을 울리나?"}).Int("no")
}

func (s system) points(member string) int64 {
	s.t.Helper()
	return s.Must(200, "GET", "member", "/members?id="+member, nil).Int("points")
}

// holder of a book; "" where it is AVAILABLE.
func (s system) holder(book int64) string {
	s.t.Helper()
	a := s.Must(200, "GET", "book", fmt.Sprint("/books/", book), nil)
	holder, _ := a.Body["holder"].(string)
	if (a.Body["status"] == "UNAVAILABLE") != (holder != "") {
		s.t.Errorf("book %d is %s", book, a)
	}
	return holder
}

func (s system) card(member string) answer {
	s.t.Helper()
	return s.Must(200, "GET", "rental", "/rental-cards/"+member, nil)
}

// hasCard checks a card: its status, fee, and the items on it such as "1 RENTED".
func (s system) hasCard(member, want string) {
	s.t.Helper()
	if got := cardText(s.card(member)); got != want {
		s.t.Errorf("the card of %s is %s, want %s", member, got, want)
	}
}

func cardText(a answer) string {
	text := fmt.Sprint(a.Body["status"], " ", a.Body["lateFee"])
	items, _ := a.Body["items"].([]any)
	for _, item := range items {
		text += fmt.Sprint(", ", item.(obj)["no"], " ", item.(obj)["status"])
		if item.(obj)["overdue"] == true {
			text += " overdue"
		}
	}
	return text
}

// accepted is a request that begins a business transaction; its id is returned.
func (s system) accepted(path string, body obj) string {
	s.t.Helper()
	return s.Must(202, "POST", "rental", path, body).Body["transactionId"].(string)
}

func (s system) rent(member string, book int64) string {
	s.t.Helper()
	return s.accepted("/rent", rentBody(member, book))
}

func (s system) giveBack(member string, book int64) string {
	s.t.Helper()
	return s.accepted("/return", obj{"idName": obj{"id": member}, "item": obj{"no": book}})
}

func (s system) clear(member string, points int64) string {
	s.t.Helper()
	return s.accepted("/clear-overdue", obj{"idName": obj{"id": member}, "point": points})
}

// refused is a request that must be answered with 409, about a field.
func (s system) refused(field, path string, body obj) answer {
	s.t.Helper()
	a := s.Must(409, "POST", "rental", path, body)
	if a.Fields() != field {
		s.t.Errorf("%s %v: %s, want the field %s", path, body, a, field)
	}
	return a
}

func (s system) transaction(id string) answer {
	s.t.Helper()
	return s.Must(200, "GET", "rental", "/transactions/"+id, nil)
}

// ends waits until a transaction has a status, and returns it.
func (s system) ends(id, status string) answer {
	s.t.Helper()
	var a answer
	s.Wait(fmt.Sprintf("transaction %s is %s", id, status), func() bool {
		a = s.transaction(id)
		return a.Body["status"] == status
	})
	return a
}

// results of the participants, such as "BOOK SUCCESS, MEMBER FAILED".
func results(a answer) (text string) {
	all, _ := a.Body["participants"].([]any)
	for i, p := range all {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprint(p.(obj)["name"], " ", p.(obj)["result"])
		if c, ok := p.(obj)["compensation"]; ok {
			text += fmt.Sprint(" ", c)
		}
	}
	return text
}

// rented is a rent that succeeds.
func (s system) rented(member string, book int64) string {
	s.t.Helper()
	id := s.rent(member, book)
	s.ends(id, "COMPLETED")
	return id
}

// counted waits until a book has been rented that often, as the view says.
func (s system) counted(book, rents int64) {
	s.t.Helper()
	var a answer
	s.Wait(fmt.Sprintf("book %d counts %d rents", book, rents), func() bool {
		a = s.Must(200, "GET", "bestbook", "/best-books?limit=100", nil)
		for _, b := range a.Body["bestBooks"].([]any) {
			if b.(obj)["no"] == float64(book) {
				return b.(obj)["rentCount"] == float64(rents)
			}
		}
		return rents == 0
	})
}

// Messages as the rental service sends them.

func jenny(id string) message.IDName { return message.IDName{ID: id, Name: "제니"} }

func item(no int64) message.Item {
	return message.Item{No: no, Title: "누구를 위하여 종을 울리나?"}
}

func rentedEvent(id, member string, book int64) event.Event {
	return event.New(message.RentalRent, member, message.ItemRented{IDName: jenny(member), Item: item(book), Point: 10}).InTransaction(id)
}

func pointUse(id, member string, of message.EventType) event.Event {
	return event.New(message.PointUse, member, message.PointUseCommand{IDName: jenny(member), Point: 10, EventType: of}).InTransaction(id)
}

func cancelEvent(typ, id, member string, book int64, p message.Participant) event.Event {
	return event.New(typ, member, message.CancelCommand{IDName: jenny(member), Item: item(book), Point: 10, Participant: p}).InTransaction(id)
}
