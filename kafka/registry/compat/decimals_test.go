package compat_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/kafka/registry"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/compat"
)

const (
	money = `{"type":"record","name":"Money","namespace":"o","fields":[{"name":"amount","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}}]}`
	price = `{"type":"record","name":"Price","namespace":"o","fields":[{"name":"of","type":["null","Money"]}]}`
)

// TestDecimals: other digits of a decimal are not compatible, though a registry lets them pass.
func TestDecimals(t *testing.T) {
	r, err := registry.Open(t.Context(), registry.Config{Kafka: kafkatest.Start(t).Config, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	server := httptest.NewServer(r.Handler())
	t.Cleanup(server.Close)
	c := connect(t, server.URL)
	reference := []client.Reference{{Name: "o.Money", Subject: "money", Version: 1}}
	if _, err := c.Register(t.Context(), "money", client.Schema{Text: money}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Register(t.Context(), "price", client.Schema{Text: price, References: reference}); err != nil {
		t.Fatal(err)
	}
	before := read(t, compat.File{Name: "price.avsc", Text: price}, compat.File{Name: "money.avsc", Text: money})
	ask := func(digits string) compat.Result {
		t.Helper()
		now := read(t, compat.File{Name: "price.avsc", Text: price}, compat.File{Name: "money.avsc", Text: strings.Replace(money, `"precision":9,"scale":2`, digits, 1)})[0]
		if messages, err := c.Compatible(t.Context(), "price", now.Schema); err != nil || len(messages) > 0 {
			t.Errorf("%s: the registry says %q, unlike Confluent's (%v)", digits, messages, err)
		}
		got, err := compat.Ask(t.Context(), c, "price", now)
		if err != nil {
			t.Fatal(err)
		}
		for _, level := range []string{compat.Backward, compat.Forward, compat.Full} {
			compared, err := compat.Compare(now, before[0], level)
			if err != nil || len(compared.Reasons) > 1 || compared.Compatible != (digits == `"precision":9,"scale":2`) {
				t.Errorf("%s, %s: %+v %v", digits, level, compared, err)
			}
		}
		return got
	}
	if got := ask(`"precision":9,"scale":2`); !got.Compatible || got.Reasons != nil {
		t.Errorf("%+v", got)
	}
	for _, digits := range []string{`"precision":9,"scale":3`, `"precision":12,"scale":2`, `"precision":5,"scale":2`} {
		got := ask(digits)
		if got.Compatible || got.Level != "BACKWARD" || got.Version != "1" || len(got.Reasons) != 1 || !strings.Contains(got.Reasons[0], "DECIMAL_MISMATCH: the decimal at '/fields/0/type/1/fields/0/type'") {
			t.Errorf("%s: %+v", digits, got)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/config/price", strings.NewReader(`{"compatibility":"NONE"}`))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%+v %v", answer, err)
	}
	answer.Body.Close()
	if got := ask(`"precision":9,"scale":3`); !got.Compatible {
		t.Errorf("where nothing is to be compared: %+v", got)
	}
}
