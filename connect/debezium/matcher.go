package debezium

import (
	"regexp"
	"strings"
)

// Matcher is a list of regular expressions of which one must match a whole name, whatever its
// case. The nil Matcher matches nothing.
type Matcher struct{ patterns []*regexp.Regexp }

// ParseMatcher reads Java's regular expressions with commas between. Commas within them are
// escaped with a backslash. A list of nothing but space is a nil Matcher.
func ParseMatcher(list string) (*Matcher, error) {
	var m Matcher
	for _, text := range splitPatterns(list) {
		r, err := CompileJava(text, "i")
		if err != nil {
			return nil, err
		}
		if r, err = regexp.Compile("^(?:" + r.String() + ")$"); err != nil {
			return nil, err
		}
		m.patterns = append(m.patterns, r)
	}
	if len(m.patterns) == 0 {
		return nil, nil
	}
	return &m, nil
}

// Match says whether one of the expressions matches the whole name.
func (m *Matcher) Match(name string) bool {
	if m == nil {
		return false
	}
	for _, p := range m.patterns {
		if p.MatchString(name) {
			return true
		}
	}
	return false
}

// splitPatterns at commas that are not escaped.
func splitPatterns(list string) []string {
	var out []string
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, strings.ReplaceAll(text, `\,`, ","))
		}
	}
	start := 0
	for i := 0; i < len(list); i++ {
		switch list[i] {
		case '\\':
			i++
		case ',':
			add(list[start:i])
			start = i + 1
		}
	}
	add(list[start:])
	return out
}
