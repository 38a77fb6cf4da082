// Package tree reads JSON such that the order of keys and the digits of numbers are kept, as
// schemas are stored as text. What is read is bounded in depth and size.
package tree

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Kind of a value.
type Kind int

// Kinds of JSON.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

func (k Kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// Value is one JSON value. It is not changed after it was read.
type Value struct {
	Kind Kind
	// Text of a string (without quotes), a number or a boolean.
	Text    string
	Items   []*Value
	Members []Member

	index map[string]int
}

// Member of an object.
type Member struct {
	Name  string
	Value *Value
}

// Limits bound what Parse accepts; zero is no limit.
type Limits struct {
	// Depth is how deep arrays and objects may lie in one another.
	Depth int
	// Width is how many items or members one of them may have.
	Width int
	// Values is how many values there may be in all.
	Values int
	// Choices is how many branches a union, or a oneOf, anyOf or allOf, may have. Those who know
	// what one is look at it.
	Choices int
}

// DefaultLimits are those of a registry that has no others.
func DefaultLimits() Limits { return Limits{Depth: 100, Width: 2000, Values: 50_000, Choices: 250} }

// CheckChoices reports more branches than there may be.
func (l Limits) CheckChoices(n int) error {
	if l.Choices > 0 && n > l.Choices {
		return fmt.Errorf("%w: a union or choice in it has %d branches, more than %d", ErrLimit, n, l.Choices)
	}
	return nil
}

// ErrLimit is wrapped by errors about JSON that is larger than the limits.
var ErrLimit = errors.New("the schema is too large")

// Parse reads one JSON value. Of keys that repeat, the last counts.
func Parse(text string, limits Limits) (*Value, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	r := &reader{decoder: d, limits: limits}
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something behind the end of the JSON")
	}
	return v, nil
}

type reader struct {
	decoder *json.Decoder
	limits  Limits
	values  int
}

func (r *reader) value(depth int) (*Value, error) {
	token, err := r.decoder.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if r.values++; r.limits.Values > 0 && r.values > r.limits.Values {
		return nil, fmt.Errorf("%w: it has more than %d values", ErrLimit, r.limits.Values)
	}
	switch t := token.(type) {
	case nil:
		return &Value{Kind: Null}, nil
	case bool:
		return &Value{Kind: Bool, Text: fmt.Sprint(t)}, nil
	case json.Number:
		return &Value{Kind: Number, Text: t.String()}, nil
	case string:
		return &Value{Kind: String, Text: t}, nil
	}
	if depth++; r.limits.Depth > 0 && depth > r.limits.Depth {
		return nil, fmt.Errorf("%w: it is nested deeper than %d levels", ErrLimit, r.limits.Depth)
	}
	if token == json.Delim('[') {
		return r.array(depth)
	}
	return r.object(depth)
}

func (r *reader) array(depth int) (*Value, error) {
	v := &Value{Kind: Array}
	for r.decoder.More() {
		if err := r.width(len(v.Items)); err != nil {
			return nil, err
		}
		item, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		v.Items = append(v.Items, item)
	}
	return v, r.end()
}

func (r *reader) object(depth int) (*Value, error) {
	v := &Value{Kind: Object, index: map[string]int{}}
	for r.decoder.More() {
		if err := r.width(len(v.Members)); err != nil {
			return nil, err
		}
		key, err := r.decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		name := key.(string) // the decoder lets nothing else pass
		member, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		if at, ok := v.index[name]; ok {
			v.Members[at].Value = member
			continue
		}
		v.index[name] = len(v.Members)
		v.Members = append(v.Members, Member{name, member})
	}
	return v, r.end()
}

func (r *reader) width(n int) error {
	if r.limits.Width > 0 && n >= r.limits.Width {
		return fmt.Errorf("%w: an array or object in it has more than %d parts", ErrLimit, r.limits.Width)
	}
	return nil
}

func (r *reader) end() error {
	if _, err := r.decoder.Token(); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return nil
}

// Get is an object's member, nil where there is none.
func (v *Value) Get(name string) *Value {
	if v == nil {
		return nil
	}
	if at, ok := v.index[name]; ok {
		return v.Members[at].Value
	}
	return nil
}

// Is tells whether there is a value of that kind.
func (v *Value) Is(k Kind) bool { return v != nil && v.Kind == k }
