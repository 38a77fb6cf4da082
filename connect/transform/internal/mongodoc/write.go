package mongodoc

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text writes a document as canonical extended JSON, indented, as MongoDB's driver for Java does.
func Text(d *Document) string {
	var w writer
	w.document(d)
	return w.String()
}

type writer struct {
	strings.Builder
	indent string
}

func (w *writer) text(s string) {
	w.WriteString(quote(s))
}

// quote escapes what the driver does: all that Java does not call a letter, number, punctuation,
// symbol or space, and what is beyond its 16 bits.
func quote(s string) string {
	b := []byte{'"'}
	for _, r := range s {
		short := strings.IndexRune("\"\\\b\f\n\r\t", r)
		switch {
		case short >= 0:
			b = append(b, '\\', `"\bfnrt`[short])
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		case unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Lo, unicode.N, unicode.Zs, unicode.P, unicode.S):
			b = utf8.AppendRune(b, r)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return string(append(b, '"'))
}

func (w *writer) document(d *Document) {
	outer := w.indent
	w.indent += "  "
	w.WriteByte('{')
	for i, name := range d.Names {
		if i > 0 {
			w.WriteByte(',')
		}
		w.WriteString("\n" + w.indent)
		w.text(name)
		w.WriteString(": ")
		w.value(d.Values[i])
	}
	w.indent = outer
	if len(d.Names) > 0 {
		w.WriteString("\n" + outer)
	}
	w.WriteByte('}')
}

// one field that stands for a type.
func (w *writer) one(name, text string) {
	d := &Document{}
	d.Set(name, Value{Type: String, Value: text})
	w.document(d)
}

func (w *writer) value(v Value) {
	switch x := v.Value.(type) {
	case string:
		switch v.Type {
		case ObjectID:
			w.one("$oid", x)
		case Decimal128:
			w.one("$numberDecimal", x)
		case Code:
			w.one("$code", x)
		default:
			w.text(x)
		}
	case bool:
		w.WriteString(strconv.FormatBool(x))
	case int32:
		w.one("$numberInt", strconv.Itoa(int(x)))
	case int64:
		w.one("$numberLong", strconv.FormatInt(x, 10))
	case float64:
		w.one("$numberDouble", doubleText(x))
	case []byte:
		w.binary(x, v.Sub)
	case time.Time:
		w.time(v.Type, x, v.Sub)
	case [2]string:
		inner := &Document{}
		inner.Set("pattern", Value{Type: String, Value: x[0]})
		inner.Set("options", Value{Type: String, Value: x[1]})
		w.nested("$regularExpression", inner)
	case *Document:
		w.document(x)
	case []Value:
		w.array(x)
	default:
		if v.Type == Undefined {
			d := &Document{}
			d.Set("$undefined", Value{Type: Boolean, Value: true})
			w.document(d)
			return
		}
		w.WriteString("null")
	}
}

// array has each element on a line of its own, as the driver's later versions do.
func (w *writer) array(all []Value) {
	outer := w.indent
	w.indent += "  "
	w.WriteByte('[')
	for i, v := range all {
		if i > 0 {
			w.WriteByte(',')
		}
		w.WriteString("\n" + w.indent)
		w.value(v)
	}
	w.indent = outer
	if len(all) > 0 {
		w.WriteString("\n" + outer)
	}
	w.WriteByte(']')
}

func (w *writer) nested(name string, inner *Document) {
	d := &Document{}
	d.Set(name, Value{Type: Doc, Value: inner})
	w.document(d)
}

func (w *writer) binary(b []byte, sub uint32) {
	inner := &Document{}
	inner.Set("base64", Value{Type: String, Value: base64.StdEncoding.EncodeToString(b)})
	inner.Set("subType", Value{Type: String, Value: fmt.Sprintf("%02X", sub)})
	w.nested("$binary", inner)
}

func (w *writer) time(t Type, at time.Time, counter uint32) {
	if t == DateTime {
		d := &Document{}
		d.Set("$date", Value{Type: Int64, Value: at.UnixMilli()})
		w.document(d)
		return
	}
	// The driver writes these two as plain numbers.
	outer := w.indent
	w.indent += "  "
	w.WriteString("{\n" + w.indent + `"$timestamp": {` + "\n" + w.indent + `  "t": ` + strconv.FormatInt(at.Unix(), 10) + ",\n" +
		w.indent + `  "i": ` + strconv.FormatUint(uint64(counter), 10) + "\n" + w.indent + "}\n" + outer + "}")
	w.indent = outer
}

// doubleText is as Java writes doubles.
func doubleText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	if abs := math.Abs(f); f == 0 || abs >= 1e-3 && abs < 1e7 {
		text := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, 64), "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return mantissa + "E" + strconv.Itoa(n)
}
