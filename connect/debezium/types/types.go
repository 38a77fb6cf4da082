// Package types are the logical types of columns that Debezium has on top of Kafka Connect's:
// their schemas, and how values are written in them.
package types

import (
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
)

// Names of Debezium's types of times. The comments say what their values are.
const (
	DateName           = "io.debezium.time.Date"           // int32, days since 1970
	TimeName           = "io.debezium.time.Time"           // int32, milliseconds since midnight
	MicroTimeName      = "io.debezium.time.MicroTime"      // int64, microseconds since midnight
	NanoTimeName       = "io.debezium.time.NanoTime"       // int64, nanoseconds since midnight
	TimestampName      = "io.debezium.time.Timestamp"      // int64, milliseconds since 1970, of no zone
	MicroTimestampName = "io.debezium.time.MicroTimestamp" // int64, microseconds since 1970, of no zone
	NanoTimestampName  = "io.debezium.time.NanoTimestamp"  // int64, nanoseconds since 1970, of no zone
	ZonedTimeName      = "io.debezium.time.ZonedTime"      // string, ISO 8601 with offset
	ZonedTimestampName = "io.debezium.time.ZonedTimestamp" // string, ISO 8601 with offset
	IntervalName       = "io.debezium.time.Interval"       // string, ISO 8601 period and duration
	MicroDurationName  = "io.debezium.time.MicroDuration"  // int64, microseconds, months of 30.4375 days
	NanoDurationName   = "io.debezium.time.NanoDuration"   // int64, nanoseconds
	YearName           = "io.debezium.time.Year"           // int32
	IsoDateName        = "io.debezium.time.IsoDate"        // string, such as 2025-01-31Z
	IsoTimeName        = "io.debezium.time.IsoTime"        // string, such as 10:11:12.5Z
	IsoTimestampName   = "io.debezium.time.IsoTimestamp"   // string, such as 2025-01-31T10:11:12.5Z
)

// Names of Debezium's other types.
const (
	JSONName                 = "io.debezium.data.Json"
	XMLName                  = "io.debezium.data.Xml"
	UUIDName                 = "io.debezium.data.Uuid"
	EnumName                 = "io.debezium.data.Enum"
	EnumSetName              = "io.debezium.data.EnumSet"
	BitsName                 = "io.debezium.data.Bits"
	TsVectorName             = "io.debezium.data.Tsvector"
	VariableScaleDecimalName = "io.debezium.data.VariableScaleDecimal"
	DoubleVectorName         = "io.debezium.data.DoubleVector"
	FloatVectorName          = "io.debezium.data.FloatVector"
	SparseDoubleVectorName   = "io.debezium.data.SparseDoubleVector"
	PointName                = "io.debezium.data.geometry.Point"
	GeometryName             = "io.debezium.data.geometry.Geometry"
	GeographyName            = "io.debezium.data.geometry.Geography"
)

// onInt32 and onInt64 are the types whose values are numbers; those of all others without a
// function of their own are text.
var (
	onInt32 = map[string]bool{DateName: true, TimeName: true, YearName: true}
	onInt64 = map[string]bool{
		MicroTimeName: true, NanoTimeName: true, TimestampName: true, MicroTimestampName: true,
		NanoTimestampName: true, MicroDurationName: true, NanoDurationName: true,
	}
)

// Of is a new schema of one of the types of times, of JSON, XML, UUIDs or tsvectors, by its name.
func Of(name string) *data.Schema {
	switch {
	case onInt32[name]:
		return data.Named(data.Int32, name)
	case onInt64[name]:
		return data.Named(data.Int64, name)
	}
	return data.Named(data.String, name)
}

// Enum of the allowed values; a value is one of them.
func Enum(allowed []string) *data.Schema {
	return withParameter(EnumName, "allowed", strings.Join(allowed, ","))
}

// EnumSet of the allowed values; a value is some of them with commas between.
func EnumSet(allowed []string) *data.Schema {
	return withParameter(EnumSetName, "allowed", strings.Join(allowed, ","))
}

func withParameter(name, parameter, value string) *data.Schema {
	s := data.Named(data.String, name)
	s.Parameters = []data.Parameter{{Name: parameter, Value: value}}
	return s
}

// Bits of at most length; a value is bytes, little-endian.
func Bits(length int) *data.Schema {
	s := data.Named(data.Bytes, BitsName)
	s.Parameters = []data.Parameter{{Name: "length", Value: strconv.Itoa(length)}}
	return s
}
