package standard

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
)

// castValue makes a value one of another type, as Java's casts do: integers lose their upper bits,
// floats what is behind the point.
func castValue(s *data.Schema, value any, to data.Type) (any, error) {
	if value == nil {
		return nil, nil
	}
	from, ok := data.TypeOfValue(value)
	if s != nil {
		from, ok = s.Type, true
	}
	if !ok {
		return nil, fmt.Errorf("Cast transformation was passed a value of type %T which is not supported by Connect's data API", value) //nolint:staticcheck // Kafka Connect's own words
	}
	if from > data.Bytes {
		return nil, fmt.Errorf("Cast transformation does not support casting from %s; supported types are [INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]", enumName(from)) //nolint:staticcheck // see above
	}
	if to == data.String {
		return converter.FormatText(value)
	}
	if t, ok := value.(time.Time); ok && s != nil {
		value = encoded(s.Name, t)
	}
	if text, ok := value.(string); ok {
		return castText(text, to)
	}
	return castNumber(value, to)
}

const dayMillis = 24 * 60 * 60 * 1000

// encoded is the number that a time of a logical type stands for.
func encoded(name string, t time.Time) any {
	ms := t.UnixMilli()
	switch name {
	case data.DateName:
		return int32(math.Floor(float64(ms) / dayMillis))
	case data.TimeName:
		return int32(ms)
	}
	return ms
}

func castText(text string, to data.Type) (v any, err error) {
	switch to {
	case data.Boolean:
		return strings.EqualFold(text, "true"), nil
	case data.Float32, data.Float64:
		v, err = parseJavaFloat(text, to)
	default:
		var n int64
		n, err = strconv.ParseInt(text, 10, bitsOf[to])
		v = integer(n, to)
	}
	if err != nil {
		return nil, fmt.Errorf("Value (%s) was out of range for requested data type", text) //nolint:staticcheck // see above
	}
	return v, nil
}

var bitsOf = map[data.Type]int{data.Int8: 8, data.Int16: 16, data.Int32: 32, data.Int64: 64}

// parseJavaFloat reads as Double.parseDouble: white space around it and a last f or d are let be,
// and what is too large is infinite.
func parseJavaFloat(text string, to data.Type) (any, error) {
	trimmed := strings.TrimSpace(text)
	if bare := strings.TrimRight(trimmed, "fFdD"); len(trimmed)-len(bare) == 1 && !strings.ContainsAny(bare, "xXyN") {
		trimmed = bare
	}
	if strings.ContainsAny(trimmed, "_iI") && strings.TrimLeft(trimmed, "+-") != "Infinity" {
		return nil, strconv.ErrSyntax
	}
	bits := 64
	if to == data.Float32 {
		bits = 32
	}
	f, err := strconv.ParseFloat(trimmed, bits)
	if math.IsInf(f, 0) {
		err = nil
	}
	if bits == 32 {
		return float32(f), err
	}
	return f, err
}

// castNumber takes booleans as 1 and 0.
func castNumber(value any, to data.Type) (any, error) {
	var n int64
	var f float64
	switch v := value.(type) {
	case bool:
		if v {
			n, f = 1, 1
		}
	case int8:
		n, f = int64(v), float64(v)
	case int16:
		n, f = int64(v), float64(v)
	case int32:
		n, f = int64(v), float64(v)
	case int64:
		if to == data.Float32 {
			return float32(v), nil // rounded once
		}
		n, f = v, float64(v)
	case float32:
		f = float64(v)
		n = truncated(f, to)
	case float64:
		f = v
		n = truncated(f, to)
	case data.Decimal:
		f, _ = strconv.ParseFloat(v.String(), 64)
		n = lowBits(v)
	default:
		return nil, fmt.Errorf("Unexpected type in Cast transformation: %T", value) //nolint:staticcheck // see above
	}
	switch to {
	case data.Boolean:
		return n != 0, nil
	case data.Float32:
		return float32(f), nil
	case data.Float64:
		return f, nil
	}
	return integer(n, to), nil
}

// truncated is a float without its fraction; what an int (a long, for that) cannot hold becomes
// the nearest that it can, and NaN 0.
func truncated(f float64, to data.Type) int64 {
	least, most := float64(math.MinInt32), float64(math.MaxInt32)
	if to == data.Int64 || to == data.Boolean {
		least, most = math.MinInt64, math.MaxInt64
	}
	switch {
	case math.IsNaN(f):
		return 0
	case f >= most && most > math.MaxInt32:
		return math.MaxInt64
	}
	return int64(max(least, min(most, f)))
}

func lowBits(d data.Decimal) int64 {
	n := new(big.Int).Set(d.Unscaled)
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(d.Scale, -d.Scale))), nil)
	if d.Scale > 0 {
		n.Quo(n, power)
	} else {
		n.Mul(n, power)
	}
	low := new(big.Int).And(n, new(big.Int).SetUint64(math.MaxUint64)) // in two's complement
	return int64(low.Uint64())
}

func integer(n int64, to data.Type) any {
	switch to {
	case data.Int8:
		return int8(n)
	case data.Int16:
		return int16(n)
	case data.Int32:
		return int32(n)
	}
	return n
}
