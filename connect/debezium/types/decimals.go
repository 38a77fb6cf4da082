package types

import (
	"strconv"

	"github.com/pabal-dev/pabal/connect/data"
)

// Schema is a new one of numbers of so many digits, scale of them after the point.
func (m DecimalMode) Schema(precision, scale int) *data.Schema {
	switch m {
	case StringDecimals:
		return data.Of(data.String)
	case DoubleDecimals:
		return data.Of(data.Float64)
	}
	s := data.DecimalSchema(scale)
	s.Parameters = append(s.Parameters, data.Parameter{Name: "connect.decimal.precision", Value: strconv.Itoa(precision)})
	return s
}

// Value of the schema. The error is that precise numbers have more digits after the point than the
// schema.
func (m DecimalMode) Value(d data.Decimal, scale int) (any, error) {
	switch m {
	case StringDecimals:
		return d.String(), nil
	case DoubleDecimals:
		f, _ := strconv.ParseFloat(d.String(), 64) // at worst infinite, as in Java
		return f, nil
	}
	return d.WithScale(scale)
}
