package debezium

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

var errNoJSON = errors.New("no JSON, or not all of it")

// walk calls visit for each part of a text of JSON that holds no others. The path is valid
// during the call.
//
// A json.Decoder does it as well, but then a comparison takes more time than all servers: the
// schemas of records are long.
func walk(text []byte, visit func(path []string, from, to int)) error {
	w := walker{text: text, visit: visit}
	return w.value()
}

// walkPayload passes over the schema that a converter puts before a payload.
func walkPayload(text []byte, visit func(path []string, from, to int)) error {
	w := walker{text: text, visit: visit, payload: true}
	return w.value()
}

type walker struct {
	text    []byte
	at      int
	path    []string
	visit   func(path []string, from, to int)
	payload bool
}

// value goes behind the next value.
func (w *walker) value() error {
	switch w.next() {
	case '{':
		return w.list('}', w.member)
	case '[':
		return w.list(']', func(i int) error { return w.below(strconv.Itoa(i)) })
	}
	from := w.at
	if err := w.leaf(); err != nil {
		return err
	}
	w.visit(w.path, from, w.at)
	return nil
}

// list goes behind the end of what has commas between its parts.
func (w *walker) list(end byte, part func(i int) error) error {
	w.at++
	for i := 0; !w.take(end); i++ {
		if i > 0 && !w.take(',') {
			return errNoJSON
		}
		if err := part(i); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) member(int) error {
	w.next()
	from := w.at
	if err := w.string(); err != nil {
		return err
	}
	name := string(w.text[from+1 : w.at-1])
	if bytes.IndexByte(w.text[from:w.at], '\\') >= 0 {
		if err := json.Unmarshal(w.text[from:w.at], &name); err != nil {
			return err
		}
	}
	if !w.take(':') {
		return errNoJSON
	}
	if w.payload && len(w.path) == 0 && name == "schema" && w.next() == '{' {
		return w.pass()
	}
	return w.below(name)
}

// below goes behind the value of a name, or of a place in a list.
func (w *walker) below(name string) error {
	w.path = append(w.path, name)
	err := w.value()
	w.path = w.path[:len(w.path)-1]
	return err
}

// pass goes behind an object, or a list, and looks at none of it.
func (w *walker) pass() error {
	for depth := 0; w.at < len(w.text); {
		switch w.text[w.at] {
		case '"':
			if err := w.string(); err != nil {
				return err
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if w.at++; depth == 0 {
			return nil
		}
	}
	return errNoJSON
}

// leaf goes behind what holds no others.
func (w *walker) leaf() error {
	if w.next() == '"' {
		return w.string()
	}
	from := w.at
	for w.at < len(w.text) && bytes.IndexByte([]byte(",:{}[] \t\r\n"), w.text[w.at]) < 0 {
		w.at++
	}
	switch text := w.text[from:w.at]; string(text) {
	case "null", "true", "false":
		return nil
	default: // a number
		if !json.Valid(text) {
			return errNoJSON
		}
		return nil
	}
}

// string goes behind a text and its quotes.
func (w *walker) string() error {
	if w.at >= len(w.text) || w.text[w.at] != '"' {
		return errNoJSON
	}
	for w.at++; ; {
		i := bytes.IndexByte(w.text[w.at:], '"')
		if i < 0 {
			return errNoJSON
		}
		from := w.at
		w.at += i + 1
		if !escaped(w.text[from : from+i]) {
			return nil
		}
	}
}

// escaped says whether what comes after the text is escaped.
func escaped(text []byte) bool {
	n := len(text)
	for n > 0 && text[n-1] == '\\' {
		n--
	}
	return (len(text)-n)%2 == 1
}

// next goes before the next byte that is no space, and returns it; 0 at the end.
func (w *walker) next() byte {
	for ; w.at < len(w.text); w.at++ {
		switch b := w.text[w.at]; b {
		case ' ', '\t', '\r', '\n':
		default:
			return b
		}
	}
	return 0
}

// take goes behind the next byte that is no space if it is that one.
func (w *walker) take(b byte) bool {
	if w.next() != b || w.at == len(w.text) {
		return false
	}
	w.at++
	return true
}
