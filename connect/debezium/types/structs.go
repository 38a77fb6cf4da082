package types

import (
	"encoding/binary"
	"math"

	"github.com/pabal-dev/pabal/connect/data"
)

// VariableScaleDecimal is a number with as many digits after the point as each value has.
func VariableScaleDecimal() *data.Schema {
	return named(VariableScaleDecimalName, "Variable scaled decimal",
		data.Field{Name: "scale", Schema: data.Of(data.Int32)},
		data.Field{Name: "value", Schema: data.Of(data.Bytes)})
}

// VariableScaleDecimalOf d, in a schema that VariableScaleDecimal made.
func VariableScaleDecimalOf(s *data.Schema, d data.Decimal) *data.Struct {
	return &data.Struct{Schema: s, Values: []any{int32(d.Scale), d.Bytes()}}
}

// Point is x and y, and the same as a well-known binary.
func Point() *data.Schema {
	return named(PointName, "Geometry (POINT)",
		data.Field{Name: "x", Schema: data.Of(data.Float64)},
		data.Field{Name: "y", Schema: data.Of(data.Float64)},
		data.Field{Name: "wkb", Schema: data.OptionalOf(data.Bytes)},
		data.Field{Name: "srid", Schema: data.OptionalOf(data.Int32)})
}

// PointOf x and y, in a schema that Point made.
func PointOf(s *data.Schema, x, y float64) *data.Struct {
	wkb := []byte{1, 1, 0, 0, 0} // little-endian, a point
	wkb = binary.LittleEndian.AppendUint64(wkb, math.Float64bits(x))
	wkb = binary.LittleEndian.AppendUint64(wkb, math.Float64bits(y))
	return &data.Struct{Schema: s, Values: []any{x, y, wkb, nil}}
}

// Geometry is a well-known binary with a spatial reference system; it is always optional.
func Geometry() *data.Schema { return shape(GeometryName, "Geometry").AsOptional() }

// Geography is like Geometry, on a globe.
func Geography() *data.Schema { return shape(GeographyName, "Geography") }

func shape(name, doc string) *data.Schema {
	return named(name, doc,
		data.Field{Name: "wkb", Schema: data.Of(data.Bytes)},
		data.Field{Name: "srid", Schema: data.OptionalOf(data.Int32)})
}

// DoubleVector is an array of float64.
func DoubleVector() *data.Schema { return vector(DoubleVectorName, data.Float64) }

// FloatVector is an array of float32.
func FloatVector() *data.Schema { return vector(FloatVectorName, data.Float32) }

func vector(name string, element data.Type) *data.Schema {
	s := data.Named(data.Array, name)
	s.Value = data.Of(element)
	return s
}

// SparseDoubleVector is the number of dimensions and those that are not zero.
func SparseDoubleVector() *data.Schema {
	return named(SparseDoubleVectorName, "Sparse double vector",
		data.Field{Name: "dimensions", Schema: data.Of(data.Int16)},
		data.Field{Name: "vector", Schema: &data.Schema{Type: data.MapType, Key: data.Of(data.Int16), Value: data.Of(data.Float64)}})
}

func named(name, doc string, fields ...data.Field) *data.Schema {
	s := data.StructOf(name, fields...)
	s.Version, s.Doc = 1, doc
	return s
}
