package converter

import "strings"

// tokens are delimiters and what is between them; a backslash takes a delimiter its meaning.
type tokens struct {
	text string
	at   int
	// peeked was read and not taken.
	peeked string
	has    bool
}

func (t *tokens) more() bool { return t.has || t.at < len(t.text) }

func (t *tokens) mark() int {
	if t.has {
		return t.at - len(t.peeked)
	}
	return t.at
}

func (t *tokens) rewind(to int) { t.at, t.has = to, false }

func (t *tokens) next() string {
	if t.has {
		t.has = false
		return t.peeked
	}
	return t.read()
}

// nextFour tokens as one; ok is false, and nothing taken, where there are fewer.
func (t *tokens) nextFour() (string, bool) {
	start := t.mark()
	for range 4 {
		if !t.more() {
			t.rewind(start)
			return "", false
		}
		t.next()
	}
	return t.text[start:t.at], true
}

func (t *tokens) read() string {
	start, escaped := t.at, false
	for ; t.at < len(t.text); t.at++ {
		c := t.text[t.at]
		switch {
		case c == '\\':
			escaped = !escaped
			continue
		case !escaped && strings.IndexByte(`:,{}[]"`, c) >= 0:
			if start == t.at {
				t.at++
			}
			return t.text[start:t.at]
		}
		escaped = false
	}
	return t.text[start:]
}

// take a token, whatever the white space around it.
func (t *tokens) take(want string) bool {
	if !t.has {
		if !t.more() {
			return false
		}
		t.peeked, t.has = t.read(), true
	}
	for strings.TrimSpace(t.peeked) == "" && t.at < len(t.text) {
		t.peeked = t.read()
	}
	if strings.TrimSpace(t.peeked) != want {
		return false
	}
	t.has = false
	return true
}
