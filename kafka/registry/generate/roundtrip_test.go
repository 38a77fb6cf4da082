package generate_test

import (
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/avro"

	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
	"github.com/pabal-dev/pabal/kafka/registry/generate/internal/example"
)

// connect to a registry that knows one schema.
func connect(t *testing.T, text string) *client.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(client.Registered{Subject: "orders-value", Version: 1, ID: 1, Schema: client.Schema{Text: text}})
	}))
	t.Cleanup(server.Close)
	c, err := client.New(client.Config{URLs: []string{server.URL}, RetryFor: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func order() example.Order {
	note, seen := "käse", time.UnixMilli(1_700_000_000_123).UTC()
	money := example.Money{Amount: big.NewRat(-12345, 100), Currency: example.CurrencyKrw}
	return example.Order{
		OrderID: [16]byte{1, 2, 15: 9}, Customer: "Ada", Status: example.StatusInTransit, Total: money, Tip: &money, Discount: big.NewRat(1, 8),
		PlacedAt: time.UnixMicro(1_700_000_000_123_456).UTC(), SeenAt: &seen, DueOn: time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC),
		Opens: 9 * time.Hour, Closes: 18*time.Hour + time.Microsecond, Lasts: avro.Duration{Months: 1, Days: 2, Milliseconds: 3}, Checksum: example.SHA1{7},
		Lines: []example.Line{{SKU: "a", Quantity: 2}}, Labels: map[string]string{"x": "y"}, Note: &note,
		Payment: map[string]any{"digits": "1234"}, Retries: 1, Weight: 2.5, Express: true, Raw: []byte{0, 255},
	}
}

// TestRoundTrip: what is generated writes and reads every type, with the schema that it has beside it.
func TestRoundTrip(t *testing.T) {
	c := connect(t, example.OrderSchema)
	orders, err := codec.Avro[example.Order](codec.Config{Registry: c, Schema: client.Schema{Text: example.OrderSchema}})
	if err != nil {
		t.Fatal(err)
	}
	full, parent := order(), order()
	full.Parent = &parent
	empty := example.Order{
		Status: example.StatusPlaced, Total: example.Money{Amount: new(big.Rat), Currency: example.CurrencyEur},
		PlacedAt: time.UnixMicro(0).UTC(), DueOn: time.Unix(0, 0).UTC(), Lines: []example.Line{}, Labels: map[string]string{}, Raw: []byte{},
	}
	text := order()
	text.Payment = "cash"
	for _, v := range []example.Order{full, empty, text} {
		b, err := orders.Encode(t.Context(), "orders", v)
		if err != nil {
			t.Fatal(err)
		}
		got, err := orders.Decode(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		if want, got := plain(v), plain(got); !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	card := order()
	card.Payment = example.Card{Digits: "1234"} // as a struct, too
	if _, err := orders.Encode(t.Context(), "orders", card); err != nil {
		t.Error(err)
	}
	if v, err := orders.Encode(t.Context(), "orders", example.Order{Status: "LOST"}); err == nil {
		t.Errorf("a symbol that is none: % x", v)
	}
}

// plain has decimals as texts: equal ones may have different insides.
func plain(o example.Order) map[string]any {
	out := map[string]any{"total": o.Total.Amount.String(), "order": &o}
	o.Total.Amount = nil
	for name, r := range map[string]**big.Rat{"discount": &o.Discount} {
		if *r != nil {
			out[name] = (*r).String()
		}
		*r = nil
	}
	if o.Tip != nil {
		tip := *o.Tip
		out["tip"], tip.Amount = tip.Amount.String(), nil
		o.Tip = &tip
	}
	if o.Parent != nil {
		out["parent"] = plain(*o.Parent)
		o.Parent = nil
	}
	return out
}

// TestTags: a schema that tags can express is made of them again.
func TestTags(t *testing.T) {
	type order struct {
		Lines []example.Line `avro:"lines"`
	}
	made, err := avro.SchemaFor[order](avro.WithNamespace("com.example.orders"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"name":"sku"`, `"default":1`} {
		if !strings.Contains(made.String(), part) {
			t.Errorf("no %s in %s", part, made)
		}
	}
	if want := `{"name":"com.example.orders.Line","type":"record","fields":[{"name":"sku","type":"string"},{"name":"quantity","type":"int"}]}`; !strings.Contains(string(made.Canonical()), want) {
		t.Errorf("no %s in %s", want, made.Canonical())
	}
}
