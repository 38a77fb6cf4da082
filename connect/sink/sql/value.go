package sql

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

// encode a value as text that PostgreSQL reads as the column's type; of a column of bytes it is
// the bytes. nil is NULL.
func encode(s *data.Schema, v any, t columnType) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	if b, ok := v.([]byte); ok && t == bytea && s.Name != types.BitsName {
		if b == nil {
			b = []byte{}
		}
		return b, nil
	}
	text, err := textOf(s, v, t.base())
	return []byte(text), err
}

const bytea columnType = "bytea"

func wrong(s *data.Schema, v any) error {
	name := s.Name
	if name == "" {
		name = s.Type.String()
	}
	return fmt.Errorf("a %T is no value of %s", v, name)
}

// textOf a value that is not nil; base is the column's type.
func textOf(s *data.Schema, v any, base string) (string, error) {
	if times, ok := timeTexts[s.Name]; ok {
		if n, ok := integer(v); ok {
			return times(n), nil
		}
		return "", wrong(s, v)
	}
	switch s.Name {
	case data.DateName, data.TimeName, data.TimestampName:
		return connectTime(s, v)
	case types.BitsName:
		return bits(s, v)
	case types.VariableScaleDecimalName, types.PointName, types.GeometryName, types.GeographyName, types.SparseDoubleVectorName:
		if value, ok := v.(*data.Struct); ok {
			return structText(s, value, base)
		}
		return "", wrong(s, v)
	case types.DoubleVectorName, types.FloatVectorName:
		if strings.HasSuffix(base, "[]") || base == "json" || base == "jsonb" {
			break
		}
		return vectorText(v)
	case types.JSONName:
		if text, ok := v.(string); ok && base == "hstore" {
			return hstoreOfJSON(text)
		}
	}
	return plainText(s, v, base)
}

func plainText(s *data.Schema, v any, base string) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return boolText(v, base), nil
	case float32:
		return number(float64(v), 32), nil
	case float64:
		return number(v, 64), nil
	case []byte:
		return `\x` + hex.EncodeToString(v), nil
	case data.Decimal:
		return v.String(), nil
	case []any:
		if !strings.HasSuffix(base, "[]") {
			return jsonText(s, v)
		}
		return arrayText(s, v, strings.TrimSuffix(base, "[]"))
	case *data.Map:
		if base == "hstore" {
			return hstoreText(v)
		}
		return jsonText(s, v)
	case *data.Struct:
		return jsonText(s, v)
	}
	if n, ok := integer(v); ok {
		return strconv.FormatInt(n, 10), nil
	}
	return "", wrong(s, v)
}

// boolText is a number where the column takes numbers or bits.
func boolText(v bool, base string) string {
	switch base {
	case "smallint", "integer", "bigint", "numeric", "real", "double precision", "bit", "bit varying":
		if v {
			return "1"
		}
		return "0"
	}
	return strconv.FormatBool(v)
}

func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	}
	return 0, false
}

func number(f float64, size int) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(f, 'g', -1, size)
}

var plainJSON converter.JSON

func jsonText(s *data.Schema, v any) (string, error) {
	b, err := plainJSON.Encode("", s, v)
	return string(b), err
}

// arrayText is an array's in PostgreSQL's own form.
func arrayText(s *data.Schema, all []any, base string) (string, error) {
	element := s.Value
	var b strings.Builder
	b.WriteByte('{')
	for i, v := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		if v == nil {
			b.WriteString("NULL")
			continue
		}
		one := element
		if one == nil {
			t, ok := data.TypeOfValue(v)
			if !ok {
				return "", wrong(s, v)
			}
			one = data.Of(t)
		}
		text, err := textOf(one, v, base)
		if err != nil {
			return "", fmt.Errorf("element %d: %w", i, err)
		}
		writeQuoted(&b, text)
	}
	b.WriteByte('}')
	return b.String(), nil
}

func writeQuoted(b *strings.Builder, text string) {
	b.WriteByte('"')
	for i := range len(text) {
		if text[i] == '"' || text[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	b.WriteByte('"')
}

// connectTime is one of Kafka Connect's own logical types.
func connectTime(s *data.Schema, v any) (string, error) {
	at, ok := v.(time.Time)
	switch {
	case !ok:
		return "", wrong(s, v)
	case s.Name == data.DateName:
		return date(at), nil
	case s.Name == data.TimeName:
		return at.UTC().Format(clock), nil
	}
	return timestamp(at), nil
}
