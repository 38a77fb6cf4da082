package library_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/library/rental/adapters"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/saga"
)

// act has a person act on a saga of the rental service.
func (s system) act(status int, a saga.Act) {
	s.t.Helper()
	a.Reason, a.Actor = "a test", "somebody"
	s.Must(status, "POST", "rental", "/admin/saga", a)
}

// loan is the saga that waits for an item to be due.
func (s system) loan(id string) saga.Record {
	s.t.Helper()
	r, _, err := s.DB("rental").Saga(s.t.Context(), "loan", id)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// TestMemberAwayPastTheDeadline: the rent is stuck, and seen to be; the answer
// completes it as if nothing had been.
func TestMemberAwayPastTheDeadline(t *testing.T) {
	onEach(t, func(t *testing.T, s system) {
		var now clock
		s.All(now.at)
		s.member("jenny")
		book := s.book()
		s.Stop("member")
		rent := s.rent("jenny", book)
		s.Wait("the book's answer", func() bool { return results(s.transaction(rent)) == "BOOK SUCCESS, MEMBER PENDING" })
		s.Stop("rental")
		now.advance(adapters.AnswerTimeout.Default + time.Second) // while nobody is there
		s.Start("rental", now.at)
		s.ends(rent, "NEEDS_REVIEW")
		s.hasCard("jenny", "RENT_AVAILABLE 0, "+number(book)+" RENTING")
		s.refused("item", "/return", obj{"idName": obj{"id": "jenny"}, "item": obj{"no": book}})
		s.Start("member", now.at)
		s.ends(rent, "COMPLETED")
		checkEnded(t, s)
	})
}

// TestLateSuccessIsCompensatedOnce: of a member whose answer comes after the saga has
// ended, because the book refused.
func TestLateSuccessIsCompensatedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s system) {
		var now clock
		s.All(now.at)
		s.member("tom")
		s.member("jenny")
		book := s.book()
		s.rented("tom", book)
		s.Stop("member")
		rent := s.rent("jenny", book)
		s.ends(rent, "COMPENSATING") // it hears of MEMBER first, or waits for the deadline
		s.hasCard("jenny", "RENT_AVAILABLE 0")
		now.advance(adapters.AnswerTimeout.Default + time.Second)
		s.ends(rent, "COMPENSATED")
		s.counted(book, 1)
		s.Stop("rental")
		now.advance(100 * 24 * time.Hour) // the saga is still there to hear of it
		s.Start("rental", now.at)
		s.Start("member", now.at)
		s.Wait("the compensation", func() bool {
			return results(s.transaction(rent)) == "BOOK FAILED, MEMBER SUCCESS DONE" && s.transaction(rent).Body["status"] == "COMPENSATED"
		})
		again := s.About(message.RentalResult, "jenny", 3)[1].Event
		again.ID = event.NewID() // the same success once more, days later
		s.Publish(message.RentalResult, again)
		if points := s.points("jenny"); points != 0 {
			t.Errorf("%d points", points)
		}
		s.rented("tom2", s.bookFor("tom2"))
		s.About(message.PointUse, "jenny", 1)
		checkEnded(t, s)
	})
}

// bookFor is a book, for a member who is new.
func (s system) bookFor(member string) int64 {
	s.t.Helper()
	s.member(member)
	return s.book()
}

// TestResolvedTransactionsFollowWhoKnows: where people end a saga, the card is what
// the book says, and what book and member do later is undone where the card has nothing.
func TestResolvedTransactionsFollowWhoKnows(t *testing.T) {
	s := newSystem(t)
	var now clock
	s.All(now.at)
	s.member("jenny")
	known, unknown := s.book(), s.book()
	s.Stop("member")
	kept := s.rent("jenny", known)
	s.Wait("the book's answer", func() bool { return strings.HasPrefix(results(s.transaction(kept)), "BOOK SUCCESS") })
	s.Stop("book")
	dropped := s.rent("jenny", unknown)
	now.advance(adapters.AnswerTimeout.Default + time.Second)
	s.ends(kept, "NEEDS_REVIEW")
	s.ends(dropped, "NEEDS_REVIEW")
	s.act(200, saga.Act{Saga: "rent", ID: kept, Do: saga.ResolveAct})
	s.act(200, saga.Act{Saga: "rent", ID: dropped, Do: saga.ResolveAct})
	s.ends(kept, "RESOLVED")
	s.ends(dropped, "RESOLVED")
	s.hasCard("jenny", "RENT_AVAILABLE 0, "+number(known)+" RENTED")
	s.counted(known, 1)
	s.counted(unknown, 0)
	if got := s.loan(kept).Status; got != saga.Running {
		t.Errorf("the loan that goes on is %s", got)
	}
	if got := s.loan(dropped); got.Status != saga.Compensated || got.Reason != "not rented" {
		t.Errorf("the loan that does not is %s: %s", got.Status, got.Reason)
	}
	s.act(409, saga.Act{Saga: "rent", ID: kept, Do: saga.SkipAct, Step: "MEMBER"})

	s.Start("book", now.at)
	s.Start("member", now.at)
	s.Wait("both to have heard of the rents", func() bool {
		return systemtest.Count(t, s.DB("book"), `SELECT COUNT(*) FROM pabal_inbox`) >= 4 &&
			systemtest.Count(t, s.DB("member"), `SELECT COUNT(*) FROM pabal_inbox`) >= 3
	})
	if holder, points := s.holder(unknown), s.points("jenny"); holder != "" || points != 10 {
		t.Errorf("%q has the book that was not rented, and jenny has %d points", holder, points)
	}
	if holder := s.holder(known); holder != "jenny" {
		t.Errorf("%q has the book that was", holder)
	}
}

// TestReturnThatCannotBeUndone: somebody else has the book by now. A person decides
// that it stays returned.
func TestReturnThatCannotBeUndone(t *testing.T) {
	s := newSystem(t)
	var now clock
	s.All(now.at)
	s.member("jenny")
	s.member("tom")
	book := s.book()
	s.rented("jenny", book)
	s.Stop("member")
	back := s.giveBack("jenny", book)
	s.Wait("the book's answer", func() bool { return strings.HasPrefix(results(s.transaction(back)), "BOOK SUCCESS") })
	s.Start("member", now.at)
	s.ends(back, "COMPLETED")

	// The member's refusal of the next one is made up: the service has no reason for one.
	s.rented("jenny", book)
	s.Stop("member")
	back = s.giveBack("jenny", book)
	s.Wait("the book's answer", func() bool { return strings.HasPrefix(results(s.transaction(back)), "BOOK SUCCESS") })
	s.Publish(message.RentalRent, rentedEvent("others", "tom", book)) // tom has it
	s.Wait("tom to have the book", func() bool { return s.holder(book) == "tom" })
	s.Publish(message.RentalResult, event.New(message.RentalResult, "jenny", message.EventResult{
		EventType: message.Return, IDName: jenny("jenny"), Item: item(book), Point: 10, Reason: "made up", Participant: message.Member,
	}).InTransaction(back))
	s.Wait("the compensation to be given up", func() bool {
		now.advance(time.Minute)
		return s.transaction(back).Body["status"] == "NEEDS_REVIEW"
	})
	s.hasCard("jenny", "RENT_AVAILABLE 0, "+number(book)+" RETURNING")
	s.act(200, saga.Act{Saga: "return", ID: back, Do: saga.SkipAct, Step: "BOOK"})
	s.ends(back, "COMPENSATED")
	s.hasCard("jenny", "RENT_AVAILABLE 0")
	if holder := s.holder(book); holder != "tom" {
		t.Errorf("%q has the book", holder)
	}
}

// TestReturnedItemsAreNotDue: the timer of a loan goes with it, and one of a rent that
// failed, too.
func TestReturnedItemsAreNotDue(t *testing.T) {
	s := newSystem(t)
	var now clock
	s.All(now.at)
	s.member("jenny")
	book := s.book()
	failed := s.rent("nobody", book)
	s.ends(failed, "COMPENSATED")
	returned := s.rented("jenny", book)
	s.ends(s.giveBack("jenny", book), "COMPLETED")
	kept := s.rented("jenny", book)
	for id, want := range map[string]saga.Status{failed: saga.Compensated, returned: saga.Completed} {
		if got := s.loan(id); got.Status != want || !got.Due.IsZero() {
			t.Errorf("the loan is %s (%s), due %s; want it %s", got.Status, got.Reason, got.Due, want)
		}
	}
	s.Stop("rental")
	now.advance(15 * 24 * time.Hour) // while nobody is there
	s.Start("rental", now.at)
	s.Wait("the loan to be due", func() bool { return s.loan(kept).Status == saga.Completed })
	s.hasCard("jenny", "RENT_UNAVAILABLE 0, "+number(book)+" RENTED overdue")
	n := systemtest.Count(t, s.DB("rental"), `SELECT COUNT(*) FROM rentals WHERE overdue = 1`)
	if n != 1 {
		t.Errorf("%d rentals are overdue", n)
	}
}

// TestResultsThatNobodyAskedFor are dead letters, for people to look at.
func TestResultsThatNobodyAskedFor(t *testing.T) {
	s := newSystem(t)
	s.All()
	good := message.EventResult{EventType: message.Rent, IDName: jenny("jenny"), Item: item(1), Point: 10, Success: true, Participant: message.Book}
	noParticipant, noType := good, good
	noParticipant.Participant, noType.EventType = "", "LOSE"
	for _, r := range []message.EventResult{good, noParticipant, noType} {
		s.Publish(message.RentalResult, event.New(message.RentalResult, "jenny", r))
	}
	s.Publish(message.RentalResult, event.New(message.RentalResult, "jenny", obj{"eventType": 5}))
	s.About("rental-service.dead-letters", "jenny", 4)
	if n := systemtest.Count(t, s.DB("rental"), `SELECT COUNT(*) FROM pabal_saga`); n != 0 {
		t.Errorf("%d sagas have begun", n)
	}
}
