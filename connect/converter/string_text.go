package converter

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
)

// appendToString writes as Java's toString does, which StringConverter uses. Bytes, of which that
// shows an address only, are in base64.
func appendToString(b []byte, value any) (_ []byte, err error) {
	switch v := value.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		return append(b, v...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int8, int16, int32, int64:
		return fmt.Append(b, v), nil
	case float32:
		return appendJavaFloat(b, float64(v), 32), nil
	case float64:
		return appendJavaFloat(b, v, 64), nil
	case []byte:
		return base64.StdEncoding.AppendEncode(b, v), nil
	case data.Decimal:
		return append(b, decimalText(v)...), nil
	case time.Time:
		return v.UTC().AppendFormat(b, "Mon Jan 02 15:04:05 UTC 2006"), nil
	case []any:
		return appendListString(b, v)
	case *data.Map:
		return appendMapString(b, v)
	case *data.Struct:
		return appendStructString(b, v)
	}
	return nil, fmt.Errorf("%w: %T has no text", data.ErrData, value)
}

func appendListString(b []byte, list []any) (_ []byte, err error) {
	b = append(b, '[')
	for i, e := range list {
		if i > 0 {
			b = append(b, ", "...)
		}
		if b, err = appendToString(b, e); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendMapString(b []byte, m *data.Map) (_ []byte, err error) {
	b = append(b, '{')
	for i, key := range m.Keys {
		if i > 0 {
			b = append(b, ", "...)
		}
		if b, err = appendToString(b, key); err != nil {
			return nil, err
		}
		if b, err = appendToString(append(b, '='), m.Values[i]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// appendStructString leaves out fields that are nil, as Kafka Connect does.
func appendStructString(b []byte, s *data.Struct) (_ []byte, err error) {
	if len(s.Values) != len(s.Schema.Fields) {
		return nil, data.Validate(s.Schema, s)
	}
	b = append(b, "Struct{"...)
	first := true
	for i, v := range s.Values {
		if v == nil {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(b, s.Schema.Fields[i].Name...), '=')
		if b, err = appendToString(b, v); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}
