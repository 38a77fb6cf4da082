package values

import (
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

// ErrValue is wrapped by errors about values that do not fit their column's type.
var ErrValue = errors.New("the value does not fit the column's type")

// Options say how values are written.
type Options struct {
	Decimal types.DecimalMode
	Time    types.TimeMode
	Binary  types.BinaryMode
	// PreciseBigints are unsigned ones as decimals.
	PreciseBigints bool
}

// Codec of a column's values. The functions take what the driver returns: integers, floats, text
// and bytes, never nil. What they return keeps none of it.
type Codec struct {
	Schema *data.Schema
	// Fallback stands for a value of a column without nulls that has none.
	Fallback any
	// Row reads a value of the binary log, Query one of a query's result.
	Row, Query func(v any) (any, error)
}

func same(s *data.Schema, fallback any, f func(v any) (any, error)) *Codec {
	return &Codec{Schema: s, Fallback: fallback, Row: f, Query: f}
}

// New codec of a column; nil where there is no schema for its type.
func (o Options) New(c *Column) *Codec {
	switch c.Type {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		return o.integer(c)
	case "year":
		return same(types.Of(types.YearName), int32(0), func(v any) (any, error) {
			n, err := whole(v)
			return int32(n), err
		})
	case "decimal":
		return o.decimal(c)
	case "float", "double":
		return floats(c)
	case "bit":
		return bits(c)
	case "date", "datetime", "timestamp", "time":
		return o.times(c)
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
		return texts(c)
	case "json":
		s := types.Of(types.JSONName)
		return same(s, "{}", func(v any) (any, error) { return text(v) })
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		return o.bytes(c)
	case "enum":
		return enum(c)
	case "set":
		return set(c)
	case "point":
		return points()
	case "geometry", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return geometries()
	case "uuid", "inet6", "inet4":
		return addresses(c)
	case "vector":
		return vectors()
	}
	return nil
}

func wrong(v any) error { return fmt.Errorf("%w: it is of the type %T", ErrValue, v) }

// text of a value.
func text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	case int64, uint64, float64, float32, int, int32:
		return fmt.Sprint(v), nil
	}
	return "", wrong(v)
}

func raw(v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return []byte(v), nil
	case []byte:
		return append([]byte{}, v...), nil
	}
	return nil, wrong(v)
}
