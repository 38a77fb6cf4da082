package sql_test

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

func optional(s *data.Schema) *data.Schema { return s.AsOptional() }

func named(t data.Type, name string, parameters ...string) *data.Schema {
	s := data.Named(t, name)
	s.Optional = true
	for i := 0; i < len(parameters); i += 2 {
		s.Parameters = append(s.Parameters, data.Parameter{Name: parameters[i], Value: parameters[i+1]})
	}
	return s
}

func arrayOf(element *data.Schema) *data.Schema {
	return &data.Schema{Type: data.Array, Optional: true, Value: element}
}

func decimal(t testing.TB, text string) data.Decimal {
	t.Helper()
	d, err := data.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const sourceType, sourceLength = "__debezium.source.column.type", "__debezium.source.column.length"

// TestTypes makes a column of each schema, stores a value and null, and reads what is there.
func TestTypes(t *testing.T) {
	db := newDatabase(t)
	conn, err := pgx.Connect(t.Context(), db.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	db.exec(t, "CREATE EXTENSION IF NOT EXISTS hstore")
	variable := optional(types.VariableScaleDecimal())
	point := optional(types.Point())
	inner := data.StructOf("inner", data.Field{Name: "a", Schema: data.Of(data.Int32)})
	inner.Optional = true
	moment := time.Date(2025, 1, 31, 10, 11, 12, 345678000, time.UTC)
	day := moment.Unix() / (24 * 60 * 60)
	texts := &data.Schema{Type: data.MapType, Optional: true, Key: data.Of(data.String), Value: data.OptionalOf(data.String)}
	cases := []struct {
		schema *data.Schema
		value  any
		kind   string
		text   string
	}{
		{data.OptionalOf(data.Boolean), true, "boolean", "true"},
		{data.OptionalOf(data.Int8), int8(-8), "smallint", "-8"},
		{data.OptionalOf(data.Int16), int16(16), "smallint", "16"},
		{data.OptionalOf(data.Int32), int32(-32), "integer", "-32"},
		{data.OptionalOf(data.Int64), int64(1 << 62), "bigint", "4611686018427387904"},
		{data.OptionalOf(data.Float32), float32(0.1), "real", "0.1"},
		{data.OptionalOf(data.Float64), 1e300, "double precision", "1e+300"},
		{data.OptionalOf(data.String), `a'b"c\d ü`, "text", `a'b"c\d ü`},
		{data.OptionalOf(data.String), "", "text", ""},
		{data.OptionalOf(data.Bytes), []byte{0, 1, 255}, "bytea", `\x0001ff`},
		{data.OptionalOf(data.Bytes), []byte{}, "bytea", `\x`},
		{optional(data.DecimalSchema(2)), decimal(t, "-12.30"), "numeric", "-12.30"},
		{named(data.Bytes, data.DecimalName, "scale", "2", "connect.decimal.precision", "9"), decimal(t, "1.00"), "numeric(9,2)", "1.00"},
		{named(data.Int32, data.DateName), moment, "date", "2025-01-31"},
		{named(data.Int32, data.TimeName), moment, "time without time zone", "10:11:12.345678"},
		{named(data.Int64, data.TimestampName), moment, "timestamp without time zone", "2025-01-31 10:11:12.345678"},
		{named(data.Int32, types.DateName), int32(day), "date", "2025-01-31"},
		{named(data.Int32, types.DateName), int32(-719163), "date", "0001-12-31 BC"},
		{named(data.Int32, types.TimeName), int32(1001), "time without time zone", "00:00:01.001"},
		{named(data.Int64, types.MicroTimeName), int64(86400000000), "time without time zone", "24:00:00"},
		{named(data.Int64, types.NanoTimeName), int64(1000000), "time without time zone", "00:00:00.001"},
		{named(data.Int64, types.TimestampName), moment.UnixMilli(), "timestamp without time zone", "2025-01-31 10:11:12.345"},
		{named(data.Int64, types.MicroTimestampName), moment.UnixMicro(), "timestamp without time zone", "2025-01-31 10:11:12.345678"},
		{named(data.Int64, types.MicroTimestampName), int64(-1), "timestamp without time zone", "1969-12-31 23:59:59.999999"},
		{named(data.Int64, types.NanoTimestampName), moment.UnixNano(), "timestamp without time zone", "2025-01-31 10:11:12.345678"},
		{named(data.String, types.ZonedTimestampName), "2025-01-31T10:11:12.5+02:00", "timestamp with time zone", "2025-01-31 08:11:12.5+00"},
		{named(data.String, types.ZonedTimeName), "10:11:12+02:00", "time with time zone", "10:11:12+02"},
		{named(data.Int64, types.MicroDurationName), int64(-90500000), "interval", "-00:01:30.5"},
		{named(data.String, types.IntervalName), "P1Y2M3DT4H5M6.5S", "text", "P1Y2M3DT4H5M6.5S"},
		{named(data.Int32, types.YearName), int32(2025), "integer", "2025"},
		{named(data.String, types.JSONName), `{"a": 1}`, "json", `{"a": 1}`},
		{named(data.String, types.JSONName, sourceType, "JSONB"), `{"a":1}`, "jsonb", `{"a": 1}`},
		{named(data.String, types.JSONName, sourceType, "HSTORE"), `{"a":"1","b":null}`, "hstore", `"a"=>"1", "b"=>NULL`},
		{named(data.String, types.XMLName), "<a/>", "xml", "<a/>"},
		{named(data.String, types.UUIDName), "0190a6f0-0000-7000-8000-000000000001", "uuid", "0190a6f0-0000-7000-8000-000000000001"},
		{named(data.String, types.EnumName, "allowed", "x,y"), "x", "text", "x"},
		{named(data.String, types.TsVectorName), "'a':1 'b':2", "tsvector", "'a':1 'b':2"},
		{named(data.Bytes, types.BitsName, "length", "12"), []byte{0b101, 0b1000}, "bit(12)", "100000000101"},
		{named(data.Bytes, types.BitsName, "length", "2147483647"), []byte{0b101}, "bit varying", "00000101"},
		{variable, types.VariableScaleDecimalOf(variable, data.Decimal{Unscaled: big.NewInt(-12345), Scale: 3}), "numeric", "-12.345"},
		{point, types.PointOf(point, 1.5, -2), "point", "(1.5,-2)"},
		{named(data.String, "", sourceType, "VARCHAR", sourceLength, "9"), "nine", "character varying(9)", "nine"},
		{named(data.String, "", sourceType, "INET"), "10.0.0.1", "inet", "10.0.0.1/32"},
		{arrayOf(data.OptionalOf(data.Int32)), []any{int32(1), nil, int32(3)}, "integer[]", "{1,NULL,3}"},
		{arrayOf(data.OptionalOf(data.String)), []any{`a"b\,`, "", "NULL"}, "text[]", `{"a\"b\\,","","NULL"}`},
		{arrayOf(named(data.Int64, types.MicroTimestampName)), []any{int64(0)}, "timestamp without time zone[]", `{"1970-01-01 00:00:00"}`},
		{arrayOf(data.OptionalOf(data.Bytes)), []any{[]byte{1}}, "bytea[]", `{"\\x01"}`},
		{arrayOf(data.OptionalOf(data.Int32)), []any{}, "integer[]", "{}"},
		{texts, &data.Map{Keys: []any{"k"}, Values: []any{"v"}}, "jsonb", `{"k": "v"}`},
		{inner, &data.Struct{Schema: inner, Values: []any{int32(1)}}, "jsonb", `{"a": 1}`},
	}
	full, empty := []any{"id", int32(1)}, []any{"id", int32(2)}
	var columns []string
	for i, c := range cases {
		name := fmt.Sprintf("c%d", i)
		full, empty = append(full, name, typed{c.schema, c.value}), append(empty, name, typed{c.schema, nil})
		columns = append(columns, name)
	}
	task := openTask(t, db, upsert...)
	records := at("t", flat(row("id", int32(1)), row(full...)), flat(row("id", int32(2)), row(empty...)))
	put(t, task, records...)
	put(t, task, records...)
	for i, c := range cases {
		var kind, text string
		var none *string
		err := conn.QueryRow(t.Context(), fmt.Sprintf("SELECT format_type(atttypid, atttypmod), (SELECT %[1]s::text FROM t WHERE id = 1), (SELECT %[1]s::text FROM t WHERE id = 2) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = '%[1]s'", columns[i])).Scan(&kind, &text, &none)
		if err != nil || kind != c.kind || text != c.text || none != nil {
			t.Errorf("%s %s: a column %s with %s, and null is %v, want %s with %s; %v", c.schema.Type, c.schema.Name, kind, text, none, c.kind, c.text, err)
		}
	}
}

// TestOtherTypes: tables made by hand have other types.
func TestOtherTypes(t *testing.T) {
	db := newDatabase(t)
	db.exec(t, "CREATE EXTENSION IF NOT EXISTS hstore", "CREATE TYPE mood AS ENUM ('happy')",
		`CREATE TABLE t (id bigint PRIMARY KEY, mood mood, b int, bits bit(1), n int, local timestamp, day date, h hstore, j jsonb, c char(3), i interval, y text, iso timestamp)`)
	task := openTask(t, db, with(upsert, "use.time.zone", "Europe/Berlin", "schema.evolution", "none")...)
	put(t, task, at("t", flat(row("id", int32(1)), row(
		"mood", "happy", "b", true, "bits", true, "n", 2.0, "local", typed{named(data.String, types.ZonedTimestampName), "2025-01-31T23:30:00Z"},
		"day", typed{named(data.String, types.ZonedTimestampName), "2025-01-31T23:30:00Z"},
		"h", typed{&data.Schema{Type: data.MapType, Key: data.Of(data.String), Value: data.Of(data.String)}, &data.Map{Keys: []any{"a"}, Values: []any{`"x"`}}},
		"j", `{"a":[1]}`, "c", "abc", "i", typed{named(data.String, types.IntervalName), "P1DT2H"}, "y", int32(7),
		"iso", typed{named(data.String, types.IsoTimestampName), "2025-01-31T10:11:12.5Z"},
	)))...)
	db.has(t, "SELECT id, mood, b, bits, n, local, day, h -> 'a' AS h, j -> 'a' AS j, c, i, y, iso FROM t",
		`(1,happy,1,1,2,"2025-02-01 00:30:00",2025-02-01,"""x""",[1],abc,"1 day 02:00:00",7,"2025-01-31 10:11:12.5")`)
}

// TestEvolution: fields come, go, and have defaults.
func TestEvolution(t *testing.T) { eachDatabase(t, testEvolution) }

func testEvolution(t *testing.T, db *database) {
	task := openTask(t, db, upsert...)
	greeting := &data.Schema{Type: data.String, Default: "it's"}
	required := data.Of(data.Int32)
	put(t, task, at("t",
		flat(row("id", int32(1)), row("a", typed{required, int32(1)})),
		flat(row("id", int32(2)), row("a", typed{required, int32(2)}, "d", typed{greeting, nil}, "late", typed{required, int32(3)})),
		flat(row("id", int32(3)), row("a", typed{required, int32(3)}, "late", typed{required, int32(4)}, "o", typed{data.OptionalOf(data.String), nil})),
	)...)
	db.has(t, "SELECT id, a, d, late, o FROM t ORDER BY id", "(1,1,it's,,)", "(2,2,it's,3,)", "(3,3,it's,4,)")
	if db.mariaDB {
		db.has(t, "SELECT column_name, IF(is_nullable = 'YES', 'f', 't') FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY ordinal_position", "(id,t)", "(a,t)", "(d,t)", "(late,f)", "(o,f)")
		return
	}
	db.has(t, "SELECT attname::text, attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum", "(id,t)", "(a,t)", "(d,t)", "(late,f)", "(o,f)")
}

// TestManyRows are more than one statement takes.
func TestManyRows(t *testing.T) { eachDatabase(t, testManyRows) }

func testManyRows(t *testing.T, db *database) {
	task := openTask(t, db, upsert...)
	for range 2 {
		all := at("t")
		for i := range 2001 {
			all = append(all, at("t", flat(row("id", int32(i)), row("v", strings.Repeat("x", i%7))))...)
		}
		put(t, task, all...)
	}
	db.has(t, "SELECT count(*), sum(length(v)) FROM t", "(2001,6000)")
}

// TestConverted: records as they come from Kafka, through a converter with schemas.
func TestConverted(t *testing.T) { eachDatabase(t, testConverted) }

func testConverted(t *testing.T, db *database) {
	task := openTask(t, db, upsert...)
	c := &converter.JSON{Schemas: true}
	through := func(s *data.Schema, v any) (*data.Schema, any) {
		b, err := c.Encode("t", s, v)
		if err != nil {
			t.Fatal(err)
		}
		if s, v, err = c.Decode("t", b); err != nil {
			t.Fatal(err)
		}
		return s, v
	}
	after := row("id", int32(1), "price", typed{optional(data.DecimalSchema(2)), decimal(t, "12.50")}, "at", typed{named(data.Int64, types.MicroTimestampName), int64(1500000)},
		"tags", typed{arrayOf(data.OptionalOf(data.String)), []any{"a", nil}}, "bin", []byte{1, 2}, "day", typed{named(data.Int32, data.DateName), time.Unix(86400, 0).UTC()})
	r := change("c", row("id", int32(1)), nil, after)
	r.KeySchema, r.Key = through(r.KeySchema, r.Key)
	r.ValueSchema, r.Value = through(r.ValueSchema, r.Value)
	put(t, task, at("t", r)...)
	if db.mariaDB {
		db.has(t, "SELECT id, price, at, tags, hex(bin), day FROM t", `(1,12.50,"1970-01-01 00:00:01.500000","[""a"",null]",0102,1970-01-02)`)
		return
	}
	db.has(t, "SELECT id, price, at, tags, bin, day FROM t", `(1,12.50,"1970-01-01 00:00:01.5","{a,NULL}","\\x0102",1970-01-02)`)
}
