// Package extjson writes BSON as MongoDB Extended JSON, byte for byte as MongoDB's Java driver
// does: Debezium's records hold documents in this form, and consumers compare and parse them.
package extjson

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// Mode is a dialect of Extended JSON.
type Mode uint8

// Modes, by the names of the Java driver.
const (
	Strict   Mode = iota // version 1: dates as numbers, binary data with "$type"
	Extended             // version 2, canonical: every number with its type
	Relaxed              // version 2: numbers and dates as people read them
)

// Format is how documents are written.
type Format struct {
	Mode Mode
	// Spaced writes a space after commas, as the driver does by itself; Debezium turns it off for
	// whole documents. There is always one after colons.
	Spaced bool
}

// ErrBSON is wrapped by errors about bytes that are no BSON.
var ErrBSON = errors.New("damaged BSON")

// maxDepth is more than the server's limit of 180 levels.
const maxDepth = 250

// Append the document.
func (f Format) Append(dst []byte, doc bson.Raw) ([]byte, error) {
	w := writer{Format: f, out: dst}
	err := w.document(bsoncore.Document(doc), '{', '}', 0)
	return w.out, err
}

// AppendValue writes a value as it would stand in a document.
func (f Format) AppendValue(dst []byte, v bson.RawValue) ([]byte, error) {
	w := writer{Format: f, out: dst}
	err := w.value(bsoncore.Value{Type: bsoncore.Type(v.Type), Data: v.Value}, 0)
	return w.out, err
}

type writer struct {
	Format
	out []byte
}

// document writes an array, too, where it is told so by the brackets.
func (w *writer) document(doc bsoncore.Document, open, end byte, depth int) error {
	length, rest, ok := bsoncore.ReadLength(doc)
	if !ok || int(length) != len(doc) || length < 5 || depth > maxDepth {
		return fmt.Errorf("%w: a document of %d bytes, %d levels deep", ErrBSON, len(doc), depth)
	}
	w.out = append(w.out, open)
	for first := true; rest[0] != 0; first = false {
		if !first {
			w.comma()
		}
		key, value, after, ok := readElement(rest)
		if !ok {
			return fmt.Errorf("%w: an element is cut off", ErrBSON)
		}
		if open == '{' {
			w.text(key)
			w.out = append(w.out, ':', ' ')
		}
		if err := w.value(value, depth); err != nil {
			return err
		}
		rest = after
	}
	w.out = append(w.out, end)
	return nil
}

// readElement leaves at least the byte in rest that ends the document.
func readElement(src []byte) (key []byte, v bsoncore.Value, rest []byte, ok bool) {
	end := bytes.IndexByte(src[1:], 0)
	if end < 0 {
		return nil, v, nil, false
	}
	v, rest, ok = bsoncore.ReadValue(src[end+2:], bsoncore.Type(src[0]))
	return src[1 : end+1], v, rest, ok && len(rest) > 0
}

func (w *writer) comma() {
	w.out = append(w.out, ',')
	if w.Spaced {
		w.out = append(w.out, ' ')
	}
}

func (w *writer) value(v bsoncore.Value, depth int) error {
	if len(v.Data) < fixedSize(v.Type) {
		return fmt.Errorf("%w: a value of type %s is cut off", ErrBSON, v.Type)
	}
	switch v.Type {
	case bsoncore.TypeEmbeddedDocument:
		return w.document(v.Data, '{', '}', depth+1)
	case bsoncore.TypeArray:
		return w.document(v.Data, '[', ']', depth+1)
	case bsoncore.TypeString:
		w.text(stringBytes(v.Data))
	case bsoncore.TypeBoolean:
		w.out = strconv.AppendBool(w.out, v.Data[0] != 0)
	case bsoncore.TypeNull:
		w.raw("null")
	case bsoncore.TypeInt32, bsoncore.TypeInt64, bsoncore.TypeDouble, bsoncore.TypeDecimal128:
		w.number(v)
	case bsoncore.TypeObjectID:
		w.objectID(v.Data)
	case bsoncore.TypeDateTime:
		w.date(v.DateTime())
	case bsoncore.TypeCodeWithScope:
		return w.codeWithScope(v, depth)
	default:
		return w.rare(v)
	}
	return nil
}

func fixedSize(t bsoncore.Type) int {
	switch t {
	case bsoncore.TypeBoolean:
		return 1
	case bsoncore.TypeInt32:
		return 4
	case bsoncore.TypeInt64, bsoncore.TypeDouble, bsoncore.TypeDateTime, bsoncore.TypeTimestamp:
		return 8
	case bsoncore.TypeObjectID:
		return 12
	case bsoncore.TypeDecimal128:
		return 16
	case bsoncore.TypeString, bsoncore.TypeSymbol, bsoncore.TypeJavaScript:
		return 5
	}
	return 0
}

func stringBytes(data []byte) []byte { return data[4 : len(data)-1] }

func (w *writer) number(v bsoncore.Value) {
	switch v.Type {
	case bsoncore.TypeInt32:
		w.integer("$numberInt", int64(v.Int32()), w.Mode == Extended)
	case bsoncore.TypeInt64:
		w.integer("$numberLong", v.Int64(), w.Mode != Relaxed)
	case bsoncore.TypeDouble:
		w.double(v.Double())
	default:
		high, low := v.Decimal128()
		w.wrap("$numberDecimal", bson.NewDecimal128(high, low).String())
	}
}

func (w *writer) integer(name string, n int64, wrapped bool) {
	if !wrapped {
		w.out = strconv.AppendInt(w.out, n, 10)
		return
	}
	w.name(name)
	w.out = append(w.out, '"')
	w.out = strconv.AppendInt(w.out, n, 10)
	w.out = append(w.out, '"', '}')
}

const hexDigits = "0123456789abcdef"

func (w *writer) objectID(id []byte) {
	w.raw(`{"$oid": "`)
	for _, b := range id[:12] {
		w.out = append(w.out, hexDigits[b>>4], hexDigits[b&15])
	}
	w.raw(`"}`)
}

// lastOf9999 is the last millisecond that has an ISO date of four digits.
const lastOf9999 = 253402300799999

func (w *writer) date(ms int64) {
	switch {
	case w.Mode == Strict:
		w.name("$date")
		w.out = strconv.AppendInt(w.out, ms, 10)
	case w.Mode == Relaxed && ms >= 0 && ms <= lastOf9999:
		w.name("$date")
		w.out = append(w.out, '"')
		w.out = time.UnixMilli(ms).UTC().AppendFormat(w.out, "2006-01-02T15:04:05.999Z")
		w.out = append(w.out, '"')
	default:
		w.name("$date")
		w.integer("$numberLong", ms, true)
	}
	w.out = append(w.out, '}')
}

// rare types share one function, off the fast path.
func (w *writer) rare(v bsoncore.Value) error {
	switch v.Type {
	case bsoncore.TypeBinary:
		return w.binary(v)
	case bsoncore.TypeRegex:
		return w.regex(v)
	case bsoncore.TypeTimestamp:
		t, i := v.Timestamp()
		w.raw(`{"$timestamp": {"t": `)
		w.out = strconv.AppendUint(w.out, uint64(t), 10)
		w.comma()
		w.raw(`"i": `)
		w.out = strconv.AppendUint(w.out, uint64(i), 10)
		w.raw(`}}`)
	case bsoncore.TypeMinKey:
		w.raw(`{"$minKey": 1}`)
	case bsoncore.TypeMaxKey:
		w.raw(`{"$maxKey": 1}`)
	case bsoncore.TypeUndefined:
		w.raw(`{"$undefined": true}`)
	case bsoncore.TypeSymbol:
		w.wrap("$symbol", string(stringBytes(v.Data)))
	case bsoncore.TypeJavaScript:
		w.wrap("$code", string(stringBytes(v.Data)))
	case bsoncore.TypeDBPointer:
		return w.dbPointer(v)
	default:
		return fmt.Errorf("%w: there is no type 0x%02x", ErrBSON, byte(v.Type))
	}
	return nil
}

func (w *writer) binary(v bsoncore.Value) error {
	subtype, content, ok := v.BinaryOK()
	if !ok {
		return fmt.Errorf("%w: binary data is cut off", ErrBSON)
	}
	open, kind, end := `{"$binary": {"base64": "`, `"subType": "`, `"}}`
	if w.Mode == Strict {
		open, kind, end = `{"$binary": "`, `"$type": "`, `"}`
	}
	w.raw(open)
	w.out = base64.StdEncoding.AppendEncode(w.out, content)
	w.out = append(w.out, '"')
	w.comma()
	w.raw(kind)
	w.out = fmt.Appendf(w.out, "%02X", subtype)
	w.raw(end)
	return nil
}

func (w *writer) regex(v bsoncore.Value) error {
	pattern, options, ok := v.RegexOK()
	if !ok {
		return fmt.Errorf("%w: a regular expression is cut off", ErrBSON)
	}
	open, second, end := `{"$regularExpression": {"pattern": `, `"options": `, `}}`
	if w.Mode == Strict {
		open, second, end = `{"$regex": `, `"$options": `, `}`
	}
	letters := []byte(options)
	slices.Sort(letters)
	w.raw(open)
	w.text([]byte(pattern))
	w.comma()
	w.raw(second)
	w.text(letters)
	w.raw(end)
	return nil
}

func (w *writer) dbPointer(v bsoncore.Value) error {
	namespace, id, ok := v.DBPointerOK()
	if !ok {
		return fmt.Errorf("%w: a pointer is cut off", ErrBSON)
	}
	end := `}`
	if w.Mode == Extended {
		w.raw(`{"$dbPointer": `)
		end = `}}`
	}
	w.raw(`{"$ref": `)
	w.text([]byte(namespace))
	w.comma()
	w.raw(`"$id": `)
	w.objectID(id[:])
	w.raw(end)
	return nil
}

func (w *writer) codeWithScope(v bsoncore.Value, depth int) error {
	code, scope, ok := v.CodeWithScopeOK()
	if !ok {
		return fmt.Errorf("%w: code with its scope is cut off", ErrBSON)
	}
	w.name("$code")
	w.text([]byte(code))
	w.comma()
	w.raw(`"$scope": `)
	if err := w.document(scope, '{', '}', depth+1); err != nil {
		return err
	}
	w.out = append(w.out, '}')
	return nil
}

func (w *writer) raw(text string) { w.out = append(w.out, text...) }

// name begins an object with one field.
func (w *writer) name(name string) {
	w.raw(`{"`)
	w.raw(name)
	w.raw(`": `)
}

// wrap text into an object with one field.
func (w *writer) wrap(name, text string) {
	w.name(name)
	w.text([]byte(text))
	w.out = append(w.out, '}')
}
