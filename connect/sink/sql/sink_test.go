package sql_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	sink "github.com/pabal-dev/pabal/connect/sink/sql"
	"github.com/pabal-dev/pabal/internal/testenv"
)

func TestChanges(t *testing.T) { eachDatabase(t, testChanges) }

func testChanges(t *testing.T, db *database) {
	users := db.or("p_public_users", "p_public_Users") // names are as they are there
	task := openTask(t, db, with(upsert, "field.exclude.list", ".*:secret", "truncate.enabled", "true")...)
	records := at("p.public.Users",
		change("r", row("ID", int32(1)), nil, row("ID", int32(1), "name", "a", "secret", "s")),
		change("c", row("ID", int32(2)), nil, row("ID", int32(2), "name", "b", "secret", "s")),
		change("u", row("ID", int32(1)), nil, row("ID", int32(1), "name", "changed", "secret", "s")),
		change("d", row("ID", int32(2)), row("ID", int32(2)), nil),
		flat(row("ID", int32(2)), nil),
		change("c", row("ID", int32(3)), nil, row("ID", int32(3), "name", "c", "age", int64(7))),
		change("m", row("prefix", "x"), nil, nil),
	)
	for range 2 { // as after a failure
		put(t, task, records...)
		db.has(t, "SELECT id, name, age FROM "+users+" ORDER BY id", "(1,changed,)", "(3,c,7)")
	}
	put(t, task, at("p.public.Users", change("t", nil, nil, nil), change("c", row("ID", int32(9)), nil, row("ID", int32(9), "name", "after")))...)
	db.has(t, "SELECT id, name, age FROM "+users, "(9,after,)")
	if db.mariaDB {
		db.has(t, "SELECT lower(column_name) FROM information_schema.key_column_usage WHERE table_schema = DATABASE() AND constraint_name = 'PRIMARY'", "(id)")
		return
	}
	db.has(t, "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) WHERE i.indisprimary AND i.indrelid = 'p_public_users'::regclass", "(id)")
}

// TestUnavailable: what was not in the source's log stays as it is.
func TestUnavailable(t *testing.T) { eachDatabase(t, testUnavailable) }

func testUnavailable(t *testing.T, db *database) {
	task := openTask(t, db, upsert...)
	const missing = "__debezium_unavailable_value"
	put(t, task, at("t",
		change("c", row("id", int32(1)), nil, row("id", int32(1), "n", int32(1), "large", "kept", "bin", []byte("kept"))),
		change("u", row("id", int32(1)), nil, row("id", int32(1), "n", int32(2), "large", missing, "bin", []byte(missing))),
	)...)
	db.has(t, db.or("SELECT id, n, large, convert_from(bin, 'UTF8') FROM t", "SELECT id, n, large, convert(bin USING utf8mb4) FROM t"), "(1,2,kept,kept)")
}

// TestOrder compares random changes, in batches of random length, with what a map has after them.
func TestOrder(t *testing.T) { eachDatabase(t, testOrder) }

func testOrder(t *testing.T, db *database) {
	rnd := testenv.Rand(t)
	task := openTask(t, db, with(upsert, "batch.size", "7")...)
	want := map[int32]string{}
	put(t, task, at("t", flat(row("id", int32(-1)), row("id", int32(-1), "a", int32(0), "b", int32(0))), flat(row("id", int32(-1)), nil))...)
	for range 60 {
		var records []plugin.Record
		for range rnd.IntN(25) {
			id, v := int32(rnd.IntN(6)), int32(rnd.IntN(1000))
			a, b, _ := strings.Cut(want[id], ",")
			switch rnd.IntN(5) {
			case 0:
				records = append(records, flat(row("id", id), nil))
				delete(want, id)
				continue
			case 1: // knows less of the row
				records = append(records, flat(row("id", id), row("id", id, "b", v)))
				b = fmt.Sprint(v)
			default:
				records = append(records, flat(row("id", id), row("id", id, "a", v, "b", v+1)))
				a, b = fmt.Sprint(v), fmt.Sprint(v+1)
			}
			want[id] = a + "," + b
		}
		put(t, task, at("t", records...)...)
		var all []string
		for _, id := range slices.Sorted(maps.Keys(want)) {
			all = append(all, fmt.Sprintf("(%d,%s)", id, want[id]))
		}
		db.has(t, "SELECT id, a, b FROM t ORDER BY id", all...)
	}
}

func TestModes(t *testing.T) { eachDatabase(t, testModes) }

func testModes(t *testing.T, db *database) {
	there := db.or(`"There"`, "There")
	db.exec(t, "CREATE TABLE "+there+" (id int "+db.or("GENERATED ALWAYS AS IDENTITY", "AUTO_INCREMENT")+" PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED)")
	task := openTask(t, db, "collection.name.format", db.or("public.There", "There"), "quote.identifiers", "true", "insert.mode", "insert", "primary.key.mode", "record_value", "primary.key.fields", "id")
	put(t, task, at("t", flat(nil, row("id", int32(5), "n", int32(1), "twice", int32(0))), flat(nil, row("id", int32(6), "n", int32(2), "twice", int32(0))))...)
	db.has(t, "SELECT * FROM "+there, "(5,1,2)", "(6,2,4)")

	task = openTask(t, db, "collection.name.format", "There", "quote.identifiers", "true", "insert.mode", "update", "primary.key.mode", "record_key", "primary.key.fields", "id")
	put(t, task, at("t",
		plugin.Record{KeySchema: data.Of(data.Int32), Key: int32(5), ValueSchema: row("n", int32(3)).Schema, Value: row("n", int32(3))},
		plugin.Record{KeySchema: data.Of(data.Int32), Key: int32(5), ValueSchema: row("n", int32(4)).Schema, Value: row("n", int32(4))},
		plugin.Record{KeySchema: data.Of(data.Int32), Key: int32(9), ValueSchema: row("n", int32(9)).Schema, Value: row("n", int32(9))},
	)...)
	db.has(t, "SELECT * FROM "+there+" ORDER BY id", "(5,4,8)", "(6,2,4)")

	task = openTask(t, db, "insert.mode", "upsert", "primary.key.mode", "kafka", "schema.evolution", "basic", "collection.name.format", "copy_${source.table}")
	for range 2 {
		put(t, task, at("t", change("c", nil, nil, row("id", int32(1))), change("u", nil, nil, row("id", int32(1))))...)
	}
	db.has(t, "SELECT __connect_topic, __connect_partition, __connect_offset, id FROM copy_users ORDER BY 3", "(t,3,0,1)", "(t,3,1,1)")

	task = openTask(t, db, "insert.mode", "upsert", "primary.key.mode", "record_header", "primary.key.fields", "tenant", "schema.evolution", "basic", "collection.name.format", "headers")
	r := flat(nil, row("v", "x"))
	r.Headers = []plugin.Header{{Key: "tenant", Schema: data.Of(data.String), Value: "one"}, {Key: "other", Schema: data.Of(data.String), Value: "-"}}
	put(t, task, at("t", r, r)...)
	db.has(t, "SELECT tenant, v FROM headers", "(one,x)")

	task = openTask(t, db, "primary.key.mode", "record_key", "delete.enabled", "true", "schema.evolution", "basic", "collection.name.format", "inserted")
	one := func(v string) plugin.Record { return flat(row("id", int32(1)), row("v", v)) }
	put(t, task, at("t", one("a"), flat(row("id", int32(1)), nil), one("b"), flat(row("id", int32(1)), nil), one("c"))...)
	put(t, task, at("t", flat(row("id", int32(1)), nil), one("d"))...)
	put(t, task, at("t", flat(row("id", int32(2)), row("v", "x")), flat(row("id", int32(2)), nil))...)
	db.has(t, "SELECT id, v FROM inserted", "(1,d)")

	task = openTask(t, db, "schema.evolution", "basic", "collection.name.format", "keyless")
	put(t, task, at("t", flat(nil, row("v", "x")), flat(nil, row("v", "x")), flat(nil, nil))...)
	db.has(t, "SELECT v FROM keyless", "(x)", "(x)")
}

func TestConfluent(t *testing.T) { eachDatabase(t, testConfluent) }

func testConfluent(t *testing.T, db *database) {
	task := openSink(t, sink.ConfluentSink{}, db.url, "insert.mode", "upsert", "pk.mode", "record_key", "pk.fields", "ID", "auto.create", "true", "auto.evolve", "true", "delete.enabled", "true", "fields.whitelist", "v,w", "table.name.format", db.or("public.T_${topic}", "T_${topic}"))
	key := func(n int32, value *data.Struct) plugin.Record {
		r := flat(nil, value)
		r.KeySchema, r.Key = data.Of(data.Int32), n
		return r
	}
	for range 2 {
		put(t, task, at("x", key(1, row("v", "a", "no", "-")), key(2, row("v", "b")), key(1, row("v", "c", "w", int32(1))), key(2, nil))...)
		db.has(t, db.or(`SELECT * FROM "T_x"`, "SELECT * FROM T_x"), "(1,c,1)")
	}
}

// TestRefused: the record that is wrong is named, and those before it are stored.
func TestRefused(t *testing.T) { eachDatabase(t, testRefused) }

func testRefused(t *testing.T, db *database) {
	db.exec(t, "CREATE TABLE t (id int PRIMARY KEY, v varchar(5) CHECK (v <> 'never'), u uuid)")
	task := openTask(t, db, with(upsert, "schema.evolution", "none")...)
	good := func(id int32) plugin.Record { return flat(row("id", id), row("id", id, "v", "good")) }
	for name, bad := range map[string]plugin.Record{
		"no key":            flat(nil, row("id", int32(2), "v", "x")),
		"a key that is nil": flat(row("id", typed{data.OptionalOf(data.Int32), nil}), row("v", "x")),
		"no schema":         {KeySchema: row("id", int32(2)).Schema, Key: row("id", int32(2)), Value: &data.Map{Keys: []any{"id"}, Values: []any{int64(2)}}},
		"no such column":    flat(row("id", int32(2)), row("w", "x")),
		"too long":          flat(row("id", int32(2)), row("v", "too long")),
		"a constraint":      flat(row("id", int32(2)), row("v", "never")),
		"no UUID":           flat(row("id", int32(2)), row("u", "x")),
		"a zero byte":       flat(row("id", int32(2)), row("v", "\x00")),
		"an unknown op":     change("?", row("id", int32(2)), nil, row("id", int32(2))),
		"a definition":      flat(nil, row("ddl", "CREATE", "tableChanges", "")),
	} {
		if name == "a zero byte" && db.mariaDB {
			continue // it is a character there
		}
		t.Run(name, func(t *testing.T) {
			db.exec(t, "DELETE FROM t")
			err := task.Put(t.Context(), at("t", good(1), bad, good(3)))
			var record *plugin.RecordError
			if !errors.As(err, &record) || record.Index != 1 {
				t.Fatalf("%v", err)
			}
			db.has(t, "SELECT id FROM t", "(1)")
			put(t, task, at("t", good(3))...)
		})
	}
	err := task.Put(t.Context(), at("missing", good(1)))
	var record *plugin.RecordError
	if err == nil || errors.As(err, &record) || errors.Is(err, plugin.ErrRetry) || !strings.Contains(err.Error(), `"missing"`) {
		t.Errorf("no table: %v", err)
	}
}

// TestAlteredMeanwhile: what the sink knows of a table is not what it is any more.
func TestAlteredMeanwhile(t *testing.T) { eachDatabase(t, testAlteredMeanwhile) }

func testAlteredMeanwhile(t *testing.T, db *database) {
	task := openTask(t, db, upsert...)
	one := at("t", flat(row("id", int32(1)), row("id", int32(1), "v", "7")))
	put(t, task, one...)
	db.exec(t, db.or("ALTER TABLE t ALTER v TYPE int USING 0", "ALTER TABLE t MODIFY v int"))
	put(t, task, one...)
	db.has(t, "SELECT * FROM t", "(1,7)")
	db.exec(t, "ALTER TABLE t DROP v")
	put(t, task, one...)
	db.has(t, "SELECT * FROM t", "(1,7)")
	db.exec(t, "DROP TABLE t")
	put(t, task, one...)
	db.has(t, "SELECT * FROM t", "(1,7)")
}

func TestReconnect(t *testing.T) { eachDatabase(t, testReconnect) }

func testReconnect(t *testing.T, db *database) {
	task := openTask(t, db, upsert...)
	put(t, task, at("t", flat(row("id", int32(1)), row("id", int32(1))))...)
	if db.mariaDB {
		ids, err := db.ask(t, "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
		if err != nil || len(ids) != 1 {
			t.Fatal(ids, err)
		}
		db.exec(t, "KILL "+strings.Trim(ids[0], "()"))
	} else {
		db.exec(t, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'pabal' AND datname = current_database()")
	}
	records := at("t", flat(row("id", int32(2)), row("id", int32(2))))
	if err := task.Put(t.Context(), records); !errors.Is(err, plugin.ErrRetry) {
		t.Fatalf("after the connection was ended: %v", err)
	}
	put(t, task, records...)
	db.has(t, "SELECT id FROM t ORDER BY 1", "(1)", "(2)")
}

func TestServerAway(t *testing.T) {
	values, problems := sink.Sink{}.Info().Config.Parse(map[string]string{"connection.url": "jdbc:postgresql://127.0.0.1:1/d", "connection.username": "u", "connection.password": "hidden"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if problems := (sink.Sink{}).Check(t.Context(), values, nil); len(problems) != 1 || problems[0].Key != "connection.url" || strings.Contains(problems[0].Message, "hidden") {
		t.Errorf("%v", problems)
	}
	task, err := sink.Sink{}.Open(t.Context(), plugin.SinkContext{Common: plugin.Common{Config: values}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = task.Close(context.WithoutCancel(t.Context())) }()
	if err := task.Put(t.Context(), at("t", flat(nil, row("v", "x")))); !errors.Is(err, plugin.ErrRetry) {
		t.Errorf("%v", err)
	}
}
