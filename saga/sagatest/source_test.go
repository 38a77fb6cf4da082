package sagatest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheCallOfCheckIsReadFromTheSource(t *testing.T) {
	const source = `package shop_test

import (
	"testing"

	"example.com/shop/order"
	rentals "example.com/shop/rental/v2"
	"example.com/shop/shelf/v3"
	"github.com/pabal-dev/pabal/saga/sagatest"
)

func Test(t *testing.T) {
	local := 1
	%s
}
`
	tests := []struct{ call, model, imports string }{
		{`sagatest.Check(t, orders(true, "x"))`, `orders(true, "x")`, ""},
		{`report := sagatest.Check(t, order.Model(7)); _ = report`, `order.Model(7)`, `"example.com/shop/order"`},
		{`sagatest.Check(t, rentals.Models[0])`, `rentals.Models[0]`, `rentals "example.com/shop/rental/v2"`},
		{`sagatest.Check(t, shelf.Model())`, `shelf.Model()`, `"example.com/shop/shelf/v3"`},
		{`sagatest.Check[world, state](t, orders())`, `orders()`, ""},
		{"sagatest.Check(t,\n\t\torders(),\n\t)", `orders()`, ""},
		{`sagatest.Check(t, orders(local))`, "", ""},
		{`m := orders(); sagatest.Check(t, m)`, "", ""},
		{`other(t, orders())`, "", ""},
	}
	for _, tt := range tests {
		file := filepath.Join(t.TempDir(), "x_test.go")
		if err := os.WriteFile(file, fmt.Appendf(nil, source, tt.call), 0o600); err != nil {
			t.Fatal(err)
		}
		c := callAt(file, 14)
		if c.Package != "shop_test" || c.Model != tt.model || strings.Join(c.Imports, " ") != tt.imports {
			t.Errorf("%s: got %+v", tt.call, c)
		}
	}
	if c := callAt("nowhere.go", 1); c.Package == "" || c.Model != "" {
		t.Errorf("without a source: %+v", c)
	}
}

func TestThePrintedTestNamesModelAndImports(t *testing.T) {
	f := &Failure{Saga: "order", Err: errors.New("lost.\nmore"), Schedule: Schedule{
		{Do: Begin, Choices: []string{`a "b"`}},
		{Do: Operate, Act: "skip", Step: "charge"},
		{Do: Call, Request: "restock"},
	}}
	got := f.Test("Test/a b", Caller{Package: "x_test", Model: "order.Model(7)", Imports: []string{`"example.com/order"`}})
	want := `package x_test

import (
	"testing"

	"example.com/order"
	"github.com/pabal-dev/pabal/saga/sagatest"
)

// Test_a_b_Schedule: lost.
func Test_a_b_Schedule(t *testing.T) {
	sagatest.Replay(t, order.Model(7), sagatest.Schedule{
		{Do: sagatest.Begin, Choices: []string{"a \"b\""}},
		{Do: sagatest.Operate, Act: "skip", Step: "charge"},
		{Do: sagatest.Call, Request: "restock"},
	})
}
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	f.source = "mine()"
	if got := f.Test("Test", Caller{Package: "x_test"}); !strings.Contains(got, "Replay(t, mine(), ") {
		t.Errorf("Source is not taken: %s", got)
	}
}

func TestSchedulesThatAreNoneAreRefused(t *testing.T) {
	for _, schedule := range []Schedule{
		nil,
		{{Do: Deliver, Message: "left/1", To: "door"}},
		{{Do: Begin}, {Do: Begin}},
		{{Do: Begin, Choices: []string{"unheard of"}}},
	} {
		if _, err := Run(doors(), schedule); !errors.Is(err, ErrModel) {
			t.Errorf("%v: got %v", schedule, err)
		}
	}
	left, err := Run(doors(), Schedule{{Do: Begin}, {Do: Deliver, Message: "unknown", To: "door"}})
	if err != nil || len(left) != 1 {
		t.Errorf("what is not possible is left out: %v, %v", left, err)
	}
}
