package mask

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// fieldPath names fields of a JSON value.
type fieldPath struct {
	text     string
	segments []segment
}

type kind byte

const (
	field    kind = iota // a name
	anyField             // *
	element              // [n]
	anyElem              // [*]
	deep                 // **: any number of levels, also none
)

type segment struct {
	kind  kind
	name  string
	index int
}

// maxSegments is how many a set of positions has room for, with the end.
const maxSegments = 63

func parsePath(text string) (fieldPath, error) {
	p := fieldPath{text: text}
	rest := text
	for first := true; rest != "" || first; first = false {
		s, after, err := nextSegment(rest, first)
		if err != nil {
			return p, err
		}
		p.segments = append(p.segments, s)
		rest = after
	}
	switch {
	case len(p.segments) > maxSegments:
		return p, fmt.Errorf("it has more than %d parts", maxSegments)
	case p.segments[len(p.segments)-1].kind == deep:
		return p, errors.New("** needs a name behind it")
	}
	return p, nil
}

func nextSegment(text string, first bool) (segment, string, error) {
	if strings.HasPrefix(text, "[") {
		return bracket(text)
	}
	if !first {
		if !strings.HasPrefix(text, ".") {
			return segment{}, "", fmt.Errorf("a dot is missing before %q", text)
		}
		text = text[1:]
	}
	end := strings.IndexAny(text, ".[")
	if end < 0 {
		end = len(text)
	}
	name := text[:end]
	switch {
	case name == "":
		return segment{}, "", errors.New("a name is empty")
	case name == "**":
		return segment{kind: deep}, text[end:], nil
	case name == "*":
		return segment{kind: anyField}, text[end:], nil
	case strings.ContainsAny(name, `*"]`):
		return segment{}, "", fmt.Errorf(`%q: write names with such signs as ["name"]`, name)
	}
	return segment{kind: field, name: name}, text[end:], nil
}

// bracket reads [*], [n] or ["name"].
func bracket(text string) (segment, string, error) {
	if strings.HasPrefix(text, `["`) {
		quoted, err := strconv.QuotedPrefix(text[1:])
		if err == nil && strings.HasPrefix(text[1+len(quoted):], "]") {
			name, err := strconv.Unquote(quoted)
			return segment{kind: field, name: name}, text[len(quoted)+2:], err
		}
		return segment{}, "", fmt.Errorf(`%q does not end with "]`, text)
	}
	inside, after, ok := strings.Cut(text[1:], "]")
	if !ok {
		return segment{}, "", fmt.Errorf("%q does not end with ]", text)
	}
	if inside == "*" {
		return segment{kind: anyElem}, after, nil
	}
	n, err := strconv.Atoi(inside)
	if err != nil || n < 0 {
		return segment{}, "", fmt.Errorf("[%s]: write [*] or a number from 0", inside)
	}
	return segment{kind: element, index: n}, after, nil
}

// positions is the set of segments of one path that may come next; the bit after
// the last says that the path ends here.
type positions uint64

func (p fieldPath) begin() positions { return p.skip(1) }

func (p fieldPath) ends(at positions) bool { return at>>len(p.segments)&1 == 1 }

// skip adds what follows each ** reached.
func (p fieldPath) skip(at positions) positions {
	for i, s := range p.segments {
		if at>>i&1 == 1 && s.kind == deep {
			at |= 1 << (i + 1)
		}
	}
	return at
}

// intoField is where the path stands in a field's value.
func (p fieldPath) intoField(at positions, name string) positions {
	var next positions
	for i, s := range p.segments {
		if at>>i&1 == 0 {
			continue
		}
		switch {
		case s.kind == deep:
			next |= 1 << i
		case s.kind == anyField, s.kind == field && strings.EqualFold(s.name, name):
			next |= 1 << (i + 1)
		}
	}
	return p.skip(next)
}

// intoElement is where the path stands in an array's element. Arrays are also
// looked through as if they were not there.
func (p fieldPath) intoElement(at positions, index int) positions {
	next := at
	for i, s := range p.segments {
		if at>>i&1 == 1 && (s.kind == anyElem || s.kind == element && s.index == index) {
			next |= 1 << (i + 1)
		}
	}
	return p.skip(next)
}
