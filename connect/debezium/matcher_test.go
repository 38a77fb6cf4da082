package debezium_test

import (
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/debezium"
)

func TestMatcher(t *testing.T) {
	for _, c := range []struct {
		list, name string
		want       bool
	}{
		{"public.orders", "public.orders", true},
		{"public.orders", "PUBLIC.Orders", true},
		{"public.orders", "public.orders2", false},
		{"public.orders", "xpublic.orders", false},
		{"a|b", "ab", false}, // anchored as a whole
		{" a.b , c.d ", "c.d", true},
		{`a{1\,2}`, "aa", true},
		{`a\,b`, "a,b", true},
		{`\Qa.b\E`, "axb", false},
		{`\Qa.b\E`, "a.b", true},
		{`t\d+_\p{Alpha}`, "t12_x", true},
		{`[\p{Alpha}_]+`, "a_b", true},
		{`[^\P{Digit}]+`, "12", true},
		{`caf\u00e9+`, "CAFéé", true},
		{`caf\u00e9`, "CAFÉ", false},
		{`\u0062`, "B", true},
		{"café+", "CAFÉ", false},
		{"café+", "CAFé", true},
		{`(?<x>a)b`, "ab", true},
		{`x.*\.z`, "x\n.z", false},
		{`[]a]`, "a", true},
	} {
		m, err := debezium.ParseMatcher(c.list)
		if err != nil || m.Match(c.name) != c.want {
			t.Errorf("%s of %q: %t, %v", c.list, c.name, !c.want, err)
		}
	}
	if m, err := debezium.ParseMatcher(" , "); m != nil || err != nil || m.Match("") {
		t.Errorf("an empty list: %v, %v", m, err)
	}
}

func TestMatcherRefuses(t *testing.T) {
	for list, want := range map[string]string{
		"(?!a).*":           "a negative lookahead (?!…) is not supported",
		"(?=a).*":           "a lookahead",
		"(?<=a)b":           "a lookbehind",
		"(?<!a)b":           "a negative lookbehind",
		"(?>a)b":            "an atomic group",
		`(a)\1`:             `the backreference \1`,
		`(?<x>a)\k<x>`:      "a backreference by name",
		"a*+b":              "a possessive quantifier (*+)",
		"[a-z&&[^b]]":       "an intersection of character classes (&&)",
		"[a[bc]]":           "a character class within another",
		"(?x)a":             "the flag (?x)",
		`a\Gb`:              `\G`,
		`\p{javaLowerCase}`: "invalid character class range",
		"(a":                "missing closing )",
		"a)|(b":             "unexpected )",
		`a\`:                "a backslash at the end",
	} {
		if m, err := debezium.ParseMatcher(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v, want %q", list, m, err, want)
		}
	}
}
