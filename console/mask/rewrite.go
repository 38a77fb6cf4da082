package mask

import (
	"encoding/json"
	"slices"
	"strings"
)

// maxDepth bounds how deep a value is looked into; a deeper one is hidden whole.
const maxDepth = 256

// rewrite replaces what the paths name in a valid JSON text and leaves every other
// byte as it is. found has the paths that hid something; ok is false where the text
// is no object or array, or too deep.
func rewrite(text string, paths []fieldPath) (out string, found []string, ok bool) {
	w := writer{text: text, paths: paths}
	w.space()
	if w.at == len(text) || text[w.at] != '{' && text[w.at] != '[' {
		return "", nil, false
	}
	begin := make([]positions, len(paths))
	for i, p := range paths {
		begin[i] = p.begin()
	}
	w.value(begin, 0)
	w.space()
	if w.failed || w.at != len(text) {
		return "", nil, false
	}
	if len(w.found) == 0 {
		return text, nil, true
	}
	w.out.WriteString(text[w.copied:])
	return w.out.String(), w.found, true
}

// writer walks through a JSON text once.
type writer struct {
	text   string
	paths  []fieldPath
	at     int
	copied int // up to where text was written to out
	out    strings.Builder
	found  []string
	failed bool
	// levels has the positions of the value under way, by depth, to be reused.
	levels [][]positions
}

// value walks through the value at w.at, whose positions are those.
func (w *writer) value(where []positions, depth int) {
	if depth > maxDepth {
		w.failed = true
	}
	if w.failed || w.at >= len(w.text) {
		w.failed = true
		return
	}
	switch w.text[w.at] {
	case '{':
		w.members('}', where, depth)
	case '[':
		w.members(']', where, depth)
	case '"':
		w.string()
	default:
		w.scalar()
	}
}

// members walks through an object or an array.
func (w *writer) members(end byte, where []positions, depth int) {
	w.at++
	for index := 0; ; index++ {
		w.space()
		if w.take(end) || w.failed {
			return
		}
		if index > 0 && !w.take(',') {
			w.failed = true
			return
		}
		w.space()
		below := w.level(depth)
		if end == '}' {
			name := w.name()
			for i, p := range w.paths {
				below[i] = p.intoField(where[i], name)
			}
		} else {
			for i, p := range w.paths {
				below[i] = p.intoElement(where[i], index)
			}
		}
		w.member(below, depth)
	}
}

// member walks through a member's value, and hides it where a path ends there.
func (w *writer) member(where []positions, depth int) {
	begin, hide := w.at, false
	for i, p := range w.paths {
		if p.ends(where[i]) {
			hide = true
			if !slices.Contains(w.found, p.text) {
				w.found = append(w.found, p.text)
			}
		}
	}
	if hide {
		clear(where) // nothing below is looked for: it goes whole
	}
	w.value(where, depth+1)
	if hide && !w.failed {
		w.out.WriteString(w.text[w.copied:begin])
		w.out.WriteString(`"` + Hidden + `"`)
		w.copied = w.at
	}
}

func (w *writer) level(depth int) []positions {
	for len(w.levels) <= depth {
		w.levels = append(w.levels, make([]positions, len(w.paths)))
	}
	return w.levels[depth]
}

// name reads a member's name and the colon.
func (w *writer) name() string {
	begin := w.at
	if begin >= len(w.text) || w.text[begin] != '"' {
		w.failed = true
		return ""
	}
	w.string()
	raw := w.text[begin:w.at]
	w.space()
	if !w.take(':') {
		w.failed = true
		return ""
	}
	w.space()
	if !strings.Contains(raw, `\`) {
		return raw[1 : len(raw)-1]
	}
	var name string
	if json.Unmarshal([]byte(raw), &name) != nil {
		w.failed = true
	}
	return name
}

// string goes past the string at w.at.
func (w *writer) string() {
	for w.at++; w.at < len(w.text); w.at++ {
		switch w.text[w.at] {
		case '\\':
			w.at++
		case '"':
			w.at++
			return
		}
	}
	w.failed = true
}

// scalar goes past a number, true, false or null.
func (w *writer) scalar() {
	begin := w.at
	for w.at < len(w.text) && !strings.ContainsRune(",]} \t\r\n", rune(w.text[w.at])) {
		w.at++
	}
	w.failed = w.failed || w.at == begin
}

func (w *writer) space() {
	for w.at < len(w.text) && (w.text[w.at] == ' ' || w.text[w.at] == '\t' || w.text[w.at] == '\n' || w.text[w.at] == '\r') {
		w.at++
	}
}

func (w *writer) take(c byte) bool {
	if w.at < len(w.text) && w.text[w.at] == c {
		w.at++
		return true
	}
	return false
}
