package adapters

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/pabal-dev/pabal/examples/hotel/message"
	"github.com/pabal-dev/pabal/examples/hotel/room/domain"
	"github.com/pabal-dev/pabal/examples/hotel/room/ports"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/examples/service/ids"
)

type api struct{ rooms ports.Rooms }

// Routes is the REST side.
func Routes(env service.Env, r *service.Router) {
	a := api{ports.Rooms{Store: store{env, ids.New(env, "rooms")}}}
	r.Handle("POST /rooms", a.add)
	r.Handle("PUT /rooms/{id}/stock", a.resize)
	r.Handle("GET /rooms/{id}", a.show)
}

const maxName = 100 // characters

type addRequest struct {
	Name  string `json:"name"`
	Count *int64 `json:"count"`
}

type addResponse struct {
	RoomID int64 `json:"roomId"`
}

func (a api) add(ctx context.Context, r *http.Request) (service.Response, error) {
	request, err := service.Decode[addRequest](r)
	if err != nil {
		return service.Response{}, err
	}
	var v service.Validation
	v.Text("name", request.Name, maxName)
	checkCount(&v, request.Count)
	if err := v.Err(); err != nil {
		return service.Response{}, err
	}
	id, err := a.rooms.Add(ctx, request.Name, *request.Count)
	return service.Response{Status: http.StatusCreated, Body: addResponse{id}, Location: fmt.Sprintf("/rooms/%d", id)}, err
}

func checkCount(v *service.Validation, count *int64) {
	if count == nil {
		v.Check(false, "count", "is required")
		return
	}
	v.Check(*count >= 0, "count", "must not be below 0")
	v.Check(*count <= domain.MaxCapacity, "count", "must be at most %d", domain.MaxCapacity)
}

// stockRequest is for the nights from From until before To, or for every night.
type stockRequest struct {
	Count *int64 `json:"count"`
	From  string `json:"from"`
	To    string `json:"to"`
}

func (a api) resize(ctx context.Context, r *http.Request) (service.Response, error) {
	id, err := roomID(r)
	if err != nil {
		return service.Response{}, err
	}
	request, err := service.Decode[stockRequest](r)
	if err != nil {
		return service.Response{}, err
	}
	var v service.Validation
	checkCount(&v, request.Count)
	p := period(&v, request.From, request.To)
	if err := v.Err(); err != nil {
		return service.Response{}, err
	}
	room, err := a.rooms.Resize(ctx, id, *request.Count, p)
	if errors.Is(err, domain.ErrTaken) {
		return service.Response{}, tooFew(err)
	}
	if err != nil {
		return service.Response{}, orNotFound(err, id)
	}
	return a.view(ctx, room.ID, p)
}

func tooFew(err error) error {
	p := service.Refuse(http.StatusConflict, "%s", err)
	p.Errors = []service.FieldError{{Field: "count", Detail: err.Error()}}
	return p
}

func (a api) show(ctx context.Context, r *http.Request) (service.Response, error) {
	id, err := roomID(r)
	if err != nil {
		return service.Response{}, err
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return service.Response{}, service.Refuse(http.StatusBadRequest, "the query cannot be read: %s", err)
	}
	var v service.Validation
	for name, values := range query {
		v.Check(name == "from" || name == "to", name, "is not known; there are from and to")
		v.Check(len(values) == 1, name, "is there %d times", len(values))
	}
	p := period(&v, query.Get("from"), query.Get("to"))
	if err := v.Err(); err != nil {
		return service.Response{}, err
	}
	return a.view(ctx, id, p)
}

type roomView struct {
	RoomID int64  `json:"roomId"`
	Name   string `json:"name"`
	// Count is how many there are in a night for which nothing else was said.
	Count  int64       `json:"count"`
	Nights []nightView `json:"nights"`
}

// nightView has how many there are, and how many of them are free.
type nightView struct {
	Date  message.Date `json:"date"`
	Count int64        `json:"count"`
	Stock int64        `json:"stock"`
}

func (a api) view(ctx context.Context, id int64, p *domain.Period) (service.Response, error) {
	room, nights, err := a.rooms.Show(ctx, id, p)
	if err != nil {
		return service.Response{}, orNotFound(err, id)
	}
	body := roomView{RoomID: id, Name: room.Name, Count: room.Capacity, Nights: []nightView{}}
	for _, n := range nights {
		body.Nights = append(body.Nights, nightView{message.DateOf(n.Date), n.Capacity, n.Stock})
	}
	return service.Response{Status: http.StatusOK, Body: body}, nil
}

// period is nil where neither day is given.
func period(v *service.Validation, from, to string) *domain.Period {
	if from == "" && to == "" {
		return nil
	}
	first, err := message.ParseDate(from)
	v.Check(err == nil, "from", "%v", err)
	last, errTo := message.ParseDate(to)
	v.Check(errTo == nil, "to", "%v", errTo)
	if err != nil || errTo != nil {
		return nil
	}
	p := &domain.Period{In: first.Time(), Out: last.Time()}
	err = p.Check()
	v.Check(err == nil, "to", "%v", err)
	return p
}

func roomID(r *http.Request) (int64, error) {
	text := r.PathValue("id")
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, noRoom(text)
	}
	return id, nil
}

func orNotFound(err error, id int64) error {
	if errors.Is(err, ports.ErrNoRoom) {
		return noRoom(strconv.FormatInt(id, 10))
	}
	return err
}

func noRoom(id string) error { return service.Refuse(http.StatusNotFound, "there is no room %q", id) }
