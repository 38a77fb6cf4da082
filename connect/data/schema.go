package data

import (
	"fmt"
	"reflect"
)

// Type is what a schema's values are made of.
type Type uint8

// Types, as in Kafka Connect.
const (
	Int8 Type = iota + 1
	Int16
	Int32
	Int64
	Float32
	Float64
	Boolean
	String
	Bytes
	Array
	MapType
	StructType
)

// typeNames are those of Kafka Connect's JSON schemas.
var typeNames = map[Type]string{
	Int8: "int8", Int16: "int16", Int32: "int32", Int64: "int64", Float32: "float", Float64: "double",
	Boolean: "boolean", String: "string", Bytes: "bytes", Array: "array", MapType: "map", StructType: "struct",
}

// String is the name in Kafka Connect's JSON schemas, such as "int32" or "double".
func (t Type) String() string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// TypeOf is the type with that name in Kafka Connect's JSON schemas.
func TypeOf(name string) (Type, bool) {
	for t, n := range typeNames {
		if n == name {
			return t, true
		}
	}
	return 0, false
}

// Names of Kafka Connect's logical types.
const (
	DecimalName   = "org.apache.kafka.connect.data.Decimal"
	DateName      = "org.apache.kafka.connect.data.Date"
	TimeName      = "org.apache.kafka.connect.data.Time"
	TimestampName = "org.apache.kafka.connect.data.Timestamp"
)

// Schema describes values. It must not be changed once it is used: many records share it, and
// converters remember what they made of it by its address.
type Schema struct {
	Type     Type
	Optional bool
	// Name says what values mean; "" is none.
	Name string
	// Version of the Name; 0 is none.
	Version int
	Doc     string
	// Parameters belong to the Name, in this order.
	Parameters []Parameter
	// Default stands for nil; nil is none.
	Default any
	// Fields of a struct, in this order.
	Fields []Field
	// Key is that of a map's keys; Value that of a map's values or an array's elements.
	Key, Value *Schema
}

// Parameter is a name with a value.
type Parameter struct{ Name, Value string }

// Field of a struct.
type Field struct {
	Name   string
	Schema *Schema
}

// Of a type, without more; values must not be nil.
func Of(t Type) *Schema { return &Schema{Type: t} }

// OptionalOf a type, without more; values may be nil.
func OptionalOf(t Type) *Schema { return &Schema{Type: t, Optional: true} }

// Named is a logical type on top of t, of version 1 as all known ones are.
func Named(t Type, name string) *Schema { return &Schema{Type: t, Name: name, Version: 1} }

// StructOf fields, with the name of the whole.
func StructOf(name string, fields ...Field) *Schema {
	return &Schema{Type: StructType, Name: name, Fields: fields}
}

// AsOptional is a copy whose values may be nil, or s where they may be already.
func (s *Schema) AsOptional() *Schema {
	if s.Optional {
		return s
	}
	c := *s
	c.Optional = true
	return &c
}

// Field is the place of a struct's field, -1 where there is none of that name.
func (s *Schema) Field(name string) int {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return i
		}
	}
	return -1
}

// Parameter is the value of one.
func (s *Schema) Parameter(name string) (string, bool) {
	for _, p := range s.Parameters {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

// Equal says whether two schemas describe the same; both may be nil.
func (s *Schema) Equal(other *Schema) bool {
	return s == other || reflect.DeepEqual(s, other)
}
