// Package mongodoc makes structs of MongoDB's documents as Debezium's connector writes them:
// strings of extended JSON.
package mongodoc

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Type of a value in a document, as far as they are told apart.
type Type uint8

// Types.
const (
	Null Type = iota + 1
	String
	Code
	ObjectID
	Decimal128
	Double
	Binary
	Int32
	Int64
	DateTime
	Timestamp
	Boolean
	Regex
	Doc
	Array
	Undefined
	Other // what has no schema, such as the smallest key
)

// Value of a document. Go's types are string (of String, Code, ObjectID and Decimal128), float64,
// []byte, int32, int64, time.Time, bool, [2]string (of Regex, with its options), *Document and
// []Value.
type Value struct {
	Type  Type
	Value any
	// Sub is the type of a Binary, or the counter of a Timestamp.
	Sub uint32
}

// Document is fields in their order.
type Document struct {
	Names  []string
	Values []Value
}

// Get a field.
func (d *Document) Get(name string) (Value, bool) {
	for i, n := range d.Names {
		if n == name {
			return d.Values[i], true
		}
	}
	return Value{}, false
}

// Set a field, at the end where it is new.
func (d *Document) Set(name string, v Value) {
	for i, n := range d.Names {
		if n == name {
			d.Values[i] = v
			return
		}
	}
	d.Names, d.Values = append(d.Names, name), append(d.Values, v)
}

// Remove a field, if it is there.
func (d *Document) Remove(name string) {
	for i, n := range d.Names {
		if n == name {
			d.Names, d.Values = append(d.Names[:i:i], d.Names[i+1:]...), append(d.Values[:i:i], d.Values[i+1:]...)
			return
		}
	}
}

// deepest is how far documents may be nested, as in MongoDB.
const deepest = 200

// Parse reads a document in any of the forms of extended JSON.
func Parse(text string) (*Document, error) {
	v, err := ParseValue(text)
	if err != nil {
		return nil, err
	}
	d, ok := v.Value.(*Document)
	if !ok {
		return nil, fmt.Errorf("%.60q is no document", text)
	}
	return d, nil
}

// ParseValue reads any value, such as the id in a key.
func ParseValue(text string) (Value, error) {
	p := parser{json.NewDecoder(strings.NewReader(text))}
	p.d.UseNumber()
	v, err := p.value(0)
	if err == nil {
		if _, more := p.d.Token(); more != io.EOF {
			err = fmt.Errorf("something follows it")
		}
	}
	if err != nil {
		return Value{}, fmt.Errorf("%.60q is no extended JSON: %w", text, err)
	}
	return v, nil
}

type parser struct{ d *json.Decoder }

func (p parser) value(depth int) (Value, error) {
	token, err := p.d.Token()
	if err != nil {
		return Value{}, err
	}
	if depth > deepest {
		return Value{}, fmt.Errorf("it is nested more than %d times", deepest)
	}
	switch t := token.(type) {
	case nil:
		return Value{Type: Null}, nil
	case bool:
		return Value{Type: Boolean, Value: t}, nil
	case string:
		return Value{Type: String, Value: t}, nil
	case json.Number:
		return number(t.String())
	case json.Delim:
		if t == '[' {
			return p.array(depth)
		}
		d, err := p.document(depth)
		if err != nil {
			return Value{}, err
		}
		return extended(d)
	}
	return Value{}, fmt.Errorf("%v is no value", token)
}

func number(text string) (Value, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n == int64(int32(n)) {
			return Value{Type: Int32, Value: int32(n)}, nil
		}
		return Value{Type: Int64, Value: n}, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	return Value{Type: Double, Value: f}, err
}

func (p parser) array(depth int) (Value, error) {
	all := []Value{}
	for p.d.More() {
		v, err := p.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		all = append(all, v)
	}
	_, err := p.d.Token()
	return Value{Type: Array, Value: all}, err
}

func (p parser) document(depth int) (*Document, error) {
	d := &Document{}
	for p.d.More() {
		name, err := p.d.Token()
		if err != nil {
			return nil, err
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		d.Set(name.(string), v)
	}
	_, err := p.d.Token()
	return d, err
}
