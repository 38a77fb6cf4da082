package sql_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/client"
	driver "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	sink "github.com/pabal-dev/pabal/connect/sink/sql"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// database of a test, with a connection to look at it.
type database struct {
	url string
	// ask runs a statement, and returns rows as PostgreSQL writes them.
	ask     func(t testing.TB, statement string) ([]string, error)
	mariaDB bool
}

// eachDatabase runs a test against every kind of database.
func eachDatabase(t *testing.T, test func(*testing.T, *database)) {
	t.Run("PostgreSQL", func(t *testing.T) { test(t, newDatabase(t)) })
	t.Run("MariaDB", func(t *testing.T) { test(t, newMariaDB(t)) })
}

// or is a statement for PostgreSQL, or the other one.
func (db *database) or(postgres, mariaDB string) string {
	if db.mariaDB {
		return mariaDB
	}
	return postgres
}

func newDatabase(t testing.TB) *database {
	t.Helper()
	url := testenv.Postgres(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return &database{url: url, ask: func(t testing.TB, statement string) ([]string, error) {
		if !strings.HasPrefix(statement, "SELECT") {
			_, err := conn.Exec(t.Context(), statement)
			return nil, err
		}
		found, err := conn.Query(t.Context(), "SELECT r::text FROM ("+statement+") r")
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(found, pgx.RowTo[string])
	}}
}

// newMariaDB is a database of its own on the server.
func newMariaDB(t testing.TB) *database {
	t.Helper()
	at, err := url.Parse(testenv.MariaDB(t))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := at.User.Password()
	conn, err := client.Connect(at.Host, at.User.Username(), password, "")
	if err != nil {
		t.Fatal(err)
	}
	name := "sink_" + strings.ToLower(rand.Text()[:10])
	at.Path = "/" + name
	db := &database{url: at.String(), mariaDB: true, ask: func(_ testing.TB, statement string) ([]string, error) {
		found, err := conn.Execute(statement)
		if err != nil || found.Resultset == nil {
			return nil, err
		}
		return textRows(found)
	}}
	db.exec(t, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4", "USE "+name, "SET time_zone = '+00:00'")
	t.Cleanup(func() {
		if _, err := conn.Execute("DROP DATABASE " + name); err != nil {
			t.Error(err)
		}
		_ = conn.Close()
	})
	return db
}

// textRows are rows as PostgreSQL writes them.
func textRows(found *driver.Result) (all []string, err error) {
	for i := range found.Values {
		var parts []string
		for j := range found.Values[i] {
			text := ""
			if null, _ := found.IsNull(i, j); !null {
				if text, err = found.GetString(i, j); err != nil {
					return nil, err
				}
				if text == "" || strings.ContainsAny(text, "(),\" \\") {
					text = `"` + strings.NewReplacer(`"`, `""`, `\`, `\\`).Replace(text) + `"`
				}
			}
			parts = append(parts, text)
		}
		all = append(all, "("+strings.Join(parts, ",")+")")
	}
	return all, nil
}

func (db *database) exec(t testing.TB, statements ...string) {
	t.Helper()
	for _, text := range statements {
		if _, err := db.ask(t, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// has compares rows, each as the text of a row of PostgreSQL.
func (db *database) has(t testing.TB, query string, want ...string) {
	t.Helper()
	got, err := db.ask(t, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s\nhas\n%s\nwant\n%s", query, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// upsert is what most configurations have.
var upsert = []string{"insert.mode", "upsert", "primary.key.mode", "record_key", "delete.enabled", "true", "schema.evolution", "basic"}

func with(c []string, more ...string) []string { return append(append([]string{}, c...), more...) }

func openSink(t testing.TB, s plugin.Sink, url string, settings ...string) plugin.SinkTask {
	t.Helper()
	c := map[string]string{"connection.url": "jdbc:" + url}
	for i := 0; i < len(settings); i += 2 {
		c[settings[i]] = settings[i+1]
	}
	values, problems := s.Info().Config.Parse(c)
	if problems = append(problems, s.Check(t.Context(), values, problems)...); len(problems) > 0 {
		t.Fatal(problems)
	}
	task, err := s.Open(t.Context(), plugin.SinkContext{Common: plugin.Common{Config: values}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := task.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return task
}

func openTask(t testing.TB, db *database, settings ...string) plugin.SinkTask {
	t.Helper()
	return openSink(t, sink.Sink{}, db.url, settings...)
}

func put(t testing.TB, task plugin.SinkTask, records ...plugin.SinkRecord) {
	t.Helper()
	if err := task.Put(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

// at numbers the records of a topic.
func at(topic string, records ...plugin.Record) []plugin.SinkRecord {
	out := make([]plugin.SinkRecord, len(records))
	for i, r := range records {
		r.Topic = topic
		out[i] = plugin.SinkRecord{Record: r, From: plugin.TopicPartition{Topic: topic, Partition: 3}, Offset: int64(i)}
	}
	return out
}

// row of pairs of a name and a value; a value may be a pair of a schema and a value.
func row(pairs ...any) *data.Struct {
	s := data.StructOf("row")
	out := &data.Struct{Schema: s}
	for i := 0; i < len(pairs); i += 2 {
		f := data.Field{Name: pairs[i].(string)}
		v := pairs[i+1]
		if typed, ok := v.(typed); ok {
			f.Schema, v = typed.schema, typed.value
		} else {
			kind, ok := data.TypeOfValue(v)
			if !ok {
				panic(fmt.Sprintf("%s: %T", f.Name, v))
			}
			f.Schema = data.OptionalOf(kind)
		}
		s.Fields, out.Values = append(s.Fields, f), append(out.Values, v)
	}
	return out
}

type typed struct {
	schema *data.Schema
	value  any
}

func flat(key, value *data.Struct) plugin.Record {
	var r plugin.Record
	if key != nil {
		r.KeySchema, r.Key = key.Schema, key
	}
	if value != nil {
		r.ValueSchema, r.Value = value.Schema, value
	}
	return r
}

var source = row("schema", "public", "table", "users")

// change of Debezium's.
func change(op string, key, before, after *data.Struct) plugin.Record {
	state := func(s *data.Struct) typed {
		if s == nil {
			return typed{&data.Schema{Type: data.StructType, Optional: true}, nil}
		}
		return typed{s.Schema, s}
	}
	return flat(key, row("before", state(before), "after", state(after), "source", source, "op", op))
}
