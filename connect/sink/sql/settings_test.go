package sql

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium/types"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// nowhere refuses connections at once.
const nowhere = "jdbc:postgresql://127.0.0.1:1/d"

func TestProblems(t *testing.T) {
	for _, c := range []struct {
		sink plugin.Sink
		set  string
		want string // keys, sorted
	}{
		{Sink{}, "", "connection.url"},
		{Sink{}, "connection.url=jdbc:mysql://h/d", "connection.url"},
		{Sink{}, "connection.url=jdbc:oracle:thin:@h:1521:d", "connection.url"},
		{Sink{}, "insert.mode=upsert", "connection.url insert.mode"},
		{Sink{}, "insert.mode=update", "connection.url insert.mode"},
		{Sink{}, "insert.mode=update primary.key.mode=kafka", "connection.url insert.mode"},
		{Sink{}, "insert.mode=merge", "connection.url insert.mode"},
		{Sink{}, "delete.enabled=true primary.key.mode=record_value", "connection.url delete.enabled"},
		{Sink{}, "primary.key.mode=kafka primary.key.fields=a,b", "connection.url primary.key.fields"},
		{Sink{}, "field.include.list=a field.exclude.list=b", "connection.url field.exclude.list"},
		{Sink{}, "field.include.list=(", "connection.url field.include.list"},
		{Sink{}, "use.time.zone=Nowhere/No", "connection.url use.time.zone"},
		{Sink{}, "column.naming.strategy=com.example.Names", "column.naming.strategy connection.url"},
		{Sink{}, "connection.provider=com.example.Pool", "connection.provider"},
		{Sink{}, "dialect.sqlserver.identity.insert=true", "connection.url dialect.sqlserver.identity.insert"},
		{ConfluentSink{}, "insert.mode=upsert pk.mode=none", "connection.url insert.mode"},
		{ConfluentSink{}, "delete.enabled=true", "connection.url delete.enabled"},
		{ConfluentSink{}, "dialect.name=OracleDatabaseDialect", "connection.url dialect.name"},
		{ConfluentSink{}, "timestamp.fields.list=a", "connection.url timestamp.fields.list"},
	} {
		given := map[string]string{"connection.url": nowhere}
		if c.set == "" {
			delete(given, "connection.url")
		}
		for _, pair := range strings.Fields(c.set) {
			key, value, _ := strings.Cut(pair, "=")
			given[key] = value
		}
		values, problems := c.sink.Info().Config.Parse(given)
		problems = append(problems, c.sink.Check(t.Context(), values, problems)...)
		keys := map[string]bool{}
		for _, p := range problems {
			keys[p.Key] = true
		}
		if got := strings.Join(slices.Sorted(maps.Keys(keys)), " "); got != c.want {
			t.Errorf("%q: %v, want problems of %s", c.set, problems, c.want)
		}
	}
}

func TestURL(t *testing.T) {
	for given, want := range map[string]string{
		"jdbc:postgresql://h:5433/d":                                                              "h:5433 d me/secret",
		"jdbc:postgresql://h/d?user=you&password=p%26w&ssl=false":                                 "h:5432 d me/secret",
		"postgres://you:theirs@h:1/d?application_name=mine":                                       "h:1 d me/secret",
		"jdbc:postgresql://h/d?currentSchema=s&reWriteBatchedInserts=true&stringtype=unspecified": "h:5432 d me/secret s",
	} {
		s := &settings{url: given, user: "me", password: "secret", zone: "UTC"}
		c, err := s.connConfig()
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%s:%d %s %s/%s %s", c.Host, c.Port, c.Database, c.User, c.Password, c.RuntimeParams["search_path"])
		if strings.TrimSpace(got) != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
	s := &settings{url: "jdbc:postgresql://h/d?user=you&password=theirs", zone: "UTC"}
	if c, err := s.connConfig(); err != nil || c.User != "you" || c.Password != "theirs" {
		t.Errorf("user and password of the URL: %v %v", c, err)
	}
	if text := s.hidden(fmt.Errorf("no theirs here")); strings.Contains(text, "theirs") {
		t.Error(text)
	}
}

func TestNames(t *testing.T) {
	values, _ := definition.Parse(map[string]string{"connection.url": nowhere})
	s, _ := debeziumSettings(values)
	r := &plugin.SinkRecord{Record: plugin.Record{Topic: "p.public.Users"}}
	for format, want := range map[string]string{
		"${topic}": `"p_public_users"`, "Sales.${topic}": `"sales"."p_public_users"`, "db.Sales.T": `"sales"."t"`,
		`"Big.One"."T"`: `"Big.One"."T"`, "a.b.c.d": "error", "a.": "error", `"a`: "error", `x"";drop`: `"x;drop"`,
	} {
		s.format = format
		name, err := s.table(r)
		got := name.quoted()
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", format, got, want)
		}
	}
	s.keepCase, s.format = true, "${topic}"
	if name, err := s.table(r); err != nil || name.quoted() != `"p_public_Users"` {
		t.Errorf("%v %v", name, err)
	}
	if got := quote(`a"b`); got != `"a""b"` {
		t.Error(got)
	}
	s.format = "${source.nothing}"
	source := data.StructOf("source")
	v := &data.Struct{Schema: data.StructOf("e", data.Field{Name: "source", Schema: source}), Values: []any{&data.Struct{Schema: source}}}
	r.Value = v
	if _, err := s.table(r); err == nil {
		t.Error("a field that the source does not have")
	}
}

// TestOlderNames of settings stand where the newer are not given.
func TestOlderNames(t *testing.T) {
	for given, want := range map[string]string{"": "${topic} UTC", "table.name.format=old database.time_zone=Asia/Seoul": "old Asia/Seoul",
		"table.name.format=old collection.name.format=new use.time.zone=Europe/Berlin database.time_zone=Asia/Seoul": "new Europe/Berlin"} {
		c := map[string]string{"connection.url": nowhere}
		for _, pair := range strings.Fields(given) {
			key, value, _ := strings.Cut(pair, "=")
			c[key] = value
		}
		values, problems := definition.Parse(c)
		s, more := debeziumSettings(values)
		if got := s.format + " " + s.zone; got != want || len(problems)+len(more) > 0 {
			t.Errorf("%s: %s %v, want %s", given, got, append([]config.Problem(nil), problems...), want)
		}
	}
}

// TestExtensions: types of extensions that the test's server may not have.
func TestExtensions(t *testing.T) {
	geometry, geography, sparse := types.Geometry(), types.Geography(), types.SparseDoubleVector()
	little := []byte{1, 1, 0, 0, 0, 9}
	for _, c := range []struct {
		schema     *data.Schema
		value      any
		kind, text string
	}{
		{geometry, &data.Struct{Schema: geometry, Values: []any{little, int32(4326)}}, `"gis".geometry`, "0101000020e610000009"},
		{geometry, &data.Struct{Schema: geometry, Values: []any{little, nil}}, `"gis".geometry`, "010100000009"},
		{geography, &data.Struct{Schema: geography, Values: []any{[]byte{0, 0, 0, 0, 1, 9}, int32(4326)}}, `"gis".geography`, "0020000001000010e609"},
		{types.DoubleVector(), []any{1.5, -2.0}, "vector", "[1.5,-2]"},
		{types.FloatVector(), []any{float32(0.1)}, "halfvec", "[0.1]"},
		{sparse, &data.Struct{Schema: sparse, Values: []any{int16(5), &data.Map{Keys: []any{int16(1), int16(3)}, Values: []any{1.5, 2.0}}}}, "sparsevec", "{1:1.5,3:2}/5"},
		{data.Named(data.String, ltreeName), "a.b", "ltree", "a.b"},
	} {
		kind := natural(c.schema, "gis")
		text, err := encode(c.schema, c.value, columnType(kind))
		if err != nil || kind != c.kind || string(text) != c.text {
			t.Errorf("%s: %s %s %v, want %s %s", c.schema.Name, kind, text, err, c.kind, c.text)
		}
	}
}

// TestWrongValues are refused, not written as something else.
func TestWrongValues(t *testing.T) {
	point := types.Point()
	for _, c := range []struct {
		schema *data.Schema
		value  any
		kind   columnType
	}{
		{data.Named(data.Int32, data.DateName), int32(1), "date"},
		{data.Named(data.Int32, types.DateName), "today", "date"},
		{data.Named(data.Bytes, types.BitsName), "1", "bit"},
		{point, data.NewStruct(point), "point"},
		{types.Geometry(), &data.Struct{Schema: types.Geometry(), Values: []any{[]byte{1}, nil}}, "geometry"},
		{types.DoubleVector(), []any{"x"}, "vector"},
		{data.Of(data.MapType), &data.Map{Keys: []any{"a"}, Values: []any{int64(1)}}, "hstore"},
		{data.Named(data.String, types.JSONName), "[1]", "hstore"},
		{data.Of(data.Int32), struct{}{}, "integer"},
	} {
		if text, err := encode(c.schema, c.value, c.kind); err == nil {
			t.Errorf("%v of %s became %s", c.value, c.schema.Name, text)
		}
	}
}
