package mysql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// typed is a column with a value, and what it becomes.
type typed struct{ declared, value, schema, want string }

var types = []typed{
	{"TINYINT", "-128", "int16?", "-128"},
	{"TINYINT(1)", "1", "int16?", "1"},
	{"TINYINT UNSIGNED", "255", "int16?", "255"},
	{"SMALLINT", "-32768", "int16?", "-32768"},
	{"SMALLINT UNSIGNED", "65535", "int32?", "65535"},
	{"MEDIUMINT", "-8388608", "int32?", "-8388608"},
	{"MEDIUMINT UNSIGNED", "16777215", "int32?", "16777215"},
	{"INT", "-2147483648", "int32?", "-2147483648"},
	{"INT UNSIGNED", "4294967295", "int64?", "4294967295"},
	{"BIGINT", "-9223372036854775808", "int64?", "-9223372036854775808"},
	{"BIGINT UNSIGNED", "9223372036854775808", "int64?", "-9223372036854775808"},
	{"DECIMAL(10,2)", "-123.40", "bytes org.apache.kafka.connect.data.Decimal?", "-123.40"},
	{"NUMERIC(5)", "12345", "bytes org.apache.kafka.connect.data.Decimal?", "12345"},
	{"FLOAT", "1.5", "float?", "1.5"},
	{"FLOAT(7,3)", "1.25", "double?", "1.25"},
	{"DOUBLE", "2.5e100", "double?", "2.5e+100"},
	{"BIT(1)", "b'1'", "boolean?", "true"},
	{"BIT(12)", "b'100000000011'", "bytes io.debezium.data.Bits?", "0308"},
	{"YEAR", "2024", "int32 io.debezium.time.Year?", "2024"},
	{"DATE", "'2024-02-29'", "int32 io.debezium.time.Date?", "19782"},
	{"DATE", "'1969-12-31'", "int32 io.debezium.time.Date?", "-1"},
	{"TIME", "'-838:59:59'", "int64 io.debezium.time.MicroTime?", "-3020399000000"},
	{"TIME(6)", "'10:11:12.123456'", "int64 io.debezium.time.MicroTime?", "36672123456"},
	{"DATETIME", "'2024-02-29 12:13:14'", "int64 io.debezium.time.Timestamp?", "1709208794000"},
	{"DATETIME(6)", "'2024-02-29 12:13:14.123456'", "int64 io.debezium.time.MicroTimestamp?", "1709208794123456"},
	{"TIMESTAMP NULL", "'2024-02-29 12:13:14'", "string io.debezium.time.ZonedTimestamp?", "2024-02-29T12:13:14Z"},
	{"TIMESTAMP(3) NULL", "'2024-02-29 12:13:14.567'", "string io.debezium.time.ZonedTimestamp?", "2024-02-29T12:13:14.567Z"},
	{"CHAR(5)", "'äöü'", "string?", "äöü"},
	{"VARCHAR(300)", "'日本😀'", "string?", "日本😀"},
	{"VARCHAR(10) CHARACTER SET latin1", "'€äß'", "string?", "€äß"},
	{"VARCHAR(10) CHARACTER SET utf16", "'aé😀'", "string?", "aé😀"},
	{"VARCHAR(10) CHARACTER SET sjis", "'日本'", "string?", "日本"},
	{"TINYTEXT", "'t'", "string?", "t"},
	{"TEXT", "'é'", "string?", "é"},
	{"MEDIUMTEXT CHARACTER SET latin1", "'é'", "string?", "é"},
	{"LONGTEXT", "'l'", "string?", "l"},
	{"BINARY(4)", "x'0100'", "bytes?", "01000000"},
	{"VARBINARY(4)", "x'0100'", "bytes?", "0100"},
	{"BLOB", "x'00ff'", "bytes?", "00ff"},
	{"LONGBLOB", "x'00ff'", "bytes?", "00ff"},
	{"ENUM('a','b,c','d''e','ü')", "'ü'", "string io.debezium.data.Enum?", "ü"},
	{"ENUM('ä','ö') CHARACTER SET latin1", "'ö'", "string io.debezium.data.Enum?", "ö"},
	{"SET('x','y','z')", "'x,z'", "string io.debezium.data.EnumSet?", "x,z"},
	{"JSON", `'{"a": [1, 2]}'`, "string?", `{"a": [1, 2]}`},
	{"UUID", "'123e4567-e89b-12d3-a456-426655440000'", "string io.debezium.data.Uuid?", "123e4567-e89b-12d3-a456-426655440000"},
	{"INET6", "'2001:db8::ff00:42:8329'", "string?", "2001:db8::ff00:42:8329"},
	{"INET4", "'10.0.0.1'", "string?", "10.0.0.1"},
	{"POINT", "ST_GeomFromText('POINT(1 2)', 4326)", "struct io.debezium.data.geometry.Point?", "{x:1 y:2 wkb:0101000000000000000000f03f0000000000000040 srid:4326}"},
	{"GEOMETRY", "ST_GeomFromText('LINESTRING(0 0,1 1)')", "struct io.debezium.data.geometry.Geometry?", "{wkb:01020000000200000000000000000000000000000000000000000000000000f03f000000000000f03f srid:-}"},
	{"POLYGON", "ST_GeomFromText('POLYGON((0 0,1 1,1 0,0 0))')", "struct io.debezium.data.geometry.Geometry?", "{wkb:010300000001000000040000000000000000000000000000000000000000000000" + "0000f03f000000000000f03f000000000000f03f000000000000000000000000000000000000000000000000 srid:-}"},
	{"DATE NOT NULL", "'0000-00-00'", "int32 io.debezium.time.Date", "0"},
	{"DATETIME", "'0000-00-00 00:00:00'", "int64 io.debezium.time.Timestamp?", "-"},
	{"INT NOT NULL DEFAULT 7", "8", "int32=7", "8"},
	{"VARCHAR(9) NOT NULL DEFAULT 'it''s'", "'x'", "string=it's", "x"},
	{"DECIMAL(5,2) DEFAULT 1.5", "2", "bytes org.apache.kafka.connect.data.Decimal?=1.50", "2.00"},
	{"TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP", "'2024-01-01 00:00:00'", "string io.debezium.time.ZonedTimestamp=1970-01-01T00:00:00Z", "2024-01-01T00:00:00Z"},
	{"INT", "NULL", "int32?", "-"},
}

// TestTypes in the snapshot and in the stream, which agree.
func TestTypes(t *testing.T) {
	s := newSource(t)
	s.exec("SET sql_mode = ''")
	checkTypes(t, s, types)
}

func checkTypes(t *testing.T, s *source, types []typed) {
	t.Helper()
	columns, values := []string{"id INT PRIMARY KEY"}, []string{}
	for i, c := range types {
		columns = append(columns, fmt.Sprintf("c%d %s", i, c.declared))
		values = append(values, c.value)
	}
	s.exec("CREATE TABLE a ("+strings.Join(columns, ", ")+")", "INSERT INTO a VALUES (1, "+strings.Join(values, ", ")+")")
	r := s.open(nil)
	read := r.Take(1)[0]
	s.exec("INSERT INTO a VALUES (2, " + strings.Join(values, ", ") + ")")
	written := r.Take(1)[0]
	for i, c := range types {
		for from, record := range map[string]plugin.SourceRecord{"snapshot": read, "stream": written} {
			schema := record.ValueSchema.Fields[1].Schema.Fields[i+1].Schema
			if got := describe(schema); got != c.schema {
				t.Errorf("%s in the %s: schema %s, want %s", c.declared, from, got, c.schema)
			}
			value := field(record, "after", fmt.Sprintf("c%d", i))
			if got := plain(value); got != c.want {
				t.Errorf("%s in the %s: %s, want %s", c.declared, from, got, c.want)
			}
			if err := data.Validate(schema, value); err != nil {
				t.Errorf("%s in the %s: %v", c.declared, from, err)
			}
		}
	}
	if !read.ValueSchema.Equal(written.ValueSchema) {
		t.Errorf("the schemas of the snapshot and the stream differ")
	}
}

// describe a schema as its type and name, a question mark where it is optional, and its default.
func describe(s *data.Schema) string {
	out := s.Type.String()
	if s.Name != "" {
		out += " " + s.Name
	}
	if s.Optional {
		out += "?"
	}
	if s.Default != nil {
		out += "=" + plain(s.Default)
	}
	return out
}

// TestFractionsOfTimestamps are those of Debezium's records, which differ.
func TestFractionsOfTimestamps(t *testing.T) {
	s := newSource(t)
	s.exec("SET sql_mode = ''", "CREATE TABLE a (id INT PRIMARY KEY, t TIMESTAMP(3) NULL, z TIMESTAMP NULL)", "INSERT INTO a VALUES (1, '2024-02-29 12:13:14.5', 0)")
	r := s.open(nil)
	read := r.Take(1)[0]
	s.exec("INSERT INTO a SELECT 2, t, z FROM a")
	check(t, []string{plain(field(read, "after")), plain(field(r.Take(1)[0], "after"))}, []string{
		"{id:1 t:2024-02-29T12:13:14.5Z z:-}", "{id:2 t:2024-02-29T12:13:14.500Z z:1970-01-01T00:00:00Z}",
	})
}

func TestModesOfTypes(t *testing.T) {
	s := newSource(t, "decimal.handling.mode", "string", "time.precision.mode", "isostring", "binary.handling.mode", "hex",
		"bigint.unsigned.handling.mode", "precise")
	checkTypes(t, s, []typed{
		{"DECIMAL(10,2)", "-123.40", "string?", "-123.40"},
		{"BIGINT UNSIGNED", "18446744073709551615", "bytes org.apache.kafka.connect.data.Decimal?", "18446744073709551615"},
		{"DATE", "'2024-02-29'", "string io.debezium.time.IsoDate?", "2024-02-29Z"},
		{"TIME(3)", "'10:11:12.5'", "string io.debezium.time.IsoTime?", "10:11:12.5Z"},
		{"DATETIME(6)", "'2024-02-29 12:13:14.123456'", "string io.debezium.time.IsoTimestamp?", "2024-02-29T12:13:14.123456Z"},
		{"VARBINARY(4)", "x'01ff'", "string?", "01ff"},
	})
}

func TestConnectTimes(t *testing.T) {
	s := newSource(t, "decimal.handling.mode", "double", "time.precision.mode", "connect")
	checkTypes(t, s, []typed{
		{"DECIMAL(10,2)", "-123.40", "double?", "-123.4"},
		{"DATE", "'2024-02-29'", "int32 org.apache.kafka.connect.data.Date?", "2024-02-29T00:00:00Z"},
		{"TIME(3)", "'10:11:12.5'", "int32 org.apache.kafka.connect.data.Time?", "1970-01-01T10:11:12.5Z"},
		{"TIME", "'25:00:00'", "int32 org.apache.kafka.connect.data.Time?", "-"},
		{"DATETIME(6)", "'2024-02-29 12:13:14.123456'", "int64 org.apache.kafka.connect.data.Timestamp?", "2024-02-29T12:13:14.123Z"},
	})
}
