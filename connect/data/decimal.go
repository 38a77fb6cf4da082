package data

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Decimal is Unscaled / 10^Scale.
type Decimal struct {
	Unscaled *big.Int
	Scale    int
}

// maxScale bounds exponents, which could make short text a number of gigabytes.
const maxScale = 1 << 15

// DecimalSchema is Kafka Connect's of decimals of one scale.
func DecimalSchema(scale int) *Schema {
	s := Named(Bytes, DecimalName)
	s.Parameters = []Parameter{{"scale", strconv.Itoa(scale)}}
	return s
}

// ParseDecimal reads digits with an optional sign, point and exponent, as databases write them.
// The scale is as many digits as follow the point.
func ParseDecimal(text string) (Decimal, error) {
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		n, err := strconv.Atoi(text[i+1:])
		if err != nil {
			return Decimal{}, notDecimal(text)
		}
		mantissa, exponent = text[:i], n
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "+-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" || strings.ContainsAny(fraction, "+-") {
		return Decimal{}, notDecimal(text)
	}
	unscaled, ok := new(big.Int).SetString(whole+fraction, 10)
	scale := len(fraction) - exponent
	if !ok || scale > maxScale || scale < -maxScale {
		return Decimal{}, notDecimal(text)
	}
	return Decimal{unscaled, scale}, nil
}

func notDecimal(text string) error {
	const most = 60
	if len(text) > most {
		text = text[:most] + "…"
	}
	return fmt.Errorf("%w: %q is no decimal number", ErrData, text)
}

// WithScale is the same number with another scale. Digits that it has no room for are an error,
// except for zeros.
func (d Decimal) WithScale(scale int) (Decimal, error) {
	if scale == d.Scale {
		return d, nil
	}
	if scale > d.Scale {
		return Decimal{new(big.Int).Mul(d.Unscaled, power(scale-d.Scale)), scale}, nil
	}
	quotient, rest := new(big.Int).QuoRem(d.Unscaled, power(d.Scale-scale), new(big.Int))
	if rest.Sign() != 0 {
		return Decimal{}, fmt.Errorf("%w: %s has more than %d digits after the point", ErrData, d, scale)
	}
	return Decimal{quotient, scale}, nil
}

func power(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// String is the number in plain digits.
func (d Decimal) String() string {
	text := new(big.Int).Abs(d.Unscaled).String()
	switch {
	case d.Scale < 0 && d.Unscaled.Sign() != 0:
		text += strings.Repeat("0", -d.Scale)
	case d.Scale > 0:
		if missing := d.Scale + 1 - len(text); missing > 0 {
			text = strings.Repeat("0", missing) + text
		}
		text = text[:len(text)-d.Scale] + "." + text[len(text)-d.Scale:]
	}
	if d.Unscaled.Sign() < 0 {
		return "-" + text
	}
	return text
}

// Bytes are those of the unscaled number as Kafka Connect encodes it: big-endian two's
// complement, as short as possible, at least one byte.
func (d Decimal) Bytes() []byte {
	n := d.Unscaled
	if n.Sign() >= 0 {
		b := n.Bytes()
		if len(b) == 0 || b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	// -n-1 has the bits of n, turned.
	b := new(big.Int).Not(n).Bytes()
	if len(b) == 0 || b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	for i := range b {
		b[i] = ^b[i]
	}
	return b
}

// DecimalOf reads what Bytes writes.
func DecimalOf(b []byte, scale int) Decimal {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return Decimal{n, scale}
}
