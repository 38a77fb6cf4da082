package converter

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/internal/dateformat"
)

// How Kafka Connect writes times as text.
var (
	timeFormat      = mustFormat("HH:mm:ss.SSS'Z'")
	dateFormat      = mustFormat("yyyy-MM-dd")
	timestampFormat = mustFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")
)

func mustFormat(pattern string) *dateformat.Format {
	f, err := dateformat.Parse(pattern)
	if err != nil {
		panic(err)
	}
	return f
}

// FormatText writes any value as Kafka Connect's org.apache.kafka.connect.data.Values does, which
// SimpleHeaderConverter and transforms use: text as it is, bytes in base64, lists and maps almost
// as JSON, times in ISO 8601.
func FormatText(value any) (string, error) {
	b, err := appendPlain(nil, value, false)
	return string(b), err
}

// appendPlain puts strings in quotes within others.
func appendPlain(b []byte, value any, within bool) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		if !within {
			return append(b, v...), nil
		}
		return append(append(append(b, '"'), plainEscapes.Replace(v)...), '"'), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case []byte:
		return appendPlain(b, base64.StdEncoding.EncodeToString(v), within)
	case data.Decimal:
		return append(b, decimalText(v)...), nil
	case time.Time:
		return append(b, formatOf(v).Text(v)...), nil
	case float32:
		return appendJavaFloat(b, float64(v), 32), nil
	case float64:
		return appendJavaFloat(b, v, 64), nil
	case []any:
		return appendPlainList(b, v)
	case *data.Map:
		return appendPlainEntries(b, v.Keys, v.Values)
	case *data.Struct:
		keys, values := make([]any, len(v.Values)), make([]any, len(v.Values))
		for i, f := range v.Schema.Fields {
			if keys[i], values[i] = f.Name, v.Values[i]; values[i] == nil {
				values[i] = f.Schema.Default
			}
		}
		return appendPlainEntries(b, keys, values)
	case int8, int16, int32, int64:
		return fmt.Append(b, v), nil
	}
	return nil, fmt.Errorf("%w: %T has no text", data.ErrData, value)
}

var plainEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func appendPlainList(b []byte, list []any) (_ []byte, err error) {
	b = append(b, '[')
	for i, e := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendPlain(b, e, true); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendPlainEntries(b []byte, keys, values []any) (_ []byte, err error) {
	b = append(b, '{')
	for i := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendPlain(b, keys[i], true); err != nil {
			return nil, err
		}
		if b, err = appendPlain(append(b, ':'), values[i], true); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// formatOf chooses by the value, as Kafka Connect does: the first day of 1970 has times only, and
// midnights are dates.
func formatOf(t time.Time) *dateformat.Format {
	switch ms := t.UnixMilli(); {
	case ms < day:
		return timeFormat
	case ms%day == 0:
		return dateFormat
	}
	return timestampFormat
}

func appendJavaFloat(b []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		quoted := appendFloat(nil, f, bits)
		return append(b, quoted[1:len(quoted)-1]...)
	}
	return appendFloat(b, f, bits)
}

// decimalText is as Java's BigDecimal writes: small numbers and negative scales have an exponent.
func decimalText(d data.Decimal) string {
	digits := d.Unscaled.String()
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	adjusted := len(digits) - 1 - d.Scale
	if d.Scale >= 0 && adjusted >= -6 {
		return d.String()
	}
	text := sign + digits[:1]
	if len(digits) > 1 {
		text += "." + digits[1:]
	}
	if adjusted != 0 {
		text += fmt.Sprintf("E%+d", adjusted)
	}
	return text
}
