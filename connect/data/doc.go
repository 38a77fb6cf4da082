// Package data is the data model of Kafka Connect: records with keys and values that schemas
// describe. Sources make them, transforms change them, converters write them.
//
// A value is nil or, by the Type of its schema:
//
//	Int8 Int16 Int32 Int64   int8 int16 int32 int64
//	Float32 Float64          float32 float64
//	Boolean                  bool
//	String                   string
//	Bytes                    []byte
//	Array                    []any
//	Map                      *Map
//	Struct                   *Struct
//
// Schemas with the names of Kafka Connect's logical types have values of their own: Decimal is a
// Decimal, Date, Time and Timestamp are a time.Time (UTC). A value without a schema is any of
// these, as it comes from JSON without schemas.
package data
