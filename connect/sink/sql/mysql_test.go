package sql_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
	"github.com/pabal-dev/pabal/connect/plugin"
	sink "github.com/pabal-dev/pabal/connect/sink/sql"
)

// TestMariaDBTypes makes a column of each schema, stores a value and null, and reads what is there.
func TestMariaDBTypes(t *testing.T) {
	db := newMariaDB(t)
	variable, point := optional(types.VariableScaleDecimal()), optional(types.Point())
	inner := data.StructOf("inner", data.Field{Name: "a", Schema: data.Of(data.Int32)})
	inner.Optional = true
	moment := time.Date(2025, 1, 31, 10, 11, 12, 345678000, time.UTC)
	day := moment.Unix() / (24 * 60 * 60)
	texts := &data.Schema{Type: data.MapType, Optional: true, Key: data.Of(data.String), Value: data.OptionalOf(data.String)}
	wkb := binary.LittleEndian.AppendUint64(append([]byte{1}, 1, 0, 0, 0), math.Float64bits(1.5))
	geometry := optional(types.Geometry())
	shape := &data.Struct{Schema: geometry, Values: []any{binary.LittleEndian.AppendUint64(wkb, math.Float64bits(-2)), int32(4326)}}
	cases := []struct {
		schema     *data.Schema
		value      any
		kind, read string
		text       string
	}{
		{data.OptionalOf(data.Boolean), true, "tinyint(1)", "%s", "1"},
		{data.OptionalOf(data.Int8), int8(-8), "tinyint(4)", "%s", "-8"},
		{data.OptionalOf(data.Int16), int16(16), "smallint(6)", "%s", "16"},
		{data.OptionalOf(data.Int32), int32(-32), "int(11)", "%s", "-32"},
		{data.OptionalOf(data.Int64), int64(math.MaxInt64), "bigint(20)", "%s", "9223372036854775807"},
		{data.OptionalOf(data.Float32), float32(0.5), "float", "%s", "0.5"},
		{data.OptionalOf(data.Float64), 1.25e300, "double", "%s", "1.25e300"},
		{data.OptionalOf(data.String), `a'b"c\d ü😀`, "longtext", "%s", `a'b"c\d ü😀`},
		{data.OptionalOf(data.String), "", "longtext", "%s", ""},
		{data.OptionalOf(data.Bytes), []byte{0, 1, 255}, "longblob", "hex(%s)", "0001FF"},
		{data.OptionalOf(data.Bytes), []byte{}, "longblob", "hex(%s)", ""},
		{optional(data.DecimalSchema(2)), decimal(t, "-12.30"), "decimal(65,2)", "%s", "-12.30"},
		{named(data.Bytes, data.DecimalName, "scale", "2", "connect.decimal.precision", "9"), decimal(t, "1.00"), "decimal(9,2)", "%s", "1.00"},
		{variable, types.VariableScaleDecimalOf(variable, data.Decimal{Unscaled: big.NewInt(-12345), Scale: 3}), "decimal(65,30)", "%s", "-12.345" + strings.Repeat("0", 27)},
		{named(data.Int32, data.DateName), moment, "date", "%s", "2025-01-31"},
		{named(data.Int64, data.TimestampName), moment, "datetime(3)", "%s", "2025-01-31 10:11:12.345"},
		{named(data.Int32, types.DateName), int32(day), "date", "%s", "2025-01-31"},
		{named(data.Int32, types.TimeName), int32(1001), "time(3)", "%s", "00:00:01.001"},
		{named(data.Int64, types.MicroTimeName), int64(86400000000), "time(6)", "%s", "24:00:00.000000"},
		{named(data.Int64, types.TimestampName), moment.UnixMilli(), "datetime(3)", "%s", "2025-01-31 10:11:12.345"},
		{named(data.Int64, types.MicroTimestampName), moment.UnixMicro(), "datetime(6)", "%s", "2025-01-31 10:11:12.345678"},
		{named(data.Int64, types.MicroTimestampName), int64(-1), "datetime(6)", "%s", "1969-12-31 23:59:59.999999"},
		{named(data.Int64, types.NanoTimestampName), moment.UnixNano(), "datetime(6)", "%s", "2025-01-31 10:11:12.345678"},
		{named(data.String, types.ZonedTimestampName), "2025-01-31T10:11:12.5+02:00", "datetime(6)", "%s", "2025-01-31 08:11:12.500000"},
		{named(data.String, types.ZonedTimeName), "10:11:12+02:00", "longtext", "%s", "10:11:12+02:00"},
		{named(data.Int64, types.MicroDurationName), int64(-90500000), "bigint(20)", "%s", "-90500000"},
		{named(data.Int32, types.YearName), int32(2025), "int(11)", "%s", "2025"},
		{named(data.String, types.JSONName), `{"a": 1}`, "longtext", "%s", `{"a": 1}`},
		{named(data.String, types.UUIDName), "0190a6f0-0000-7000-8000-000000000001", "char(36)", "%s", "0190a6f0-0000-7000-8000-000000000001"},
		{named(data.String, types.EnumName, "allowed", "x,y"), "x", "varchar(255)", "%s", "x"},
		{named(data.Bytes, types.BitsName, "length", "12"), []byte{0b101, 0b1000}, "bit(12)", "bin(%s)", "100000000101"},
		{point, types.PointOf(point, 1.5, -2), "point", "ST_AsText(%s)", "POINT(1.5 -2)"},
		{geometry, shape, "geometry", "concat(ST_AsText(%[1]s), ST_SRID(%[1]s))", "POINT(1.5 -2)4326"},
		{named(data.String, "", sourceType, "VARCHAR", sourceLength, "9"), "nine", "varchar(9)", "%s", "nine"},
		{arrayOf(data.OptionalOf(data.Int32)), []any{int32(1), nil, int32(3)}, "longtext", "%s", "[1,null,3]"},
		{texts, &data.Map{Keys: []any{"k"}, Values: []any{"v"}}, "longtext", "%s", `{"k":"v"}`},
		{inner, &data.Struct{Schema: inner, Values: []any{int32(1)}}, "longtext", "%s", `{"a":1}`},
	}
	full, empty := []any{"id", int32(0)}, []any{"id", int32(2)}
	for i, c := range cases {
		name := fmt.Sprintf("c%d", i)
		full, empty = append(full, name, typed{c.schema, c.value}), append(empty, name, typed{c.schema, nil})
	}
	task := openTask(t, db, upsert...)
	records := at("t", flat(row("id", int32(0)), row(full...)), flat(row("id", int32(2)), row(empty...)))
	put(t, task, records...)
	put(t, task, records...)
	for i, c := range cases {
		name := fmt.Sprintf("c%d", i)
		got, err := db.ask(t, fmt.Sprintf("SELECT (SELECT column_type FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name = '%s'), (SELECT concat('<', "+c.read+", '>') FROM t WHERE id = 0), (SELECT %[1]s FROM t WHERE id = 2)", name, name))
		text := "<" + c.text + ">"
		if strings.ContainsAny(text, "(),\" \\") {
			text = `"` + strings.NewReplacer(`"`, `""`, `\`, `\\`).Replace(text) + `"`
		}
		kind := c.kind
		if strings.ContainsAny(kind, "(),") {
			kind = `"` + kind + `"`
		}
		if want := "(" + kind + "," + text + ",)"; err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s %s: %v, want %s; %v", c.schema.Type, c.schema.Name, got, want, err)
		}
	}
}

// TestMariaDBKeys: keys of every length are compared exactly, and texts in keys have one.
func TestMariaDBKeys(t *testing.T) {
	db := newMariaDB(t)
	task := openTask(t, db, upsert...)
	near := int64(1)<<53 + 1 // a double cannot tell it from the number before
	key := func(n int64, name string) *data.Struct { return row("n", n, "name", name) }
	put(t, task, at("t", flat(key(near-1, "a"), row("v", "x")), flat(key(near, "a"), row("v", "y")), flat(key(near, `b'\`), row("v", "z")))...)
	put(t, task, at("t", flat(key(near, "a"), nil), flat(key(near, `b'\`), row("v", "changed")))...)
	db.has(t, "SELECT n, name, v FROM t ORDER BY n", "(9007199254740992,a,x)", `(9007199254740993,"b'\\",changed)`)
	update := openTask(t, db, "insert.mode", "update", "primary.key.mode", "record_key")
	put(t, update, at("t", flat(key(near, `b'\`), row("v", "once more")), flat(key(7, "none"), row("v", "x")))...)
	db.has(t, "SELECT v FROM t ORDER BY n", "(x)", `("once more")`)
	db.exec(t, "CREATE TABLE only_keys (id int PRIMARY KEY)")
	for range 2 {
		put(t, task, at("only_keys", flat(row("id", int32(1)), row("id", int32(1))))...)
	}
	db.has(t, "SELECT id FROM only_keys", "(1)")
}

func TestMariaDBURL(t *testing.T) {
	check := func(url string) string {
		given := map[string]string{"connection.url": url, "connection.username": "u", "connection.password": "hidden"}
		values, problems := sink.Sink{}.Info().Config.Parse(given)
		if problems = append(problems, sink.Sink{}.Check(t.Context(), values, problems)...); len(problems) != 1 {
			t.Fatalf("%s: %v", url, problems)
		}
		return problems[0].Key + ": " + problems[0].Message
	}
	for url, want := range map[string]string{
		"jdbc:mysql://127.0.0.1:1/d":               "connection.url: Unable to connect: ",
		"jdbc:mariadb://127.0.0.1:1/d?useSSL=true": "connection.url: Unable to connect: ",
		"jdbc:mysql://a:1,b:2/d":                   "connection.url: ",
		"jdbc:oracle:thin:@x":                      "connection.url: ",
	} {
		if got := check(url); !strings.HasPrefix(got, want) || strings.Contains(got, "hidden") {
			t.Errorf("%s: %s", url, got)
		}
	}
	values, _ := sink.Sink{}.Info().Config.Parse(map[string]string{"connection.url": "jdbc:mysql://127.0.0.1:1/d", "connection.username": "u", "connection.password": "hidden"})
	task, err := sink.Sink{}.Open(t.Context(), plugin.SinkContext{Common: plugin.Common{Config: values}})
	if err != nil {
		t.Fatal(err)
	}
	if err := task.Put(t.Context(), at("t", flat(nil, row("v", "x")))); !errors.Is(err, plugin.ErrRetry) {
		t.Errorf("%v", err)
	}
}
