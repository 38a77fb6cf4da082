package sql

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

// bits are Debezium's, the lowest in the first byte, as a string of bits.
func bits(s *data.Schema, v any) (string, error) {
	b, ok := v.([]byte)
	if !ok {
		return "", wrong(s, v)
	}
	text, _ := s.Parameter("length")
	length, err := strconv.Atoi(text)
	if err != nil || length <= 0 || length > 8*len(b) {
		length = 8 * len(b)
	}
	out := make([]byte, length)
	for i := range length {
		out[length-1-i] = '0' + b[i/8]>>(i%8)&1
	}
	return string(out), nil
}

// structText of Debezium's types that are structs.
func structText(s *data.Schema, v *data.Struct, base string) (string, error) {
	switch s.Name {
	case types.VariableScaleDecimalName:
		scale, ok := integer(v.Get("scale"))
		unscaled, ok2 := v.Get("value").([]byte)
		if !ok || !ok2 {
			return "", wrong(s, v)
		}
		return data.DecimalOf(unscaled, int(scale)).String(), nil
	case types.SparseDoubleVectorName:
		return sparseText(s, v)
	case types.PointName:
		x, ok := v.Get("x").(float64)
		y, ok2 := v.Get("y").(float64)
		if ok && ok2 && base != "geometry" && base != "geography" {
			return "(" + number(x, 64) + "," + number(y, 64) + ")", nil
		}
	}
	wkb, ok := v.Get("wkb").([]byte)
	if !ok {
		return "", wrong(s, v)
	}
	if base == "bytea" {
		return `\x` + hex.EncodeToString(wkb), nil
	}
	srid, hasSRID := integer(v.Get("srid"))
	return extended(wkb, srid, hasSRID)
}

// sridFlag in the type of a geometry says that its reference system follows.
const sridFlag = 0x20000000

// extended is PostGIS's form of a well-known binary: with the number of its reference system in it.
func extended(wkb []byte, srid int64, has bool) (string, error) {
	if len(wkb) < 5 || wkb[0] > 1 {
		return "", errors.New("a geometry's binary is cut short")
	}
	var order binary.AppendByteOrder = binary.BigEndian
	shape := binary.BigEndian.Uint32(wkb[1:])
	if wkb[0] == 1 {
		order, shape = binary.LittleEndian, binary.LittleEndian.Uint32(wkb[1:])
	}
	if !has || shape&sridFlag != 0 {
		return hex.EncodeToString(wkb), nil
	}
	out := order.AppendUint32([]byte{wkb[0]}, shape|sridFlag)
	out = order.AppendUint32(out, uint32(srid))
	return hex.EncodeToString(append(out, wkb[5:]...)), nil
}

// vectorText is a vector of the extension pgvector.
func vectorText(v any) (string, error) {
	all, ok := v.([]any)
	if !ok {
		return "", fmt.Errorf("a %T is no vector", v)
	}
	var b strings.Builder
	for i, one := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		switch n := one.(type) {
		case float32:
			b.WriteString(number(float64(n), 32))
		case float64:
			b.WriteString(number(n, 64))
		default:
			return "", fmt.Errorf("element %d: a %T is no number of a vector", i, one)
		}
	}
	return "[" + b.String() + "]", nil
}

// sparseText counts from 1, as pgvector does.
func sparseText(s *data.Schema, v *data.Struct) (string, error) {
	dimensions, ok := integer(v.Get("dimensions"))
	entries, ok2 := v.Get("vector").(*data.Map)
	if !ok || !ok2 {
		return "", wrong(s, v)
	}
	parts := make([]string, len(entries.Keys))
	for i, key := range entries.Keys {
		at, ok := integer(key)
		value, ok2 := entries.Values[i].(float64)
		if !ok || !ok2 {
			return "", wrong(s, v)
		}
		parts[i] = strconv.FormatInt(at, 10) + ":" + number(value, 64)
	}
	return "{" + strings.Join(parts, ",") + "}/" + strconv.FormatInt(dimensions, 10), nil
}

// hstoreText of a map whose keys and values are text.
func hstoreText(m *data.Map) (string, error) {
	var b strings.Builder
	for i, key := range m.Keys {
		if i > 0 {
			b.WriteByte(',')
		}
		name, ok := key.(string)
		if !ok {
			return "", fmt.Errorf("a key is %v, and hstore takes text only", key)
		}
		writeQuoted(&b, name)
		b.WriteString("=>")
		switch value := m.Values[i].(type) {
		case nil:
			b.WriteString("NULL")
		case string:
			writeQuoted(&b, value)
		default:
			return "", fmt.Errorf("the value of %s is a %T, and hstore takes text only", name, value)
		}
	}
	return b.String(), nil
}

func hstoreOfJSON(text string) (string, error) {
	_, v, err := (&converter.JSON{}).Decode("", []byte(text))
	if err != nil {
		return "", err
	}
	m, ok := v.(*data.Map)
	if !ok {
		return "", fmt.Errorf("%.60q is no object of JSON, as hstore is written", text)
	}
	return hstoreText(m)
}
