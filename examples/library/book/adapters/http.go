package adapters

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/pabal-dev/pabal/examples/library/book/domain"
	"github.com/pabal-dev/pabal/examples/library/book/ports"
	"github.com/pabal-dev/pabal/examples/service"
)

// Routes registers the REST API.
func Routes(env service.Env, r *service.Router) {
	a := api{ports.Books{Store: newStore(env)}}
	r.Handle("POST /books", a.enter)
	r.Handle("GET /books/{no}", a.show)
	r.Handle("PATCH /books/{no}", a.change)
}

type api struct{ books ports.Books }

const (
	maxTitle = 200 // characters
	maxISBN  = 20
)

type enterRequest struct {
	Title  string `json:"title"`
	Author string `json:"author"`
	ISBN   string `json:"isbn"`
	// Available is true where it is missing.
	Available *bool `json:"available"`
}

func (e enterRequest) validate() error {
	var v service.Validation
	v.Text("title", e.Title, maxTitle)
	if e.Author != "" {
		v.Text("author", e.Author, maxTitle)
	}
	if e.ISBN != "" {
		v.Text("isbn", e.ISBN, maxISBN)
	}
	return v.Err()
}

type view struct {
	No     int64  `json:"no"`
	Title  string `json:"title"`
	Author string `json:"author,omitempty"`
	ISBN   string `json:"isbn,omitempty"`
	Status string `json:"status"`
	// Holder is the member who has it, RentalID the rent by which.
	Holder   string `json:"holder,omitempty"`
	RentalID string `json:"rentalId,omitempty"`
}

func viewOf(b domain.Book) view {
	return view{No: b.No, Title: b.Title, Author: b.Author, ISBN: b.ISBN, Status: string(b.Status), Holder: b.Holder, RentalID: b.RentalID}
}

func (a api) enter(ctx context.Context, r *http.Request) (service.Response, error) {
	request, err := service.Decode[enterRequest](r)
	if err != nil {
		return service.Response{}, err
	}
	if err := request.validate(); err != nil {
		return service.Response{}, err
	}
	b, err := a.books.Enter(ctx, request.Title, request.Author, request.ISBN, request.Available == nil || *request.Available)
	return service.Response{Status: http.StatusCreated, Body: viewOf(b), Location: "/books/" + strconv.FormatInt(b.No, 10)}, err
}

func (a api) show(ctx context.Context, r *http.Request) (service.Response, error) {
	no, err := number(r)
	if err != nil {
		return service.Response{}, err
	}
	b, err := a.books.Store.Book(ctx, no)
	return service.Response{Status: http.StatusOK, Body: viewOf(b)}, explained(err, r)
}

type changeRequest struct {
	Available bool `json:"available"`
}

// change makes an entered book available.
func (a api) change(ctx context.Context, r *http.Request) (service.Response, error) {
	no, err := number(r)
	if err != nil {
		return service.Response{}, err
	}
	request, err := service.Decode[changeRequest](r)
	if err != nil {
		return service.Response{}, err
	}
	if !request.Available {
		return service.Response{}, service.BadField("available", "must be true: a book that is lent once stays in service")
	}
	b, err := a.books.MakeAvailable(ctx, no)
	return service.Response{Status: http.StatusOK, Body: viewOf(b)}, explained(err, r)
}

func number(r *http.Request) (int64, error) {
	no, err := strconv.ParseInt(r.PathValue("no"), 10, 64)
	if err != nil || no <= 0 {
		return 0, service.BadField("no", "%q is not a number above 0", r.PathValue("no"))
	}
	return no, nil
}

func explained(err error, r *http.Request) error {
	switch {
	case errors.Is(err, ports.ErrNoBook):
		return service.Refuse(http.StatusNotFound, "there is no book %s", r.PathValue("no"))
	case errors.Is(err, domain.ErrNotEntered):
		return service.Refuse(http.StatusConflict, "book %s: %s", r.PathValue("no"), err)
	}
	return err
}
