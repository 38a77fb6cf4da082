package debezium

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// CompileJava compiles a regular expression of Java's. What Go's engine does not have, such as
// lookaheads and backreferences, is an error that names it. It matches anywhere: put ^(?:…)$
// around for Java's matches(). Flags such as "i" are those of Go; "" is none.
func CompileJava(pattern, flags string) (*regexp.Regexp, error) {
	translated, err := translate(pattern)
	if err != nil {
		return nil, fmt.Errorf("regular expression %q: %w", pattern, err)
	}
	if flags != "" {
		translated = "(?" + flags + ")" + translated
	}
	r, err := regexp.Compile(translated)
	if err != nil {
		return nil, fmt.Errorf("regular expression %q: %w", pattern, err)
	}
	return r, nil
}

// groups are the openings that Go does not have, with what they are.
var groups = []struct{ start, what string }{
	{"(?=", "a lookahead (?=…)"}, {"(?!", "a negative lookahead (?!…)"},
	{"(?<=", "a lookbehind (?<=…)"}, {"(?<!", "a negative lookbehind (?<!…)"},
	{"(?>", "an atomic group (?>…)"},
}

func unsupported(what string) error {
	return fmt.Errorf("%s is not supported; write it without, or list more expressions", what)
}

func translate(pattern string) (string, error) {
	var b strings.Builder
	class := false // within […]
	for i := 0; i < len(pattern); {
		rest := pattern[i:]
		switch {
		case rest[0] == '\\':
			out, n, err := translateEscape(rest, class)
			if err != nil {
				return "", err
			}
			b.WriteString(out)
			i += n
			continue
		case class:
			if err := checkClass(rest); err != nil {
				return "", err
			}
			class = rest[0] != ']'
		case rest[0] == '[':
			n := classStart(rest)
			b.WriteString(rest[:n])
			class = true
			i += n
			continue
		default:
			if err := checkOutside(rest); err != nil {
				return "", err
			}
		}
		r, n := utf8.DecodeRuneInString(rest)
		if r >= utf8.RuneSelf {
			b.WriteString(exact(rest[:n], class))
		} else {
			b.WriteByte(rest[0])
		}
		i += n
	}
	return b.String(), nil
}

// classStart is how long the part of a class is in which "]" stands for itself in neither engine.
func classStart(rest string) int {
	if strings.HasPrefix(rest, "[^") {
		return 2
	}
	return 1
}

func checkClass(rest string) error {
	switch {
	case strings.HasPrefix(rest, "&&"):
		return unsupported("an intersection of character classes (&&)")
	case rest[0] == '[':
		return unsupported("a character class within another")
	}
	return nil
}

func checkOutside(rest string) error {
	for _, g := range groups {
		if strings.HasPrefix(rest, g.start) {
			return unsupported(g.what)
		}
	}
	if strings.HasPrefix(rest, "(?") && !strings.HasPrefix(rest, "(?<") && !strings.HasPrefix(rest, "(?:") {
		flags, _, _ := strings.Cut(rest[2:], ")")
		flags, _, _ = strings.Cut(flags, ":")
		if strings.Trim(flags, "ims-") != "" {
			return unsupported("the flag (?" + flags + ")")
		}
	}
	if len(rest) > 1 && strings.IndexByte("*+?}", rest[0]) >= 0 && rest[1] == '+' {
		return unsupported("a possessive quantifier (" + rest[:2] + ")")
	}
	return nil
}
