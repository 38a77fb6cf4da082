package library_test

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/library"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/internal/systemtest"
)

// The mistakes that libraries of this kind are known for, each with the right
// behaviour.

// TestPointUseBeforeTheAccrualIsNotLost: it is answered, and the accrual gives nothing
// when it comes.
func TestPointUseBeforeTheAccrualIsNotLost(t *testing.T) {
	onEach(t, func(t *testing.T, s system) {
		s.Start("member")
		s.member("jenny")
		for i, of := range []message.EventType{message.Rent, message.Return} {
			id := fmt.Sprint("t", i)
			s.Publish(message.PointUse, pointUse(id, "jenny", of))
			result := s.About(message.RentalResult, "jenny", 2*i+1)[2*i]
			if result.Value["success"] != true || result.Value["compensation"] != true || result.Value["eventType"] != string(of) {
				t.Errorf("the point-use is answered with %s", result.Payload)
			}
			topic, e := message.RentalRent, rentedEvent(id, "jenny", 1)
			if of == message.Return {
				topic, e = message.RentalReturn, event.New(message.RentalReturn, "jenny",
					message.ItemReturned{IDName: jenny("jenny"), Item: item(1), Point: 10}).InTransaction(id)
			}
			s.Publish(topic, e)
			result = s.About(message.RentalResult, "jenny", 2*i+2)[2*i+1]
			if result.Value["success"] != false || result.Value["reason"] != "cancelled before it came" {
				t.Errorf("the accrual is answered with %s", result.Payload)
			}
			if points := s.points("jenny"); points != 0 {
				t.Errorf("%d points after %s", points, of)
			}
		}
	})
}

// TestPointUseOfOthersIsAnswered: one that is no compensation is refused where the
// points are missing, taken where they are there, and undoes the accrual of its own
// transaction.
func TestPointUseOfOthersIsAnswered(t *testing.T) {
	s := newSystem(t)
	s.Start("member")
	s.member("jenny")
	n := 0
	answered := func(e event.Event, topic string, success bool, points int64) {
		t.Helper()
		s.Publish(topic, e)
		n++
		result := s.About(message.RentalResult, "jenny", n)[n-1]
		if result.Value["success"] != success || result.Value["sourceEventId"] != e.ID || (result.Value["reason"] == nil) != success {
			t.Errorf("answer %s", result.Payload)
		}
		if got := s.points("jenny"); got != points {
			t.Errorf("%d points, want %d", got, points)
		}
	}
	answered(pointUse("use", "jenny", ""), message.PointUse, false, 0)
	answered(rentedEvent("r", "jenny", 1), message.RentalRent, true, 10)
	answered(rentedEvent("q", "jenny", 2), message.RentalRent, true, 20)
	answered(pointUse("use", "jenny", ""), message.PointUse, true, 10)
	answered(pointUse("r", "jenny", ""), message.PointUse, true, 0)
	answered(pointUse("r", "jenny", ""), message.PointUse, true, 0) // is undone
	answered(pointUse("q", "jenny", message.Rent), message.PointUse, false, 0)
}

// TestBookOfAnotherMemberIsNotCompensated: a rent that failed because somebody else has
// the book sends nothing to undo it, and what is sent all the same leaves it alone.
func TestBookOfAnotherMemberIsNotCompensated(t *testing.T) {
	onEach(t, func(t *testing.T, s system) {
		s.All()
		s.member("tom")
		s.member("jenny")
		book := s.book()
		held := s.rented("tom", book)
		refused := s.rent("jenny", book)
		s.ends(refused, "COMPENSATED")
		for _, r := range s.About(message.RentCancel, "jenny", 1) {
			if r.Value["participant"] != "BESTBOOK" {
				t.Errorf("the book service is sent %s", r.Payload)
			}
		}
		for _, p := range []message.Participant{message.Book, ""} {
			s.Publish(message.RentCancel, cancelEvent(message.RentCancel, refused, "jenny", book, p))
		}
		for _, r := range s.About(message.RentalResult, "jenny", 5)[3:] {
			if r.Value["success"] != true || r.Value["compensation"] != true {
				t.Errorf("the cancel is answered with %s", r.Payload)
			}
		}
		a := s.Must(200, "GET", "book", "/books/"+number(book), nil)
		if a.Body["holder"] != "tom" || a.Body["rentalId"] != held {
			t.Errorf("the book is %s", a)
		}
		checkEnded(t, s)
	})
}

// TestNothingIsSentBeforeItIsCommitted: events go by the outbox, with the card and the
// saga, or not at all; and what was committed while Kafka was away is sent.
func TestNothingIsSentBeforeItIsCommitted(t *testing.T) {
	s := systemtest.NewSimulation(t, library.System(), systemtest.Files(t))
	rent := `{"idName":{"id":"jenny","name":"제니"},"item":{"no":1,"title":"책"}}`
	if a := s.REST("POST", "rental", "/rent", rent); a.Status != 202 {
		t.Fatal(a)
	}
	if a := s.REST("POST", "rental", "/rent", rent); a.Status != 409 {
		t.Fatal(a)
	}
	if len(s.Sent) != 1 || s.Sent[0].Topic != message.RentalRent {
		t.Fatalf("two requests, one of them refused, have sent %d messages: %v", len(s.Sent), s.Sent)
	}
	s.Deliver(true, s.Sent[0]) // both participants crash before they commit
	if len(s.Sent) != 1 {
		t.Errorf("a participant that has crashed has sent %v", s.Sent[1:])
	}
	s.Deliver(false, s.Sent[0])
	if len(s.Sent) != 3 {
		t.Errorf("%d messages after the participants have answered", len(s.Sent))
	}
}

// TestResultsHaveAnIDOfTheirOwn: they name the event that they answer, and are not it.
func TestResultsHaveAnIDOfTheirOwn(t *testing.T) {
	s := newSystem(t)
	s.Start("book")
	s.Start("member")
	book := s.book()
	s.member("jenny")
	asked := rentedEvent("r", "jenny", book)
	s.Publish(message.RentalRent, asked, asked)
	use := pointUse("r", "jenny", message.Rent)
	s.Publish(message.PointUse, use)
	ids := map[string]bool{asked.ID: true, use.ID: true}
	for _, r := range s.About(message.RentalResult, "jenny", 3) {
		if ids[r.ID] {
			t.Errorf("id %s is used twice", r.ID)
		}
		ids[r.ID] = true
		source := r.Value["sourceEventId"]
		if source != asked.ID && source != use.ID || r.CausationID != source || r.CorrelationID != "r" {
			t.Errorf("%s answers %v, is caused by %s, in %s", r.Payload, source, r.CausationID, r.CorrelationID)
		}
	}
}

// TestCancelOvertakesTheRent: what comes after its cancel changes nothing.
func TestCancelOvertakesTheRent(t *testing.T) {
	s := newSystem(t)
	s.Start("book")
	s.Start("bestbook")
	book := s.book()
	s.Publish(message.RentCancel, cancelEvent(message.RentCancel, "r", "jenny", book, message.Book))
	s.About(message.RentalResult, "jenny", 1)
	s.Publish(message.RentalRent, rentedEvent("r", "jenny", book))
	if r := s.About(message.RentalResult, "jenny", 2)[1]; r.Value["success"] != false || r.Value["reason"] != "cancelled before it came" {
		t.Errorf("the rent is answered with %s", r.Payload)
	}
	if holder := s.holder(book); holder != "" {
		t.Errorf("%s has the book", holder)
	}
	s.Publish(message.RentalRent, rentedEvent("q", "tom", book))
	s.About(message.RentalResult, "tom", 1)
	s.counted(book, 1) // of tom's alone
}

// TestReturnIsUndoneWhereTheBookIsThere: and not where somebody else has it.
func TestReturnIsUndoneWhereTheBookIsThere(t *testing.T) {
	s := newSystem(t)
	s.Start("book")
	book := s.book()
	returned := func(id, member string) event.Event {
		return event.New(message.RentalReturn, member, message.ItemReturned{IDName: jenny(member), Item: item(book), Point: 10}).InTransaction(id)
	}
	s.Publish(message.RentalRent, rentedEvent("r", "jenny", book))
	s.About(message.RentalResult, "jenny", 1)
	s.Publish(message.RentalReturn, returned("b", "jenny"))
	s.About(message.RentalResult, "jenny", 2)
	s.Publish(message.ReturnCancel, cancelEvent(message.ReturnCancel, "b", "jenny", book, message.Book))
	s.About(message.RentalResult, "jenny", 3)
	if a := s.Must(200, "GET", "book", "/books/"+number(book), nil); a.Body["holder"] != "jenny" || a.Body["rentalId"] != "r" {
		t.Errorf("the book is %s", a)
	}
	s.Publish(message.RentalReturn, returned("c", "jenny"))
	s.About(message.RentalResult, "jenny", 4)
	s.Publish(message.RentalRent, rentedEvent("q", "tom", book))
	s.About(message.RentalResult, "tom", 1)
	s.Publish(message.ReturnCancel, cancelEvent(message.ReturnCancel, "c", "jenny", book, message.Book))
	if r := s.About(message.RentalResult, "jenny", 5)[4]; r.Value["success"] != false || r.Value["compensation"] != true || r.Value["reason"] == nil {
		t.Errorf("the cancel is answered with %s", r.Payload)
	}
	if holder := s.holder(book); holder != "tom" {
		t.Errorf("%q has the book", holder)
	}
}
