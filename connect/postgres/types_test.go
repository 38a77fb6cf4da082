package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
)

// typeCase is a column's type, a value of it, and what that becomes with the default options, and
// with others.
type typeCase struct{ typ, value, want string }

var typeCases = []typeCase{
	{"int2", "-32768", "-32768"}, {"int4", "7", "7"}, {"int8", "9223372036854775807", "9223372036854775807"}, {"oid", "4000000000", "4000000000"},
	{"float4", "1.25", "1.25"}, {"float8", "'NaN'", "NaN"}, {"bool", "true", "true"},
	{"numeric(10,2)", "12.5", "12.50"}, {"numeric", "100.250", "{scale:2 value:2729}"}, {"numeric", "1e20", "{scale:0 value:056bc75e2d63100000}"},
	{"money", "'-1234.5'", "-1234.50"},
	{"text", "'ä'", "ä"}, {"varchar(5)", "'abc'", "abc"}, {"char(4)", "'ab'", "ab  "}, {"name", "'n'", "n"}, {`"char"`, "'c'", "c"}, {"citext", "'Ab'", "Ab"},
	{"bytea", `'\x00ff'`, "00ff"}, {"bit(1)", "B'1'", "true"}, {"bit(10)", "B'0000000101'", "05"}, {"varbit(20)", "B'100000000'", "0001"}, {"bit(3)", "B'000'", ""},
	{"date", "'2020-02-29'", "18321"}, {"date", "'0044-03-15 BC'", "-735160"}, {"date", "'infinity'", "-2147472692"},
	{"time", "'10:11:12.5'", "36672500000"}, {"time(3)", "'10:11:12.5'", "36672500"}, {"timetz", "'10:11:12.5+02'", "08:11:12.5Z"},
	{"timestamp", "'2020-01-02 03:04:05.678901'", "1577934245678901"}, {"timestamp(3)", "'1969-12-31 23:59:59.999'", "-1"},
	{"timestamp", "'-infinity'", "-9223372036832400000"},
	{"timestamptz", "'2020-01-02 03:04:05.6+01'", "2020-01-02T02:04:05.600000Z"}, {"timestamptz(0)", "'2020-01-02 03:04:05+00'", "2020-01-02T03:04:05Z"}, {"timestamptz", "'infinity'", "infinity"},
	{"timestamptz", "'0001-01-01 00:00:00+00 BC'", "0000-01-01T00:00:00.000000Z"},
	{"interval", "'1 year 2 mons 3 days 04:05:06.7'", "37091106700000"}, {"interval", "'-1 days +02:03:04'", "-79016000000"},
	{"uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
	{"json", `'{"a": 1}'`, `{"a": 1}`}, {"jsonb", `'{"b":1,"a":2}'`, `{"a": 2, "b": 1}`}, {"xml", "'<a/>'", "<a/>"},
	{"inet", "'10.0.0.1/8'", "10.0.0.1/8"}, {"cidr", "'10.0.0.0/8'", "10.0.0.0/8"}, {"macaddr", "'08:00:2b:01:02:03'", "08:00:2b:01:02:03"},
	{"int4range", "'[1,5]'", "[1,6)"}, {"tstzrange", "'[2020-01-01 00:00:00+00,)'", `["2020-01-01 00:00:00+00",)`}, {"numrange", "'(1.5,2)'", "(1.5,2)"},
	{"mood", "'happy'", "happy"}, {"positive", "5", "5"}, {"price", "5.5", "5.50"}, {"mood[]", "'{sad,happy}'", "[sad happy]"},
	{"int4[]", "'{1,NULL,3}'", "[1 - 3]"}, {"text[]", `'{"a,b",NULL,"NULL","q\"\\"}'`, `[a,b - NULL q"\]`}, {"numeric(5,1)[]", "'{1.5,2}'", "[1.5 2.0]"},
	{"timestamptz[]", "'{2020-01-01 00:00:00+00}'", "[2020-01-01T00:00:00.000000Z]"}, {"int4[]", "'[2:3]={4,5}'", "[4 5]"}, {"bytea[]", `'{"\\x01"}'`, "[01]"},
	{"hstore", `'a=>1, b=>NULL, "q\""=>"\\"'`, `{"a":"1","q\"":"\\","b":null}`}, {"ltree", "'a.b'", "a.b"}, {"tsvector", "'a b'", "'a' 'b'"},
	{"point", "'(1,2)'", "{x:1 y:2 wkb:0101000000000000000000f03f0000000000000040 srid:-}"},
}

func (s *source) types() {
	s.exec("CREATE EXTENSION citext", "CREATE EXTENSION hstore", "CREATE EXTENSION ltree",
		"CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')", "CREATE DOMAIN positive AS int CHECK (VALUE > 0)", "CREATE DOMAIN amount AS numeric(10,2)", "CREATE DOMAIN price AS amount")
}

func TestTypes(t *testing.T) {
	s := newSource(t)
	s.types()
	var columns, values []string
	for i, c := range typeCases {
		columns, values = append(columns, fmt.Sprintf("c%d %s", i, c.typ)), append(values, c.value)
	}
	s.exec("CREATE TABLE a (id int PRIMARY KEY, "+strings.Join(columns, ", ")+")", "INSERT INTO a VALUES (1, "+strings.Join(values, ", ")+")", "INSERT INTO a VALUES (2)")
	r := s.open(nil)
	read := r.Take(2)
	s.exec("INSERT INTO a VALUES (3, "+strings.Join(values, ", ")+")", "INSERT INTO a VALUES (4)")
	streamed := r.Take(2)
	for i, one := range read {
		if a, b := plain(field(one, "after")), plain(field(streamed[i], "after")); strings.Replace(a, fmt.Sprintf("id:%d", i+1), "", 1) != strings.Replace(b, fmt.Sprintf("id:%d", i+3), "", 1) {
			t.Errorf("read\n%s\nand streamed\n%s", a, b)
		}
		if !one.ValueSchema.Equal(streamed[i].ValueSchema) {
			t.Error("the schemas differ")
		}
		if err := data.Validate(one.ValueSchema, one.Value); err != nil {
			t.Error(err)
		}
	}
	for i, c := range typeCases {
		if got := plain(field(read[0], "after", fmt.Sprintf("c%d", i))); got != c.want {
			t.Errorf("%s of %s is %s, want %s", c.value, c.typ, got, c.want)
		}
		if got := field(read[1], "after", fmt.Sprintf("c%d", i)); got != nil {
			t.Errorf("null of %s is %v", c.typ, got)
		}
	}
}

func TestModesOfTypes(t *testing.T) {
	for _, c := range []struct {
		key, mode, typ, value, want string
	}{
		{"decimal.handling.mode", "string", "numeric(10,2)", "12.5", "12.50"}, {"decimal.handling.mode", "string", "numeric", "'NaN'", "NAN"},
		{"decimal.handling.mode", "double", "numeric", "'Infinity'", "+Inf"}, {"decimal.handling.mode", "double", "money", "1.5", "1.5"},
		{"time.precision.mode", "connect", "timestamp", "'2020-01-02 03:04:05.6789'", "2020-01-02T03:04:05.678Z"}, {"time.precision.mode", "connect", "date", "'2020-01-02'", "2020-01-02T00:00:00Z"},
		{"time.precision.mode", "isostring", "timestamp", "'2020-01-02 03:04:05.5'", "2020-01-02T03:04:05.5Z"}, {"time.precision.mode", "isostring", "date", "'2020-01-02'", "2020-01-02Z"},
		{"time.precision.mode", "isostring", "time", "'03:04:05'", "03:04:05Z"}, {"time.precision.mode", "isostring", "time", "'24:00'", "00:00:00Z"}, {"time.precision.mode", "nanoseconds", "timestamp(3)", "'1970-01-01 00:00:01'", "1000000000"},
		{"time.precision.mode", "microseconds", "timestamp(3)", "'1970-01-01 00:00:01'", "1000000"}, {"time.precision.mode", "adaptive_time_microseconds", "time(3)", "'00:00:01'", "1000000"},
		{"binary.handling.mode", "base64", "bytea", `'\xfbff'`, "+/8="}, {"binary.handling.mode", "base64-url-safe", "bytea", `'\xfbff'`, "-_8="}, {"binary.handling.mode", "hex", "bytea", `'\xfbff'`, "fbff"},
		{"hstore.handling.mode", "map", "hstore", "'a=>1,b=>NULL'", "map[a=1 b=-]"},
		{"interval.handling.mode", "string", "interval", "'1 year 2 mons 3 days 04:05:06.7'", "P1Y2M3DT4H5M6.7S"},
		{"money.fraction.digits", "1", "money", "1.25", "1.3"}, {"include.unknown.datatypes", "true", "pg_lsn", "'0/1'", "302f31"},
	} {
		s := newSource(t, c.key, c.mode)
		s.types()
		s.exec("CREATE TABLE a (id int PRIMARY KEY, v "+c.typ+")", "INSERT INTO a VALUES (1, "+c.value+")")
		r := s.open(nil)
		one := r.Take(1)[0]
		r.Close()
		if got := plain(field(one, "after", "v")); got != c.want {
			t.Errorf("%s=%s: %s of %s is %s, want %s", c.key, c.mode, c.value, c.typ, got, c.want)
		}
		if err := data.Validate(one.ValueSchema, one.Value); err != nil {
			t.Errorf("%s=%s: %v", c.key, c.mode, err)
		}
	}
}

func TestDefaultsInSchemas(t *testing.T) {
	s := newSource(t)
	s.types()
	cases := []typeCase{
		{"int DEFAULT 5", "", "5"}, {"int NOT NULL DEFAULT -1", "0", "-1"}, {"serial", "0", "0"}, {"text DEFAULT 'it''s'", "", "it's"}, {"text DEFAULT upper('x')", "", ""},
		{"bool DEFAULT true", "", "true"}, {"numeric(10,2) DEFAULT 1.5", "", "1.50"}, {"timestamp DEFAULT now()", "", "0"}, {"timestamptz DEFAULT CURRENT_TIMESTAMP", "", "1970-01-01T00:00:00.000000Z"},
		{"date DEFAULT '2020-01-02'", "", "18263"}, {"mood DEFAULT 'ok'", "", "ok"}, {"uuid DEFAULT gen_random_uuid()", "", "00000000-0000-0000-0000-000000000000"}, {"bytea DEFAULT '\\x00'", "", "-"}, {"int", "", "-"},
	}
	var columns []string
	for i, c := range cases {
		columns = append(columns, fmt.Sprintf("c%d %s", i, c.typ))
	}
	s.exec("CREATE TABLE a (id int PRIMARY KEY, "+strings.Join(columns, ", ")+")", "INSERT INTO a VALUES (1)")
	one := s.open(nil).Take(1)[0]
	after := one.ValueSchema.Fields[1].Schema
	for i, c := range cases {
		f := after.Fields[i+1].Schema
		if got := plain(f.Default); got != c.want || f.Optional != (c.value == "") {
			t.Errorf("%s: default %s, optional %t", c.typ, got, f.Optional)
		}
	}
}
