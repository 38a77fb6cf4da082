// Package mongodoc makes structs of MongoDB's documents as Debezium's connector writes them:
// strings of extended JSON.
package mongodoc

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
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

// extended is what a document stands for that begins with a dollar.
func extended(d *Document) (Value, error) {
	whole := Value{Type: Doc, Value: d}
	if len(d.Names) == 0 || len(d.Names) > 2 || !strings.HasPrefix(d.Names[0], "$") {
		return whole, nil
	}
	first := d.Values[0]
	text, isText := first.Value.(string)
	switch d.Names[0] {
	case "$oid":
		if _, err := hex.DecodeString(text); err != nil || len(text) != 24 {
			return Value{}, fmt.Errorf("%q is no object id", text)
		}
		return Value{Type: ObjectID, Value: text}, nil
	case "$numberInt":
		n, err := strconv.ParseInt(text, 10, 32)
		return Value{Type: Int32, Value: int32(n)}, err
	case "$numberLong":
		n, err := strconv.ParseInt(text, 10, 64)
		return Value{Type: Int64, Value: n}, err
	case "$numberDouble":
		return double(text)
	case "$numberDecimal":
		return Value{Type: Decimal128, Value: text}, nil
	case "$date":
		return date(first)
	case "$timestamp":
		return timestamp(first)
	case "$binary", "$type", "$uuid":
		return binary(d)
	case "$regex", "$options":
		pattern, _ := d.Get("$regex")
		flags, _ := d.Get("$options")
		return regex(pattern.Value, flags.Value), nil
	case "$regularExpression":
		if inner, ok := first.Value.(*Document); ok {
			pattern, _ := inner.Get("pattern")
			flags, _ := inner.Get("options")
			return regex(pattern.Value, flags.Value), nil
		}
	case "$code":
		if isText && len(d.Names) == 1 {
			return Value{Type: Code, Value: text}, nil
		}
		return Value{Type: Other}, nil
	case "$symbol":
		return Value{Type: Other}, nil
	case "$undefined":
		return Value{Type: Undefined}, nil
	case "$minKey", "$maxKey", "$dbPointer":
		return Value{Type: Other}, nil
	}
	return whole, nil
}

func regex(pattern, flags any) Value {
	p, _ := pattern.(string)
	f, _ := flags.(string)
	return Value{Type: Regex, Value: [2]string{p, f}}
}

func double(text string) (Value, error) {
	f, err := strconv.ParseFloat(text, 64)
	if math.IsInf(f, 0) {
		err = nil
	}
	return Value{Type: Double, Value: f}, err
}

// date is milliseconds or ISO 8601.
func date(v Value) (Value, error) {
	switch n := v.Value.(type) {
	case int32:
		return Value{Type: DateTime, Value: time.UnixMilli(int64(n)).UTC()}, nil
	case int64:
		return Value{Type: DateTime, Value: time.UnixMilli(n).UTC()}, nil
	case string:
		t, err := time.Parse(time.RFC3339Nano, n)
		return Value{Type: DateTime, Value: t.UTC()}, err
	}
	return Value{}, fmt.Errorf("$date has no date")
}

func timestamp(v Value) (Value, error) {
	d, ok := v.Value.(*Document)
	if !ok {
		return Value{}, fmt.Errorf("$timestamp has no document")
	}
	part := func(name string) int64 {
		v, _ := d.Get(name)
		switch n := v.Value.(type) {
		case int32:
			return int64(n)
		case int64:
			return n
		}
		return 0
	}
	return Value{Type: Timestamp, Value: time.Unix(part("t"), 0).UTC(), Sub: uint32(part("i"))}, nil
}

// binary has three forms.
func binary(d *Document) (Value, error) {
	if d.Names[0] == "$uuid" {
		text, _ := d.Values[0].Value.(string)
		b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
		return Value{Type: Binary, Value: b, Sub: 4}, err
	}
	bytes, _ := d.Get("$binary")
	kind, _ := d.Get("$type")
	if inner, ok := bytes.Value.(*Document); ok {
		bytes, _ = inner.Get("base64")
		kind, _ = inner.Get("subType")
	}
	text, ok := bytes.Value.(string)
	if !ok {
		return Value{Type: Doc, Value: d}, nil // a document that looks like one, such as of a query
	}
	sub, _ := kind.Value.(string)
	n, err := strconv.ParseUint(sub, 16, 32)
	if err != nil && sub != "" {
		return Value{}, err
	}
	b, err := base64.StdEncoding.DecodeString(text)
	return Value{Type: Binary, Value: b, Sub: uint32(n)}, err
}
