package tree

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func parse(t *testing.T, text string) *Value {
	t.Helper()
	v, err := Parse(text, Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestCompact(t *testing.T) {
	for text, want := range map[string]string{
		" { \"b\" : 1.50 , \"a\" : [ true , null , \"x\\u0041\\n\\u0007\\/\\u2028<\" ] } ": "{\"b\":1.50,\"a\":[true,null,\"xA\\n\\u0007/\u2028<\"]}",
		`{"a":1,"b":2,"a":3}`: `{"a":3,"b":2}`,
		`"\ud800"`:            "\"\ufffd\"",
		`-0.0e+5`:             `-0.0e+5`,
		`[]`:                  `[]`, `{}`: `{}`,
	} {
		v := parse(t, text)
		if got := v.Compact(); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
		if again := parse(t, v.Compact()); !again.Equal(v) {
			t.Errorf("%s is not what it was", text)
		}
	}
	if got := parse(t, `{"b":{"d":1,"c":2},"a":[{"f":1,"e":2}]}`).Sorted(); got.Compact() != `{"a":[{"e":2,"f":1}],"b":{"c":2,"d":1}}` || got.Get("b").Get("d").Text != "1" {
		t.Errorf("sorted it is %s", got.Compact())
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`1`, `1.0`, true}, {`100`, `1e2`, true}, {`1`, `2`, false}, {`1`, `"1"`, false}, {`0`, `-0`, true},
		{`{"a":1,"b":[]}`, `{"b":[],"a":1}`, true}, {`{"a":1}`, `{"b":1}`, false}, {`[1,2]`, `[2,1]`, false}, {`[1]`, `[1,1]`, false},
		{`null`, `false`, false}, {`1e999999999`, `2e999999999`, true}, // out of all proportion
	} {
		if got := parse(t, c.a).Equal(parse(t, c.b)); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
	var none *Value
	if none.Equal(parse(t, "null")) || !none.Equal(nil) || none.Get("a") != nil || none.Is(Null) {
		t.Error("nothing is something")
	}
}

func TestLimits(t *testing.T) {
	limits := Limits{Depth: 3, Width: 3, Values: 6}
	for text, fits := range map[string]bool{
		`[[[]]]`: true, `[[[[]]]]`: false, `[1,2,3]`: true, `[1,2,3,4]`: false, `{"a":1,"b":1,"c":1,"d":1}`: false,
		`[[1,2],[3]]`: true, `[[1,2],[3,4]]`: false,
	} {
		if _, err := Parse(text, limits); (err == nil) != fits || err != nil && !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := (Limits{Choices: 2}).CheckChoices(3); !errors.Is(err, ErrLimit) {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	for _, text := range []string{``, ` `, `{`, `[1`, `{"a"`, `{"a":}`, `{1:2}`, `[1,]`, `1 2`, `nul`, `"`, "\"\n\"", `]`, `{"a":1,}`} {
		if _, err := Parse(text, Limits{}); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	if _, err := Parse(strings.Repeat("[", 100_000), Limits{Depth: 100}); !errors.Is(err, ErrLimit) {
		t.Error(err)
	}
}

// FuzzParse: what is JSON to encoding/json is read, and stays the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5e-3,"x"],"b":null}`, `"\u0000"`, `{"a":1,"a":2}`, `[`, `{"":{}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Parse(text, Limits{Depth: 1000})
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("%q is no JSON", text)
		}
		again, err := Parse(v.Compact(), Limits{})
		if err != nil || !again.Equal(v) || again.Compact() != v.Compact() {
			t.Errorf("%q became %q: %v", text, v.Compact(), err)
		}
		v.Sorted().Compact()
	})
}
