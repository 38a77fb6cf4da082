package pages

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// joined is what the pieces say together.
func joined(all []token) string {
	var b strings.Builder
	for _, t := range all {
		b.WriteString(t.Text)
	}
	return b.String()
}

// indented is what a reader should see of a text.
func indented(text string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") != nil {
		return text
	}
	return out.String()
}

func TestTokens(t *testing.T) {
	got := tokens(`{"a":"x\":y","b":[1,true,null],"":{}}`)
	want := []token{
		{"", "{\n  "}, {"j-key", `"a"`}, {"", ": "}, {"j-text", `"x\":y"`}, {"", ",\n  "},
		{"j-key", `"b"`}, {"", ": [\n    "}, {"j-word", "1"}, {"", ",\n    "}, {"j-word", "true"}, {"", ",\n    "}, {"j-word", "null"},
		{"", "\n  ],\n  "}, {"j-key", `""`}, {"", ": {}\n}"},
	}
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("piece %d is %q, want %q", i, got[i], want[i])
		}
	}
	for _, text := range []string{"", "no json", `"`, `"a`, `{"a":`, "\x00", "7", `"text"`, "true\t\r", " [] \n"} {
		if all := tokens(text); joined(all) != indented(text) {
			t.Errorf("%q became %q", text, all)
		}
	}
}

// TestTokensKeepTheText: whatever comes in goes out, and no page gets huge.
func TestTokensKeepTheText(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	signs := `{}[]",:\ 1e-t` + "\n\t\r\x00\xffé"
	for range 5000 {
		text := make([]byte, r.IntN(40))
		for i := range text {
			text[i] = signs[r.IntN(len(signs))]
		}
		check(t, string(text))
		nextToken(string(text) + "x") // it has no trust in the text either
	}
	for range 500 {
		text, err := json.Marshal(value(r, 0))
		if err != nil {
			t.Fatal(err)
		}
		check(t, string(text))
	}
	check(t, "["+strings.Repeat(`"x",`, 50_000)+"1]")
}

func check(t *testing.T, text string) {
	t.Helper()
	all := tokens(text)
	if joined(all) != indented(text) || len(all) > mostTokens+1 {
		t.Fatalf("%.200q became %d pieces", text, len(all))
	}
}

// value is a random one for JSON.
func value(r *rand.Rand, depth int) any {
	switch n := r.IntN(7); {
	case n == 0 && depth < 5:
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = value(r, depth+1)
		}
		return list
	case n <= 2 && depth < 5:
		fields := map[string]any{}
		for range r.IntN(4) {
			fields[[]string{"", "a", `"`, `\`, "é:", "{"}[r.IntN(6)]] = value(r, depth+1)
		}
		return fields
	case n == 3:
		return r.NormFloat64()
	case n == 4:
		return nil
	case n == 5:
		return r.IntN(2) == 0
	}
	return []string{"", "text", `":`, `\"`, "\n", "😀", "},"}[r.IntN(7)]
}
