package cluster

import (
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
)

// filter is what a message must have; all terms must match. It looks at what its
// user sees, so that masked content cannot be searched.
type filter []term

// term is a text looked for in one place; where "" is key, headers and value.
type term struct {
	where  string
	header string // its name, in lower case, where where is "header"
	text   string // in lower case
}

// Limits of a filter.
const (
	maxFilterBytes = 1 << 10
	maxFilterTerms = 16
)

// parseFilter reads the language of api.MessageQuery: words, "phrases" and
// place:word. What is not a known place is part of the word.
func parseFilter(text string) (filter, error) {
	if len(text) > maxFilterBytes {
		return nil, fmt.Errorf("%w: the filter has %d bytes, at most %d are allowed", api.ErrInvalid, len(text), maxFilterBytes)
	}
	var out filter
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		t, after, err := nextTerm(rest)
		if err != nil {
			return nil, fmt.Errorf("%w: filter: %w", api.ErrInvalid, err)
		}
		if out = append(out, t); len(out) > maxFilterTerms {
			return nil, fmt.Errorf("%w: the filter has more than %d words", api.ErrInvalid, maxFilterTerms)
		}
		rest = after
	}
	return out, nil
}

func nextTerm(text string) (term, string, error) {
	var t term
	for _, where := range []string{"key", "type", "id", "correlation", "value", "header"} {
		if len(text) > len(where) && text[len(where)] == ':' && strings.EqualFold(text[:len(where)], where) {
			t.where, text = where, text[len(where)+1:]
			break
		}
	}
	if t.where == "header" {
		name, after, ok := strings.Cut(text, "=")
		if !ok || name == "" || strings.ContainsAny(name, " \t\n\"") {
			return t, "", fmt.Errorf("header:%s lacks a name or an =, write header:name=word", clip(text))
		}
		t.header, text = strings.ToLower(name), after
	}
	word, after, err := nextWord(text)
	if err != nil {
		return t, "", err
	}
	if word == "" {
		return t, "", fmt.Errorf("nothing stands behind %q", strings.TrimSuffix(t.where+":"+t.header, ":"))
	}
	t.text = strings.ToLower(word)
	return t, after, nil
}

// nextWord is a word up to a space, or a "phrase".
func nextWord(text string) (word, after string, err error) {
	if strings.HasPrefix(text, `"`) {
		phrase, after, ok := strings.Cut(text[1:], `"`)
		switch {
		case !ok:
			return "", "", fmt.Errorf("the quote before %s is not closed", clip(text[1:]))
		case phrase == "":
			return "", "", fmt.Errorf(`"" is empty`)
		}
		return phrase, after, nil
	}
	if end := strings.IndexAny(text, " \t\r\n"); end >= 0 {
		return text[:end], text[end:], nil
	}
	return text, "", nil
}

func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

func (f filter) matches(m *api.Message) bool {
	for _, t := range f {
		if !t.matches(m) {
			return false
		}
	}
	return true
}

func (t term) matches(m *api.Message) bool {
	event := m.Event
	if event == nil {
		event = &api.Event{}
	}
	switch t.where {
	case "key":
		return t.in(m.Key)
	case "value":
		return t.in(m.Value)
	case "type":
		return t.inText(event.Type)
	case "id":
		return t.inText(event.ID)
	case "correlation":
		return t.inText(event.CorrelationID)
	case "header":
		return t.inHeaders(m.Headers, false)
	}
	return t.in(m.Key) || t.inHeaders(m.Headers, true) || t.in(m.Value)
}

// inHeaders looks into the values of the named header, or of all, and names then.
func (t term) inHeaders(headers []api.Header, all bool) bool {
	for _, h := range headers {
		switch {
		case all && (t.inText(h.Key) || t.in(h.Value)):
			return true
		case !all && strings.EqualFold(h.Key, t.header) && t.in(h.Value):
			return true
		}
	}
	return false
}

func (t term) in(d api.Data) bool {
	return t.inText(d.Text) || len(d.Base64) > 0 && t.inText(string(d.Base64))
}

func (t term) inText(s string) bool { return strings.Contains(strings.ToLower(s), t.text) }
