package values

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

var widths = map[string]int{"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}

func (o Options) integer(c *Column) *Codec {
	width := widths[c.Type]
	read := func(v any) (int64, error) {
		n, err := whole(v)
		if c.Unsigned && n < 0 && width < 64 {
			n += 1 << width // the binary log does not always tell the sign
		}
		return n, err
	}
	switch {
	case width == 64 && c.Unsigned && o.PreciseBigints:
		zero, _ := data.ParseDecimal("0")
		return same(types.PreciseDecimals.Schema(20, 0), zero, func(v any) (any, error) {
			n, err := whole(v)
			if err != nil {
				return nil, err
			}
			return data.ParseDecimal(strconv.FormatUint(uint64(n), 10))
		})
	case width == 64, width == 32 && c.Unsigned:
		return same(data.Of(data.Int64), int64(0), func(v any) (any, error) { n, err := read(v); return n, err })
	case width >= 24, width == 16 && c.Unsigned:
		return same(data.Of(data.Int32), int32(0), func(v any) (any, error) { n, err := read(v); return int32(n), err })
	}
	return same(data.Of(data.Int16), int16(0), func(v any) (any, error) { n, err := read(v); return int16(n), err })
}

// whole number; large unsigned ones become negative.
func whole(v any) (int64, error) {
	switch n := v.(type) {
	case int8:
		return int64(n), nil
	case int16:
		return int64(n), nil
	case int32:
		return int64(n), nil
	case int64:
		return n, nil
	case int:
		return int64(n), nil
	case uint8:
		return int64(n), nil
	case uint16:
		return int64(n), nil
	case uint32:
		return int64(n), nil
	case uint64:
		return int64(n), nil
	}
	s, err := text(v)
	if err != nil {
		return 0, err
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return int64(n), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > math.MaxInt64 {
		return 0, fmt.Errorf("%w: %q is no whole number", ErrValue, s)
	}
	return int64(math.Round(f)), nil
}

func (o Options) decimal(c *Column) *Codec {
	digits, scale := c.Length, max(c.Scale, 0)
	if digits < 0 {
		digits = 10
	}
	read := func(v any) (any, error) {
		s, err := text(v)
		if err != nil {
			return nil, err
		}
		d, err := data.ParseDecimal(s)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrValue, err)
		}
		return o.Decimal.Value(d, scale)
	}
	zero, _ := read("0")
	return same(o.Decimal.Schema(digits, scale), zero, read)
}

func floats(c *Column) *Codec {
	read := func(v any) (float64, error) {
		switch v := v.(type) {
		case float32:
			return float64(v), nil
		case float64:
			return v, nil
		}
		s, err := text(v)
		if err != nil {
			return 0, err
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0, fmt.Errorf("%w: %q is no number", ErrValue, s)
		}
		return f, nil
	}
	if c.Type == "float" && c.Scale == Unset && c.Length <= 24 {
		return same(data.Of(data.Float32), float32(0), func(v any) (any, error) { f, err := read(v); return float32(f), err })
	}
	return same(data.Of(data.Float64), float64(0), func(v any) (any, error) { f, err := read(v); return f, err })
}

func bits(c *Column) *Codec {
	length := max(c.Length, 1)
	number := func(v any) (uint64, error) {
		if n, ok := v.(int64); ok {
			return uint64(n), nil
		}
		b, err := raw(v)
		if err != nil || len(b) > 8 {
			return 0, wrong(v)
		}
		var wide [8]byte
		copy(wide[8-len(b):], b)
		return binary.BigEndian.Uint64(wide[:]), nil
	}
	if length == 1 {
		return same(data.Of(data.Boolean), false, func(v any) (any, error) { n, err := number(v); return n != 0, err })
	}
	size := (length + 7) / 8
	return same(types.Bits(length), make([]byte, size), func(v any) (any, error) {
		n, err := number(v)
		return binary.LittleEndian.AppendUint64(nil, n)[:size:size], err
	})
}
