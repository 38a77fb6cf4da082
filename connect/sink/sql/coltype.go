package sql

import (
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

// plainTypes of PostgreSQL for those of schemas without a name that means something.
var plainTypes = map[data.Type]string{
	data.Boolean: "boolean", data.Int8: "smallint", data.Int16: "smallint", data.Int32: "integer", data.Int64: "bigint",
	data.Float32: "real", data.Float64: "double precision", data.String: "text", data.Bytes: "bytea",
	data.MapType: "jsonb", data.StructType: "jsonb",
}

// namedTypes of PostgreSQL for schemas' names.
var namedTypes = map[string]string{
	data.DecimalName: "numeric", data.DateName: "date", data.TimeName: "time", data.TimestampName: "timestamp",
	types.DateName: "date", types.TimeName: "time", types.MicroTimeName: "time", types.NanoTimeName: "time",
	types.TimestampName: "timestamp", types.MicroTimestampName: "timestamp", types.NanoTimestampName: "timestamp",
	types.ZonedTimeName: "timetz", types.ZonedTimestampName: "timestamptz", types.MicroDurationName: "interval",
	types.JSONName: "json", types.XMLName: "xml", types.UUIDName: "uuid", types.TsVectorName: "tsvector", ltreeName: "ltree",
	types.VariableScaleDecimalName: "numeric", types.PointName: "point", types.GeometryName: "geometry", types.GeographyName: "geography",
	types.DoubleVectorName: "vector", types.FloatVectorName: "halfvec", types.SparseDoubleVectorName: "sparsevec",
}

const ltreeName = "io.debezium.data.Ltree"

// Parameters of schemas that tell the type of the source's column, where the source adds them.
const (
	sourceType   = "__debezium.source.column.type"
	sourceLength = "__debezium.source.column.length"
)

// sourceTypes of PostgreSQL that text may be of.
var sourceTypes = map[string]string{
	"INET": "inet", "CIDR": "cidr", "MACADDR": "macaddr", "MACADDR8": "macaddr8", "CITEXT": "citext",
	"INT4RANGE": "int4range", "INT8RANGE": "int8range", "NUMRANGE": "numrange", "TSRANGE": "tsrange", "TSTZRANGE": "tstzrange", "DATERANGE": "daterange",
}

// natural is the type of PostgreSQL that a schema's values have by themselves, which is that of
// columns made for them. postgis is the schema of that extension.
func natural(s *data.Schema, postgis string) string {
	source, _ := s.Parameter(sourceType)
	source = strings.ToUpper(source)
	switch name := namedTypes[s.Name]; {
	case s.Name == types.JSONName && (source == "JSONB" || source == "HSTORE"):
		return strings.ToLower(source)
	case s.Name == types.BitsName:
		return bitType(s, source)
	case s.Name == data.DecimalName:
		return numericType(s)
	case name == "geometry" || name == "geography":
		if postgis == "" {
			return name
		}
		return quote(postgis) + "." + name
	case name != "":
		return name
	}
	switch s.Type {
	case data.Array:
		if element := s.Value; element != nil && element.Type != data.Array {
			return natural(element, postgis) + "[]"
		}
		return "jsonb"
	case data.String:
		return textType(s, source)
	}
	return plainTypes[s.Type]
}

func bitType(s *data.Schema, source string) string {
	text, _ := s.Parameter("length")
	length, err := strconv.Atoi(text)
	switch {
	case err != nil || length <= 0 || length > maxBits:
		return "bit varying"
	case source == "VARBIT":
		return "bit varying(" + strconv.Itoa(length) + ")"
	}
	return "bit(" + strconv.Itoa(length) + ")"
}

// maxBits and maxDigits are what PostgreSQL takes in a column's definition.
const (
	maxBits   = 83886080
	maxDigits = 1000
)

func numericType(s *data.Schema) string {
	digits, _ := s.Parameter("connect.decimal.precision")
	scale, _ := s.Parameter("scale")
	p, err := strconv.Atoi(digits)
	n, err2 := strconv.Atoi(scale)
	if err != nil || err2 != nil || p <= 0 || p > maxDigits || n < 0 || n > p {
		return "numeric"
	}
	return "numeric(" + digits + "," + scale + ")"
}

func textType(s *data.Schema, source string) string {
	length, _ := s.Parameter(sourceLength)
	n, err := strconv.Atoi(length)
	sized := err == nil && n > 0 && n <= maxLength
	switch {
	case sized && (source == "VARCHAR" || source == "CHARACTER VARYING" || source == "VARCHAR2" || source == "NVARCHAR"):
		return "varchar(" + length + ")"
	case sized && (source == "CHAR" || source == "CHARACTER" || source == "BPCHAR" || source == "NCHAR"):
		return "char(" + length + ")"
	case sourceTypes[source] != "":
		return sourceTypes[source]
	}
	return "text"
}

// maxLength of varchar.
const maxLength = 10485760

// columnType is one of a table that is there, as pg_catalog names it, without a length: a cast
// with one would cut values short silently.
type columnType string

// base is its name without a schema.
func (t columnType) base() string {
	name := string(t)
	return strings.Trim(name[strings.LastIndexByte(name, '.')+1:], `"`)
}

// cast of an expression that is text of the natural type to a column's.
func cast(expression string, own string, t columnType) string {
	through := ""
	switch own {
	case "timestamptz":
		through = "timestamptz"
	case "real", "double precision":
		through = "numeric"
	}
	if strings.HasPrefix(own, "numeric") {
		through = "numeric"
	}
	base := t.base()
	switch {
	case through == "timestamptz" && strings.HasPrefix(base, "timestamp without"), through == "timestamptz" && base == "date",
		through == "timestamptz" && base == "time without time zone",
		through == "numeric" && (base == "smallint" || base == "integer" || base == "bigint"):
		return expression + "::" + through + "::" + string(t)
	}
	return expression + "::" + string(t)
}
