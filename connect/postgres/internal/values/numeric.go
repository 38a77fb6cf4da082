package values

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

// special values of numeric, as Debezium spells them where numbers are text.
var special = map[string]struct {
	text  string
	float float64
}{
	"NaN": {"NAN", math.NaN()}, "Infinity": {"POSITIVE_INFINITY", math.Inf(1)}, "-Infinity": {"NEGATIVE_INFINITY", math.Inf(-1)},
}

func numeric(t *Types, modifier int32) *Codec {
	switch t.options.Decimal {
	case "double":
		return &Codec{Schema: data.Of(data.Float64), Fallback: float64(0), Parse: func(b []byte) (any, error) {
			f, err := strconv.ParseFloat(string(b), 64)
			return f, err
		}}
	case "string":
		return &Codec{Schema: data.Of(data.String), Fallback: "0", Parse: func(b []byte) (any, error) {
			if s, ok := special[string(b)]; ok {
				return s.text, nil
			}
			return string(b), nil
		}}
	}
	if modifier < 4 {
		return variable()
	}
	precision, scale := int(modifier-4)>>16&0xFFFF, int(modifier-4)&0x7FF
	if scale >= 1<<10 {
		scale -= 1 << 11 // negative scales of PostgreSQL 15
	}
	s := data.DecimalSchema(scale)
	s.Parameters = append(s.Parameters, data.Parameter{Name: "connect.decimal.precision", Value: strconv.Itoa(precision)})
	return &Codec{Schema: s, Fallback: data.Decimal{Unscaled: new(big.Int), Scale: scale}, Parse: func(b []byte) (any, error) {
		d, err := decimal(b)
		if err == nil {
			d, err = d.WithScale(scale)
		}
		return d, err
	}}
}

// variable is numeric without a scale.
func variable() *Codec {
	s := types.VariableScaleDecimal()
	return &Codec{Schema: s, Fallback: types.VariableScaleDecimalOf(s, data.Decimal{Unscaled: new(big.Int)}),
		Parse: func(b []byte) (any, error) {
			if bytes.IndexByte(b, '.') >= 0 {
				b = bytes.TrimSuffix(bytes.TrimRight(b, "0"), []byte{'.'})
			}
			d, err := decimal(b)
			if err != nil {
				return nil, err
			}
			return types.VariableScaleDecimalOf(s, d), nil
		}}
}

// decimal of plain digits; numbers that fit an int64 cost little.
func decimal(b []byte) (data.Decimal, error) {
	if len(b) < 18 {
		n, scale, ok := int64(0), 0, true
		digits, negative := b, false
		if len(b) > 0 && b[0] == '-' {
			digits, negative = b[1:], true
		}
		seen := false
		for _, c := range digits {
			switch {
			case c == '.' && !seen:
				seen = true
			case '0' <= c && c <= '9':
				n = n*10 + int64(c-'0')
				if seen {
					scale++
				}
			default:
				ok = false
			}
		}
		if ok && len(digits) > 0 {
			if negative {
				n = -n
			}
			return data.Decimal{Unscaled: big.NewInt(n), Scale: scale}, nil
		}
	}
	if _, ok := special[string(b)]; ok {
		return data.Decimal{}, wrong(b, "number that decimal.handling.mode=precise can write: set it to string or double")
	}
	return data.ParseDecimal(string(b))
}

// money is an amount with the sign of a currency and commas between thousands.
func money(t *Types, _ int32) *Codec {
	digits := t.options.MoneyDigits
	amount := func(b []byte) (data.Decimal, error) {
		plain := strings.Map(func(r rune) rune {
			if '0' <= r && r <= '9' || r == '.' || r == '-' {
				return r
			}
			return -1
		}, string(b))
		if bytes.HasPrefix(b, []byte{'('}) {
			plain = "-" + plain
		}
		return data.ParseDecimal(plain)
	}
	zero := data.Decimal{Unscaled: new(big.Int), Scale: digits}
	switch t.options.Decimal {
	case "double":
		return &Codec{Schema: data.Of(data.Float64), Fallback: float64(0), Parse: func(b []byte) (any, error) {
			d, err := amount(b)
			if err != nil {
				return nil, err
			}
			return strconv.ParseFloat(d.String(), 64)
		}}
	case "string":
		return &Codec{Schema: data.Of(data.String), Fallback: zero.String(), Parse: func(b []byte) (any, error) {
			d, err := amount(b)
			return d.String(), err
		}}
	}
	return &Codec{Schema: data.DecimalSchema(digits), Fallback: zero, Parse: func(b []byte) (any, error) {
		d, err := amount(b)
		if err != nil {
			return nil, err
		}
		return round(d, digits), nil
	}}
}

// round half up, away from zero.
func round(d data.Decimal, scale int) data.Decimal {
	if exact, err := d.WithScale(scale); err == nil {
		return exact
	}
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale-scale)), nil)
	half := new(big.Int).Rsh(power, 1)
	if d.Unscaled.Sign() < 0 {
		half.Neg(half)
	}
	return data.Decimal{Unscaled: half.Quo(half.Add(half, d.Unscaled), power), Scale: scale}
}
