package codec

import (
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"github.com/twmb/avro"
)

// step of a plan writes what is at an address.
type step func(dst []byte, at unsafe.Pointer) ([]byte, error)

// errUnplanned is for a value that a plan does not write: the library does, or has the error.
var errUnplanned = errors.New("not for a plan")

// newPlan is how values of t are written in a schema, several times faster than the library does and to
// the same bytes, but for a string that is a union of a UUID of 16 bytes and a string: the library has any
// as the string, a plan has a UUID as its bytes. It is nil for what only the library can write.
func newPlan(t reflect.Type, s *avro.Schema) step {
	if t == nil {
		return nil
	}
	p := planner{named: map[string]*avro.SchemaNode{}, within: map[reflect.Type]bool{}}
	root := s.Root()
	p.collect(root, 0)
	return p.step(t, root, 0)
}

// fixedWidth appends numbers of Avro that have one.
var fixedWidth = binary.LittleEndian

func (p planner) step(t reflect.Type, n *avro.SchemaNode, depth int) step {
	n = p.node(n)
	if depth > deepest {
		return nil
	}
	if t == reflect.TypeFor[time.Time]() {
		return timeStep(n)
	}
	if t.NumMethod() > 0 || reflect.PointerTo(t).NumMethod() > 0 {
		return nil // it may say itself how it is written
	}
	switch n.Type {
	case "record":
		return p.record(t, n, depth)
	case "array":
		return p.array(t, n, depth)
	case "union":
		return p.union(t, n, depth)
	case "enum":
		return enumStep(t, n)
	}
	if n.LogicalType != "" {
		return nil
	}
	return plain[pair{t.Kind(), n.Type}]
}

type pair struct {
	kind reflect.Kind
	avro string
}

var plain = map[pair]step{
	{reflect.String, "string"}: func(dst []byte, at unsafe.Pointer) ([]byte, error) {
		return appendText(dst, *(*string)(at)), nil
	},
	{reflect.Int64, "long"}: func(dst []byte, at unsafe.Pointer) ([]byte, error) {
		return binary.AppendVarint(dst, *(*int64)(at)), nil
	},
	{reflect.Int, "long"}: func(dst []byte, at unsafe.Pointer) ([]byte, error) {
		return binary.AppendVarint(dst, int64(*(*int)(at))), nil
	},
	{reflect.Int32, "int"}: func(dst []byte, at unsafe.Pointer) ([]byte, error) {
		return binary.AppendVarint(dst, int64(*(*int32)(at))), nil
	},
	{reflect.Int32, "long"}: func(dst []byte, at unsafe.Pointer) ([]byte, error) {
		return binary.AppendVarint(dst, int64(*(*int32)(at))), nil
	},
	{reflect.Bool, "boolean"}: func(dst []byte, at unsafe.Pointer) ([]byte, error) {
		if *(*bool)(at) {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	},
	{reflect.Float64, "double"}: func(dst []byte, at unsafe.Pointer) ([]byte, error) {
		return fixedWidth.AppendUint64(dst, math.Float64bits(*(*float64)(at))), nil
	},
	{reflect.Float32, "float"}: func(dst []byte, at unsafe.Pointer) ([]byte, error) {
		return fixedWidth.AppendUint32(dst, math.Float32bits(*(*float32)(at))), nil
	},
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendVarint(dst, int64(len(text))), text...)
}

func timeStep(n *avro.SchemaNode) step {
	if n.Type != "long" || n.LogicalType != "timestamp-micros" && n.LogicalType != "timestamp-millis" {
		return nil
	}
	micros := n.LogicalType == "timestamp-micros"
	return func(dst []byte, at unsafe.Pointer) ([]byte, error) {
		t := (*time.Time)(at)
		if year := t.Year(); year < 1 || year > 9999 {
			return dst, errUnplanned
		}
		if micros {
			return binary.AppendVarint(dst, t.UnixMicro()), nil
		}
		return binary.AppendVarint(dst, t.UnixMilli()), nil
	}
}

func enumStep(t reflect.Type, n *avro.SchemaNode) step {
	if t.Kind() != reflect.String {
		return nil
	}
	symbols := slices.Clone(n.Symbols)
	return func(dst []byte, at unsafe.Pointer) ([]byte, error) {
		i := slices.Index(symbols, *(*string)(at))
		if i < 0 {
			return dst, errUnplanned
		}
		return binary.AppendVarint(dst, int64(i)), nil
	}
}
