package domain

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestDecide(t *testing.T) {
	menu := Menu{Known: true, Active: true, Products: map[string]Product{
		"soup":  {"soup", 500, 10, true},
		"rice":  {"rice", 300, 3, true},
		"gone":  {"gone", 100, 10, false},
		"ghost": {"ghost", math.MaxInt64 / 2, 10, true},
	}}
	closed := menu
	closed.Active = false
	for _, test := range []struct {
		name  string
		menu  Menu
		lines []Line
		price int64
		why   string // "" is approved
		take  []Line
	}{
		{"approved", menu, []Line{{"soup", 2}, {"rice", 1}}, 1300, "", []Line{{"rice", 1}, {"soup", 2}}},
		{"equal stock is enough", menu, []Line{{"rice", 3}}, 900, "", []Line{{"rice", 3}}},
		{"two lines add up", menu, []Line{{"rice", 1}, {"rice", 2}}, 900, "", []Line{{"rice", 3}}},
		{"two lines exceed together", menu, []Line{{"rice", 2}, {"rice", 2}}, 1200, "not enough of product rice: 4 wanted, 3 there", nil},
		{"not enough stock", menu, []Line{{"rice", 4}}, 1200, "not enough of product rice", nil},
		{"unknown restaurant", Menu{}, []Line{{"rice", 1}}, 300, "unknown restaurant r1", nil},
		{"inactive restaurant", closed, []Line{{"rice", 1}}, 300, "restaurant r1 is not active", nil},
		{"unknown product", menu, []Line{{"cake", 1}}, 300, "unknown product cake", nil},
		{"inactive product", menu, []Line{{"gone", 1}}, 100, "product gone is not active", nil},
		{"price too low", menu, []Line{{"soup", 2}}, 999, "wrong price: the order says 999, the restaurant 1000", nil},
		{"price too high", menu, []Line{{"soup", 2}}, 1001, "wrong price", nil},
		{"cost overflows", menu, []Line{{"ghost", 3}}, 1, "too large", nil},
		{"sum overflows", menu, []Line{{"ghost", 2}, {"soup", 1}}, 1, "too large", nil},
		{"quantities overflow", menu, []Line{{"rice", math.MaxInt64}, {"rice", 1}}, 300, "too large", nil},
		{"quantity 0", menu, []Line{{"rice", 0}}, 0, "not above 0", nil},
		{"negative quantity", menu, []Line{{"soup", 1}, {"rice", -1}}, 200, "not above 0", nil},
		{"nothing", menu, nil, 0, "no products", nil},
	} {
		d := Decide(test.menu, "r1", test.lines, test.price)
		if d.Approved != (test.why == "") || !strings.Contains(d.Reason, test.why) || !reflect.DeepEqual(d.Take, test.take) {
			t.Errorf("%s: %+v", test.name, d)
		}
	}
}
