package pages

import (
	"bytes"
	"encoding/json"
	"strings"
)

// token is a piece of a pretty-printed JSON text; Class is "" for what has no
// colour of its own.
type token struct{ Class, Text string }

// mostTokens bounds what one value costs in the page.
const mostTokens = 2000

// tokens indents a JSON text and cuts it into coloured pieces. What is no JSON
// stays one piece, as it is.
func tokens(text string) []token {
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") != nil {
		return []token{{Text: text}}
	}
	var all []token
	rest := out.String()
	for rest != "" {
		if len(all) >= mostTokens {
			return append(all, token{Text: rest})
		}
		t, n := nextToken(rest)
		if last := len(all) - 1; last >= 0 && all[last].Class == t.Class {
			all[last].Text += t.Text
		} else {
			all = append(all, t)
		}
		rest = rest[n:]
	}
	return all
}

func nextToken(s string) (token, int) {
	switch c := s[0]; {
	case c == '"':
		n := stringEnd(s)
		if strings.HasPrefix(s[n:], ":") {
			return token{"j-key", s[:n]}, n
		}
		return token{"j-text", s[:n]}, n
	case strings.IndexByte("{}[],: \n", c) >= 0:
		n := len(s) - len(strings.TrimLeft(s, "{}[],: \n"))
		return token{"", s[:n]}, n
	default:
		n := strings.IndexAny(s, ",]} \n")
		if n < 0 {
			n = len(s)
		}
		return token{"j-word", s[:n]}, n
	}
}

// stringEnd is where the JSON string that s begins with ends.
func stringEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}
