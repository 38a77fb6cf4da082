package library

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/pabal-dev/pabal/internal/traffic"
)

type object = map[string]any

func (m member) body() object { return object{"id": m.id, "name": m.name} }

func (b book) body() object { return object{"no": b.no, "title": b.title} }

// rent asks for a book and waits for the end of that; done is false where it was
// refused or undone.
func (t *Traffic) rent(ctx context.Context, j job, m member, b book) (done bool, err error) {
	id, err := t.ask(ctx, "rent", object{"idName": m.body(), "item": b.body()})
	if err != nil || id == "" {
		return false, err
	}
	t.stats.rents.Add(1)
	if done, err = t.ended(ctx, id); err != nil {
		return false, err
	}
	now := time.Now()
	t.latency.Add(now.Sub(j.due))
	t.lastEnd.Store(now.UnixNano())
	t.stats.ended.Add(1)
	if done {
		t.begin.Do(func() { close(t.first) })
	} else {
		t.stats.undone.Add(1)
	}
	return done, nil
}

func (t *Traffic) giveBack(ctx context.Context, m member, b book) (done bool, err error) {
	id, err := t.ask(ctx, "return", object{"idName": m.body(), "item": b.body()})
	if err != nil || id == "" {
		return false, err
	}
	if done, err = t.ended(ctx, id); done {
		t.stats.returned.Add(1)
	}
	return done, err
}

func (t *Traffic) clear(ctx context.Context, m member, points int64) (done bool, err error) {
	id, err := t.ask(ctx, "clear-overdue", object{"idName": m.body(), "point": points})
	if err != nil || id == "" {
		return false, err
	}
	return t.ended(ctx, id)
}

func (t *Traffic) overdue(ctx context.Context, m member, b book, days int) error {
	return t.client.Call(ctx, http.MethodPost, t.Rental+"/overdue", "", object{"idName": m.body(), "item": b.body(), "daysLate": days}, nil)
}

// ask returns the id of the transaction, "" where the request came at the wrong time:
// a twin of another one, or a repeat of one whose answer got lost.
func (t *Traffic) ask(ctx context.Context, request string, body object) (id string, err error) {
	var answer struct {
		TransactionID string `json:"transactionId"`
	}
	err = t.client.Call(ctx, http.MethodPost, t.Rental+"/"+request, "", body, &answer)
	switch {
	case traffic.StatusOf(err) == http.StatusConflict:
		t.stats.refused.Add(1)
		return "", nil
	case err == nil && answer.TransactionID == "":
		err = errors.New("POST /" + request + ": the answer has no transactionId")
	}
	if err != nil {
		t.Ledger.Unknown(request)
		return "", err
	}
	return answer.TransactionID, t.Ledger.Accepted(request, answer.TransactionID)
}

func (t *Traffic) transaction(ctx context.Context, id string) (status string, err error) {
	var answer struct {
		Status string `json:"status"`
	}
	err = t.client.Call(ctx, http.MethodGet, t.Rental+"/transactions/"+url.PathEscape(id), "", nil, &answer)
	return answer.Status, err
}

// newMember registers one. A repeat of a request whose answer got lost is refused,
// because the member is there.
func (t *Traffic) newMember(ctx context.Context) (member, error) {
	n := t.world.next()
	m := member{fmt.Sprintf("%s-member-%d", t.Config.Run, n), fmt.Sprintf("Member %d", n)}
	err := t.client.Call(ctx, http.MethodPost, t.Member+"/members", "", m.body(), nil)
	if traffic.StatusOf(err) == http.StatusConflict {
		err = nil
	}
	return m, err
}

func (t *Traffic) newBook(ctx context.Context) (book, error) {
	title := fmt.Sprintf("Book %d", t.world.next())
	var answer struct {
		No int64 `json:"no"`
	}
	err := t.client.Call(ctx, http.MethodPost, t.Book+"/books", "", object{"title": title}, &answer)
	return book{answer.No, title}, err
}
