package library_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/event"
	book "github.com/pabal-dev/pabal/examples/library/book/domain"
	bookports "github.com/pabal-dev/pabal/examples/library/book/ports"
	member "github.com/pabal-dev/pabal/examples/library/member/domain"
	memberports "github.com/pabal-dev/pabal/examples/library/member/ports"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/library/rental/adapters"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/saga/sagatest"
)

// The sagas of the rental service against the ports of book and member, in memory:
// every interleaving of a transaction's messages.

// world is what the participants keep.
type world struct {
	Book *book.Book // nil where it is unknown
	Step *book.Step
	// Member has a number where it is known.
	Member member.Member
	Entry  *member.Entry
}

const transactionID = "t"

// bookTx is the book service's transaction.
type bookTx struct {
	w     *world
	cause outbox.Message
	about message.EventResult
	sent  []outbox.Message
}

func (tx *bookTx) AddBook(context.Context, book.Book) error { return errors.ErrUnsupported }

func (tx *bookTx) LockBook(context.Context, int64) (book.Book, error) {
	if tx.w.Book == nil {
		return book.Book{}, bookports.ErrNoBook
	}
	return *tx.w.Book, nil
}

func (tx *bookTx) SaveBook(_ context.Context, b book.Book) error {
	tx.w.Book = &b
	return nil
}

func (tx *bookTx) AddStep(_ context.Context, s book.Step) (bool, error) {
	if tx.w.Step != nil {
		return false, nil
	}
	tx.w.Step = &s
	return true, nil
}

func (tx *bookTx) LockStep(context.Context, string, book.Kind) (book.Step, error) {
	return *tx.w.Step, nil
}

func (tx *bookTx) SaveStep(_ context.Context, s book.Step) error {
	tx.w.Step = &s
	return nil
}

func (tx *bookTx) Answer(_ context.Context, s book.Step) error {
	tx.sent = append(tx.sent, answered(tx.cause, tx.about, message.Book, s.Status == book.Done, s.Reason, false))
	return nil
}

func (tx *bookTx) AnswerCancel(_ context.Context, _ book.Step, refusal string) error {
	tx.sent = append(tx.sent, answered(tx.cause, tx.about, message.Book, refusal == "", refusal, true))
	return nil
}

// memberTx is the member service's.
type memberTx struct {
	w     *world
	cause outbox.Message
	about message.EventResult
	sent  []outbox.Message
}

func (tx *memberTx) AddMember(context.Context, member.Member) error { return errors.ErrUnsupported }

func (tx *memberTx) LockMember(context.Context, string) (member.Member, error) {
	if tx.w.Member.No == 0 {
		return member.Member{}, memberports.ErrNoMember
	}
	return tx.w.Member, nil
}

func (tx *memberTx) SavePoints(_ context.Context, m member.Member) error {
	tx.w.Member = m
	return nil
}

func (tx *memberTx) AddEntry(_ context.Context, e member.Entry) (bool, error) {
	if tx.w.Entry != nil {
		return false, nil
	}
	tx.w.Entry = &e
	return true, nil
}

func (tx *memberTx) LockEntry(context.Context, string, member.Kind) (member.Entry, bool, error) {
	return *tx.w.Entry, true, nil
}

func (tx *memberTx) SaveEntry(_ context.Context, e member.Entry) error {
	tx.w.Entry = &e
	return nil
}

func (tx *memberTx) Answer(_ context.Context, e member.Entry) error {
	tx.sent = append(tx.sent, answered(tx.cause, tx.about, message.Member, e.Status == member.Done, e.Reason, false))
	return nil
}

func (tx *memberTx) AnswerCancel(_ context.Context, _ member.Entry, refusal string) error {
	tx.sent = append(tx.sent, answered(tx.cause, tx.about, message.Member, refusal == "", refusal, true))
	return nil
}

func answered(cause outbox.Message, r message.EventResult, p message.Participant, success bool, reason string, compensation bool) outbox.Message {
	r.Participant, r.SourceEventID, r.Success, r.Reason, r.Compensation = p, cause.ID, success, reason, compensation
	return outbox.Message{Topic: message.RentalResult, Event: event.New(message.RentalResult, cause.Key, r).CausedBy(cause.Event)}
}

// kind is one of the three transactions.
type kind struct {
	saga   saga.Choreography[adapters.Transaction]
	of     message.EventType
	topic  string // of its event
	cancel string // of the book's compensation
}

func kinds() map[string]kind {
	env := service.Env{}
	return map[string]kind{
		"rent":    {adapters.RentSaga(env), message.Rent, message.RentalRent, message.RentCancel},
		"return":  {adapters.ReturnSaga(env), message.Return, message.RentalReturn, message.ReturnCancel},
		"overdue": {adapters.OverdueSaga(env), message.Overdue, message.OverdueClear, ""},
	}
}

func (k kind) transaction() adapters.Transaction {
	t := adapters.Transaction{IDName: jenny("jenny"), Item: item(1), Point: 10, RentalID: transactionID}
	if k.of == message.Return {
		t.RentalID = "r"
	}
	return t
}

// model is one transaction in a world that is any of those that there can be.
func (k kind) model() sagatest.Model[world, adapters.Transaction] {
	participants := []sagatest.Participant[world]{{Name: "member", Topics: []string{k.topic, message.PointUse}, Handle: k.handleMember}}
	if k.cancel != "" {
		participants = append(participants, sagatest.Participant[world]{Name: "book", Topics: []string{k.topic, k.cancel}, Handle: k.handleBook})
	}
	return sagatest.Model[world, adapters.Transaction]{
		Definition: k.saga.Definition(), ID: transactionID,
		World: k.world,
		Start: func(world) adapters.Transaction { return k.transaction() },
		First: func(world) []outbox.Message {
			t := k.transaction()
			return []outbox.Message{{Topic: k.topic, Event: event.New(k.topic, "jenny", message.ItemRented{IDName: t.IDName, Item: t.Item, Point: t.Point})}}
		},
		Participants: participants,
		Requests: []sagatest.Request[world]{{Name: "tom rents the book", Do: func(w *world, _ sagatest.Choose) []outbox.Message {
			if k.of != message.Return || w.Book == nil || w.Book.Status != book.Available {
				return nil
			}
			w.Book.Status, w.Book.Holder, w.Book.RentalID = book.Unavailable, "tom", "q"
			return nil
		}}},
		Invariant: k.invariant, Final: k.final,
		Duplicates: 1, Timeouts: 1, Cancels: 1, Unordered: true,
	}
}

func (k kind) world(choose sagatest.Choose) (w world) {
	if choose("jenny is a member", "unknown member") == "jenny is a member" {
		w.Member = member.Member{No: 1, ID: "jenny", Points: 5}
		if k.of == message.Overdue && choose("enough points", "not enough") == "enough points" {
			w.Member.Points = 25
		}
	}
	free := book.Book{No: 1, Status: book.Available}
	held := func(by, rental string) *book.Book {
		return &book.Book{No: 1, Status: book.Unavailable, Holder: by, RentalID: rental}
	}
	switch {
	case k.of == message.Rent:
		w.Book = map[string]*book.Book{"free": &free, "tom has it": held("tom", "q"), "unknown book": nil}[choose("free", "tom has it", "unknown book")]
	case k.of == message.Return:
		w.Book = map[string]*book.Book{"jenny has it": held("jenny", "r"), "tom has it": held("tom", "q")}[choose("jenny has it", "tom has it")]
	}
	return w
}

func (k kind) handleBook(w *world, m outbox.Message, _ sagatest.Choose) []outbox.Message {
	t := k.transaction()
	tx := &bookTx{w: w, cause: m, about: message.EventResult{EventType: k.of, IDName: t.IDName, Item: t.Item, Point: t.Point}}
	var err error
	if m.Topic == k.cancel {
		err = bookports.Cancel(context.Background(), tx, transactionID, book.Kind(k.of))
	} else {
		asked := book.Step{ID: transactionID, Kind: book.Kind(k.of), BookNo: 1, Member: "jenny"}
		err = bookports.Take(context.Background(), tx, asked, map[message.EventType]string{message.Return: "r"}[k.of])
	}
	if err != nil {
		panic(err)
	}
	return tx.sent
}

func (k kind) handleMember(w *world, m outbox.Message, _ sagatest.Choose) []outbox.Message {
	t := k.transaction()
	tx := &memberTx{w: w, cause: m, about: message.EventResult{EventType: k.of, IDName: t.IDName, Item: t.Item, Point: t.Point}}
	var err error
	if m.Topic == message.PointUse {
		err = memberports.Cancel(context.Background(), tx, transactionID, member.Kind(k.of), "jenny")
	} else {
		err = memberports.Take(context.Background(), tx, member.Request(transactionID, member.Kind(k.of), "jenny", t.Point))
	}
	if err != nil {
		panic(err)
	}
	return tx.sent
}

func (k kind) bookDone(w world) bool { return w.Step != nil && w.Step.Status == book.Done }

func (k kind) memberDone(w world) bool { return w.Entry != nil && w.Entry.Status == member.Done }

func (k kind) invariant(w world, i saga.Instance[adapters.Transaction]) error {
	moved := int64(0)
	if k.memberDone(w) {
		moved = w.Entry.Points
	}
	before := map[bool]int64{false: w.Member.Points - moved, true: 0}[w.Member.No == 0]
	switch {
	case w.Member.Points < 0 || w.Member.No != 0 && before != 5 && before != 25:
		return fmt.Errorf("%d points, of which %d were moved", w.Member.Points, moved)
	case w.Book != nil && (w.Book.Status == book.Unavailable) != (w.Book.Holder != ""):
		return fmt.Errorf("the book is %+v", *w.Book)
	case k.of == message.Rent && w.Book != nil && (w.Book.RentalID == transactionID) != k.bookDone(w):
		return fmt.Errorf("the book is %+v, the step %+v", *w.Book, w.Step)
	case k.of == message.Return && k.bookDone(w) && w.Book.Holder == "jenny":
		return errors.New("a book that was brought back is with the member")
	case i.Status == saga.Completed && (!k.memberDone(w) || k.cancel != "" && !k.bookDone(w)):
		return fmt.Errorf("completed, and the participants are at %+v, %+v", w.Step, w.Entry)
	}
	return nil
}

// final: all or nothing; but for a return that cannot be undone, which a person is to
// look at.
func (k kind) final(w world, i saga.Instance[adapters.Transaction]) error {
	switch i.Status {
	case saga.Completed:
		return nil
	case saga.Compensated:
		if k.bookDone(w) || k.memberDone(w) {
			return fmt.Errorf("compensated, and the participants are at %+v, %+v", w.Step, w.Entry)
		}
		return nil
	case saga.NeedsReview:
		if k.of == message.Return && w.Book.Holder == "tom" && k.bookDone(w) {
			return nil
		}
	}
	return fmt.Errorf("it ends as %s: %s", i.Status, i.Reason)
}

func TestEveryInterleaving(t *testing.T) {
	for name, k := range kinds() {
		t.Run(name, func(t *testing.T) { explore(t, k.model()) })
	}
}

func explore(t *testing.T, model sagatest.Model[world, adapters.Transaction]) {
	report := sagatest.Check(t, model)
	t.Log(report)
	if report.Ends[saga.Completed] == 0 || report.Ends[saga.Compensated] == 0 {
		t.Errorf("both ends are possible: %s", report)
	}
}

// TestEveryInterleavingWithCrashes goes further than there is always time for.
func TestEveryInterleavingWithCrashes(t *testing.T) {
	testenv.Full(t)
	for name, k := range kinds() {
		t.Run(name, func(t *testing.T) {
			model := k.model()
			model.Timeouts, model.Crashes = 2, 1
			explore(t, model)
		})
	}
}
