package event_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
)

type request struct {
	OrderID string `json:"orderId"`
	Price   int64  `json:"price"`
}

func ExampleNew() {
	ordered := event.New("payment-request", "order-1", request{"order-1", 1200})
	answer := event.New("payment-response", "order-1", map[string]string{"paymentStatus": "COMPLETED"}).CausedBy(ordered)

	fmt.Println(string(ordered.Payload))
	fmt.Println(answer.CorrelationID == ordered.CorrelationID, answer.CausationID == ordered.ID, answer.ID != ordered.ID)
	// Output:
	// {"orderId":"order-1","price":1200}
	// true true true
}

func TestIDsAreAscendingUUIDv7(t *testing.T) {
	const n = 20_000
	ids := make([]string, n)
	for i := range ids {
		ids[i] = event.NewID()
	}
	if !slices.IsSorted(ids) {
		t.Error("ids of one goroutine do not ascend")
	}
	for _, id := range ids {
		if len(id) != 36 || id[14] != '7' || !strings.ContainsRune("89ab", rune(id[19])) {
			t.Fatalf("%s is not a UUIDv7", id)
		}
	}
	var at int64
	fmt.Sscanf(strings.ReplaceAll(ids[0][:13], "-", ""), "%x", &at)
	if age := time.Since(time.UnixMilli(at)); age < -time.Second || age > time.Minute {
		t.Errorf("the id's time is %v old", age)
	}
}

func TestIDsOfManyGoroutinesDiffer(t *testing.T) {
	var all sync.Map
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5_000 {
				if _, seen := all.LoadOrStore(event.NewID(), true); seen {
					t.Error("an id was given twice")
				}
			}
		})
	}
	wg.Wait()
}

func TestValidateNamesTheField(t *testing.T) {
	good := event.New("t", "k", 1)
	for _, c := range []struct {
		want   string
		change func(*event.Event)
	}{
		{"id is missing", func(e *event.Event) { e.ID = "" }},
		{"id has 256 bytes", func(e *event.Event) { e.ID = strings.Repeat("x", 256) }},
		{"type is missing", func(e *event.Event) { e.Type = "" }},
		{"type has a control character at byte 1", func(e *event.Event) { e.Type = "a\nb" }},
		{"time is missing", func(e *event.Event) { e.Time = time.Time{} }},
		{"key is not UTF-8", func(e *event.Event) { e.Key = "\xff" }},
		{"correlation id is not UTF-8", func(e *event.Event) { e.CorrelationID = "\xff" }},
		{`header name "ce_id"`, func(e *event.Event) { *e = e.WithHeader("ce_id", "1") }},
		{`header name ""`, func(e *event.Event) { *e = e.WithHeader("", "1") }},
		{"payload of \"t\": json", func(e *event.Event) { *e = event.New("t", "k", math.NaN()) }},
		{"payload of \"t\": json", func(e *event.Event) { *e = event.New("t", "k", make(chan int)) }},
	} {
		e := good
		c.change(&e)
		err := e.Validate()
		if !errors.Is(err, event.ErrInvalid) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("got %v, want ErrInvalid with %q", err, c.want)
		}
	}
	if err := good.Validate(); err != nil {
		t.Errorf("a good event is refused: %v", err)
	}
}

func TestWithHeaderLeavesTheOriginalAlone(t *testing.T) {
	a := event.New("t", "k", 1).WithHeader("x", "1")
	b := a.WithHeader("x", "2")
	if a.Headers["x"] != "1" || b.Headers["x"] != "2" {
		t.Errorf("got %v and %v", a.Headers, b.Headers)
	}
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name, contentType, payload, want string // want: part of the error, "" for none
	}{
		{"plain", "application/json", `{"orderId":"o","price":5}`, ""},
		{"no content type is JSON", "", `{"orderId":"o","price":5}`, ""},
		{"charset", "application/json; charset=utf-8", `{"orderId":"o","price":5}`, ""},
		{"suffix", "application/vnd.order+json", `{"orderId":"o","price":5}`, ""},
		{"unknown field is a newer producer", "application/json", `{"orderId":"o","price":5,"new":1}`, ""},
		{"truncated", "application/json", `{"orderId":"o",`, "unexpected EOF"},
		{"empty", "application/json", ``, "EOF"},
		{"two values", "application/json", `{"orderId":"o","price":5}{}`, "more data"},
		{"wrong type", "application/json", `{"price":"5"}`, "price"},
		{"other codec", "avro/binary", `x`, `no codec for content type "avro/binary"`},
		{"broken content type", "a/b/c", `{}`, "content type"},
	} {
		e := event.New("t", "k", nil)
		e.ContentType, e.Payload = c.contentType, []byte(c.payload)
		got, err := event.Decode[request](e)
		if c.want == "" {
			if err != nil || got.Price != 5 {
				t.Errorf("%s: got %+v, %v", c.name, got, err)
			}
			continue
		}
		if !errors.Is(err, event.ErrPayload) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: got %v, want ErrPayload with %q", c.name, err, c.want)
		}
	}
}
