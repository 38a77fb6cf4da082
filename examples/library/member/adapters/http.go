package adapters

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/pabal-dev/pabal/examples/library/member/domain"
	"github.com/pabal-dev/pabal/examples/library/member/ports"
	"github.com/pabal-dev/pabal/examples/service"
)

// Routes registers the REST API.
func Routes(env service.Env, r *service.Router) {
	a := api{newStore(env)}
	r.Handle("POST /members", a.register)
	r.Handle("GET /members/{no}", a.show)
	r.Handle("GET /members", a.find)
}

type api struct{ store *store }

const (
	maxID    = 64 // characters
	maxName  = 100
	maxEmail = 254
)

type registerRequest struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

func (q registerRequest) validate() error {
	var v service.Validation
	v.Text("id", q.ID, maxID)
	v.Text("name", q.Name, maxName)
	if q.Email != "" {
		v.Text("email", q.Email, maxEmail)
	}
	return v.Err()
}

type view struct {
	No     int64  `json:"no"`
	ID     string `json:"id"`
	Name   string `json:"name"`
	Email  string `json:"email,omitempty"`
	Points int64  `json:"points"`
}

func viewOf(m domain.Member) view {
	return view{No: m.No, ID: m.ID, Name: m.Name, Email: m.Email, Points: m.Points}
}

func (a api) register(ctx context.Context, r *http.Request) (service.Response, error) {
	request, err := service.Decode[registerRequest](r)
	if err != nil {
		return service.Response{}, err
	}
	if err := request.validate(); err != nil {
		return service.Response{}, err
	}
	m, err := ports.Register(ctx, a.store, domain.Member{ID: request.ID, Name: request.Name, Email: request.Email})
	if errors.Is(err, ports.ErrTaken) {
		p := service.BadField("id", "another member is %q", request.ID)
		p.Status, p.Title = http.StatusConflict, http.StatusText(http.StatusConflict)
		return service.Response{}, p
	}
	return service.Response{Status: http.StatusCreated, Body: viewOf(m), Location: "/members/" + strconv.FormatInt(m.No, 10)}, err
}

func (a api) show(ctx context.Context, r *http.Request) (service.Response, error) {
	no, err := strconv.ParseInt(r.PathValue("no"), 10, 64)
	if err != nil || no <= 0 {
		return service.Response{}, service.BadField("no", "%q is not a number above 0", r.PathValue("no"))
	}
	m, err := a.store.Member(ctx, no)
	if errors.Is(err, ports.ErrNoMember) {
		return service.Response{}, service.Refuse(http.StatusNotFound, "there is no member %d", no)
	}
	return service.Response{Status: http.StatusOK, Body: viewOf(m)}, err
}

// find answers GET /members?id=.
func (a api) find(ctx context.Context, r *http.Request) (service.Response, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return service.Response{}, service.Refuse(http.StatusBadRequest, "the query cannot be read: %s", err)
	}
	var v service.Validation
	for name, values := range query {
		v.Check(name == "id", name, "is not known; there is id")
		v.Check(len(values) == 1, name, "is there %d times", len(values))
	}
	v.Text("id", query.Get("id"), maxID)
	if err := v.Err(); err != nil {
		return service.Response{}, err
	}
	m, err := a.store.byID(ctx, query.Get("id"))
	if errors.Is(err, ports.ErrNoMember) {
		return service.Response{}, service.Refuse(http.StatusNotFound, "there is no member %q", query.Get("id"))
	}
	return service.Response{Status: http.StatusOK, Body: viewOf(m)}, err
}
