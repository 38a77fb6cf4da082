package adapters

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/library/rental/domain"
	"github.com/pabal-dev/pabal/examples/library/rental/ports"
	"github.com/pabal-dev/pabal/examples/service"
)

// Routes registers the REST API.
func Routes(sagas *Sagas) func(service.Env, *service.Router) {
	return func(_ service.Env, r *service.Router) {
		a := api{ports.Cards{Store: store{sagas}}, sagas}
		r.Handle("POST /rental-cards", a.open)
		r.Handle("GET /rental-cards/{id}", a.show)
		r.Handle("POST /rent", a.rent)
		r.Handle("POST /return", a.giveBack)
		r.Handle("POST /overdue", a.overdue)
		r.Handle("POST /clear-overdue", a.clear)
		r.Handle("GET /transactions/{id}", a.transaction)
	}
}

type api struct {
	cards ports.Cards
	sagas *Sagas
}

type cardView struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Status  string     `json:"status"`
	LateFee int64      `json:"lateFee"`
	Items   []itemView `json:"items"`
	// Clearing is the transaction that pays a late fee, while it is under way.
	Clearing string `json:"clearing,omitempty"`
}

type itemView struct {
	No       int64     `json:"no"`
	Title    string    `json:"title"`
	Status   string    `json:"status"`
	RentedAt time.Time `json:"rentedAt"`
	DueAt    time.Time `json:"dueAt"`
	Overdue  bool      `json:"overdue"`
	// RentalID is the transaction of its rent, ReturnID that of its return, while it is
	// under way.
	RentalID string `json:"rentalId"`
	ReturnID string `json:"returnId,omitempty"`
}

func viewOf(c domain.Card) cardView {
	v := cardView{ID: c.Member.ID, Name: c.Member.Name, Status: string(c.Status()), LateFee: c.LateFee, Items: []itemView{}}
	for _, l := range c.Open() {
		v.Items = append(v.Items, itemView{
			No: l.Item.No, Title: l.Item.Title, Status: string(l.Status), RentedAt: l.RentedAt, DueAt: l.DueAt,
			Overdue: l.Overdue, RentalID: l.ID, ReturnID: l.ReturnID,
		})
	}
	if c.Clearing != nil {
		v.Clearing = c.Clearing.ID
	}
	return v
}

type openRequest struct {
	IDName message.IDName `json:"idName"`
}

// open answers 201 for a card that it made, 200 for one that was there.
func (a api) open(ctx context.Context, r *http.Request) (service.Response, error) {
	request, err := service.Decode[openRequest](r)
	if err != nil {
		return service.Response{}, err
	}
	var v service.Validation
	checkMember(&v, request.IDName, true)
	if err := v.Err(); err != nil {
		return service.Response{}, err
	}
	card, opened, err := a.cards.Open(ctx, domain.Member(request.IDName))
	status := http.StatusOK
	if opened {
		status = http.StatusCreated
	}
	return service.Response{Status: status, Body: viewOf(card), Location: cardPath(card.Member.ID)}, err
}

func (a api) show(ctx context.Context, r *http.Request) (service.Response, error) {
	card, err := a.cards.Store.Card(ctx, r.PathValue("id"))
	return service.Response{Status: http.StatusOK, Body: viewOf(card)}, explained(err, r.PathValue("id"))
}

type itemRequest struct {
	IDName message.IDName `json:"idName"`
	Item   message.Item   `json:"item"`
}

// accepted: book and member are asked; GET /transactions/{id} tells what they say.
type accepted struct {
	TransactionID string `json:"transactionId"`
	// DueAt of a rent, LateFee of a return.
	DueAt   time.Time `json:"dueAt,omitzero"`
	LateFee *int64    `json:"lateFee,omitempty"`
}

func acceptedAs(body accepted) service.Response {
	return service.Response{Status: http.StatusAccepted, Body: body, Location: "/transactions/" + body.TransactionID}
}

func (a api) rent(ctx context.Context, r *http.Request) (service.Response, error) {
	request, err := service.Decode[itemRequest](r)
	if err != nil {
		return service.Response{}, err
	}
	var v service.Validation
	checkMember(&v, request.IDName, true)
	checkItem(&v, request.Item, true)
	if err := v.Err(); err != nil {
		return service.Response{}, err
	}
	loan, err := a.cards.Rent(ctx, domain.Member(request.IDName), domain.Item(request.Item))
	return acceptedAs(accepted{TransactionID: loan.ID, DueAt: loan.DueAt}), explained(err, request.IDName.ID)
}

func (a api) giveBack(ctx context.Context, r *http.Request) (service.Response, error) {
	request, err := service.Decode[itemRequest](r)
	if err != nil {
		return service.Response{}, err
	}
	var v service.Validation
	checkMember(&v, request.IDName, false)
	checkItem(&v, request.Item, false)
	if err := v.Err(); err != nil {
		return service.Response{}, err
	}
	loan, err := a.cards.Return(ctx, request.IDName.ID, request.Item.No)
	return acceptedAs(accepted{TransactionID: loan.ReturnID, LateFee: &loan.LateFee}), explained(err, request.IDName.ID)
}

type overdueRequest struct {
	IDName message.IDName `json:"idName"`
	Item   *message.Item  `json:"item"`
	// DaysLate is how long the item has been due, where people know better than the
	// clock.
	DaysLate int `json:"daysLate"`
}

const maxDaysLate = 3650

// overdue notices what is overdue on a card.
func (a api) overdue(ctx context.Context, r *http.Request) (service.Response, error) {
	request, err := service.Decode[overdueRequest](r)
	if err != nil {
		return service.Response{}, err
	}
	var v service.Validation
	checkMember(&v, request.IDName, false)
	no := int64(0)
	if request.Item != nil {
		checkItem(&v, *request.Item, false)
		no = request.Item.No
	}
	v.Check(0 <= request.DaysLate && request.DaysLate <= maxDaysLate, "daysLate", "must be from 0 to %d", maxDaysLate)
	v.Check(request.DaysLate == 0 || no > 0, "item", "is required with daysLate")
	if err := v.Err(); err != nil {
		return service.Response{}, err
	}
	card, err := a.cards.Overdue(ctx, request.IDName.ID, no, request.DaysLate)
	return service.Response{Status: http.StatusOK, Body: viewOf(card)}, explained(err, request.IDName.ID)
}

type clearRequest struct {
	IDName message.IDName `json:"idName"`
	Point  int64          `json:"point"`
}

func (a api) clear(ctx context.Context, r *http.Request) (service.Response, error) {
	request, err := service.Decode[clearRequest](r)
	if err != nil {
		return service.Response{}, err
	}
	var v service.Validation
	checkMember(&v, request.IDName, false)
	v.Check(request.Point > 0, "point", "must be above 0")
	if err := v.Err(); err != nil {
		return service.Response{}, err
	}
	clearing, err := a.cards.Clear(ctx, request.IDName.ID, request.Point)
	return acceptedAs(accepted{TransactionID: clearing.ID}), explained(err, request.IDName.ID)
}

const (
	maxID    = 64 // characters
	maxName  = 100
	maxTitle = 200
)

// checkMember asks for the name only where the card may have to be made.
func checkMember(v *service.Validation, m message.IDName, named bool) {
	v.Text("idName.id", m.ID, maxID)
	if named || m.Name != "" {
		v.Text("idName.name", m.Name, maxName)
	}
}

func checkItem(v *service.Validation, item message.Item, titled bool) {
	v.Check(item.No > 0, "item.no", "must be above 0")
	if titled || item.Title != "" {
		v.Text("item.title", item.Title, maxTitle)
	}
}

// explained says what is at fault.
func explained(err error, memberID string) error {
	if errors.Is(err, ports.ErrNoCard) {
		return service.Refuse(http.StatusNotFound, "%q has no rental card; the first rent makes one", memberID)
	}
	for field, refusals := range map[string][]error{
		"idName": {domain.ErrUnavailable, domain.ErrNoFee, domain.ErrOpenItems},
		"item":   {domain.ErrTwice, domain.ErrFull, domain.ErrNotRented, domain.ErrUnderWay, domain.ErrNotDue},
		"point":  {domain.ErrPoints},
	} {
		for _, refusal := range refusals {
			if errors.Is(err, refusal) {
				return conflict(field, err)
			}
		}
	}
	return err
}

// conflict is a request that is right in itself, at the wrong time.
func conflict(field string, err error) *service.Problem {
	p := service.BadField(field, "%s", err)
	p.Status, p.Title = http.StatusConflict, http.StatusText(http.StatusConflict)
	return p
}
