package library_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/examples/library"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/systemtest"
)

const goodRent = `{"idName":{"id":"jenny","name":"제니"},"item":{"no":1,"title":"책"}}`

// TestBadRequestsAreProblemsThatNameTheField: every refusal is RFC 9457 problem JSON
// with the field at fault, and stores nothing.
func TestBadRequestsAreProblemsThatNameTheField(t *testing.T) {
	s := newSystem(t)
	s.All()
	s.member("jenny")
	s.Must(201, "POST", "rental", "/rental-cards", obj{"idName": obj{"id": "jenny", "name": "제니"}})
	rent := func(old, new string) string { return strings.Replace(goodRent, old, new, 1) }
	for _, test := range []struct {
		service, method, path, body string
		status                      int
		fields                      string // "" where no field is at fault
	}{
		{"rental", "POST", "/rent", rent(`"id":"jenny"`, `"id":""`), 400, "idName.id"},
		{"rental", "POST", "/rent", rent(`"id":"jenny"`, `"id":"`+strings.Repeat("x", 65)+`"`), 400, "idName.id"},
		{"rental", "POST", "/rent", rent(`,"name":"제니"`, ``), 400, "idName.name"},
		{"rental", "POST", "/rent", rent(`"no":1`, `"no":0`), 400, "item.no"},
		{"rental", "POST", "/rent", rent(`"no":1`, `"no":"1"`), 400, "item.no"},
		{"rental", "POST", "/rent", rent(`"no":1`, `"no":1.5`), 400, "item.no"},
		{"rental", "POST", "/rent", rent(`"title":"책"`, `"title":"a\u0000b"`), 400, "item.title"},
		{"rental", "POST", "/rent", rent(`{`, `{"colour":"red",`), 400, "colour"},
		{"rental", "POST", "/rent", `{}`, 400, "idName.id,idName.name,item.no,item.title"},
		{"rental", "POST", "/rent", goodRent + goodRent, 400, ""},
		{"rental", "POST", "/rent", goodRent[:20], 400, ""},
		{"rental", "POST", "/rent", "", 400, ""},
		{"rental", "POST", "/return", `{"idName":{"id":"jenny"}}`, 400, "item.no"},
		{"rental", "POST", "/return", goodRent, 409, "item"},
		{"rental", "POST", "/return", rent("jenny", "nobody"), 404, ""},
		{"rental", "POST", "/overdue", `{}`, 400, "idName.id"},
		{"rental", "POST", "/overdue", `{"idName":{"id":"jenny"},"daysLate":1}`, 400, "item"},
		{"rental", "POST", "/overdue", `{"idName":{"id":"jenny"},"item":{"no":1},"daysLate":-1}`, 400, "daysLate"},
		{"rental", "POST", "/overdue", `{"idName":{"id":"jenny"},"item":{"no":1},"daysLate":3651}`, 400, "daysLate"},
		{"rental", "POST", "/overdue", `{"idName":{"id":"jenny"},"item":{"no":1}}`, 409, "item"},
		{"rental", "POST", "/overdue", `{"idName":{"id":"nobody"}}`, 404, ""},
		{"rental", "POST", "/clear-overdue", `{"idName":{"id":"jenny"},"point":0}`, 400, "point"},
		{"rental", "POST", "/clear-overdue", `{"idName":{"id":"jenny"},"point":10}`, 409, "idName"},
		{"rental", "POST", "/clear-overdue", `{"idName":{"id":"nobody"},"point":10}`, 404, ""},
		{"rental", "POST", "/rental-cards", `{"idName":{"id":"tom"}}`, 400, "idName.name"},
		{"rental", "GET", "/rental-cards/nobody", "", 404, ""},
		{"rental", "GET", "/transactions/none", "", 404, ""},
		{"rental", "PUT", "/rent", goodRent, 405, ""},
		{"book", "POST", "/books", `{}`, 400, "title"},
		{"book", "POST", "/books", `{"title":"책","isbn":"` + strings.Repeat("9", 21) + `"}`, 400, "isbn"},
		{"book", "POST", "/books", `{"title":"책","pages":7}`, 400, "pages"},
		{"book", "POST", "/books", `{"title":"책","available":"yes"}`, 400, "available"},
		{"book", "PATCH", "/books/1", `{"available":false}`, 400, "available"},
		{"book", "PATCH", "/books/77", `{"available":true}`, 404, ""},
		{"book", "GET", "/books/77", "", 404, ""},
		{"book", "GET", "/books/one", "", 400, "no"},
		{"member", "POST", "/members", `{"id":"","name":""}`, 400, "id,name"},
		{"member", "POST", "/members", `{"id":"jenny","name":"제니"}`, 409, "id"},
		{"member", "POST", "/members", `{"id":"tom","name":"톰","points":100}`, 400, "points"},
		{"member", "GET", "/members/77", "", 404, ""},
		{"member", "GET", "/members/0", "", 400, "no"},
		{"member", "GET", "/members", "", 400, "id"},
		{"member", "GET", "/members?id=nobody", "", 404, ""},
		{"member", "GET", "/members?id=jenny&x=1", "", 400, "x"},
		{"member", "GET", "/members?id=jenny&id=tom", "", 400, "id"},
		{"bestbook", "GET", "/best-books?limit=0", "", 400, "limit"},
		{"bestbook", "GET", "/best-books?limit=101", "", 400, "limit"},
		{"bestbook", "GET", "/best-books?limit=x", "", 400, "limit"},
		{"bestbook", "GET", "/best-books?limit=1&limit=2", "", 400, "limit"},
		{"bestbook", "GET", "/best-books?first=1", "", 400, "first"},
		{"bestbook", "POST", "/best-books", `{}`, 405, ""},
	} {
		var body any
		if test.body != "" || test.method == "POST" {
			body = test.body
		}
		a := s.Call(test.method, test.service, test.path, body)
		name := fmt.Sprintf("%s %s %.90s", test.method, test.path, test.body)
		if a.Status != test.status || a.Header.Get("Content-Type") != "application/problem+json" || a.Fields() != test.fields {
			t.Errorf("%s: %s (%s), want a problem %d about %q", name, a, a.Header.Get("Content-Type"), test.status, test.fields)
			continue
		}
		if a.Body["status"] != float64(test.status) || a.Body["type"] != "about:blank" || a.Body["title"] == "" || a.Body["detail"] == "" {
			t.Errorf("%s: %s is not a whole problem", name, a)
		}
	}
	if n := systemtest.Count(t, s.DB("rental"), `SELECT COUNT(*) FROM rentals`) + systemtest.Count(t, s.DB("rental"), `SELECT COUNT(*) FROM rental_cards`); n != 1 {
		t.Errorf("%d rows were stored, there was one card", n)
	}
}

func TestAnswersOfWhatIsThere(t *testing.T) {
	s := newSystem(t)
	s.All()
	body := obj{"idName": obj{"id": "제니/1", "name": "제니"}}
	made := s.Must(201, "POST", "rental", "/rental-cards", body)
	same := s.Must(200, "POST", "rental", "/rental-cards", body)
	shown := s.Must(200, "GET", "rental", made.Header.Get("Location"), nil)
	if made.Text != same.Text || made.Text != shown.Text || shown.Text != `{"id":"제니/1","name":"제니","status":"RENT_AVAILABLE","lateFee":0,"items":[]}` {
		t.Errorf("%s, %s, %s", made, same, shown)
	}
	book := s.Must(201, "POST", "book", "/books", obj{"title": "데미안", "author": "헤르만 헤세", "isbn": "9788937460449"})
	if a := s.Must(200, "GET", "book", book.Header.Get("Location"), nil); a.Text != book.Text || a.Body["status"] != "AVAILABLE" {
		t.Errorf("%s, %s", book, a)
	}
	member := s.Must(201, "POST", "member", "/members", obj{"id": "tom", "name": "톰", "email": "tom@example.com"})
	if a := s.Must(200, "GET", "member", member.Header.Get("Location"), nil); a.Text != member.Text || a.Int("points") != 0 {
		t.Errorf("%s, %s", member, a)
	}
	if a := s.Must(200, "GET", "bestbook", "/best-books", nil); a.Text != `{"bestBooks":[]}` {
		t.Errorf("%s", a)
	}
}

func TestHelp(t *testing.T) {
	for name, port := range map[string]string{"rental": "8108", "book": "8109", "member": "8110", "bestbook": "8111"} {
		var stdout, stderr bytes.Buffer
		code := library.System().Command(context.Background(), name, []string{"--help"}, &stdout, &stderr)
		if code != service.ExitOK || stderr.Len() > 0 {
			t.Errorf("%s: exit %d, %s", name, code, stderr.String())
		}
		for _, want := range []string{"127.0.0.1:" + port, "sqlite:" + name + ".db", name + "-service", "--topic-rental-", "$" + strings.ToUpper(name) + "_DATABASE"} {
			if !strings.Contains(stdout.String(), want) {
				t.Errorf("%s --help does not say %s:\n%s", name, want, stdout.String())
			}
		}
	}
}
