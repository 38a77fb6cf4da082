package mongodoc

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

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
