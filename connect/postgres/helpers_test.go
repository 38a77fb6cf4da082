package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// deadline of a test's waits.
const deadline = 10 * time.Second

// source is a connector under test, on a database of its own.
type source struct {
	t        testing.TB
	url      string
	db       *pgx.Conn
	settings map[string]string
}

func newSource(t testing.TB, settings ...string) *source {
	t.Helper()
	s := &source{t: t, url: testenv.Postgres(t), settings: map[string]string{}}
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	name := strings.TrimPrefix(u.Path, "/")
	maps.Copy(s.settings, map[string]string{
		"connector.class": postgres.Class, "topic.prefix": "p", "plugin.name": "pgoutput", "slot.name": name,
		"database.hostname": u.Hostname(), "database.port": u.Port(), "database.user": u.User.Username(),
		"database.password": password, "database.dbname": name, "database.sslmode": "disable",
		"extended.headers.enabled": "false", "status.update.interval.ms": "50", "slot.retry.delay.ms": "100",
	})
	s.set(settings...)
	if s.db, err = pgx.Connect(t.Context(), s.url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close(context.Background()) })
	return s
}

func (s *source) set(settings ...string) {
	for i := 0; i+1 < len(settings); i += 2 {
		s.settings[settings[i]] = settings[i+1]
	}
}

func (s *source) exec(statements ...string) {
	s.t.Helper()
	for _, statement := range statements {
		if _, err := s.db.Exec(s.t.Context(), statement); err != nil {
			s.t.Fatalf("%s: %v", statement, err)
		}
	}
}

func (s *source) text(query string, args ...any) string {
	s.t.Helper()
	var out *string
	if err := s.db.QueryRow(s.t.Context(), query, args...).Scan(&out); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	if out == nil {
		return ""
	}
	return *out
}

func (s *source) values() config.Values {
	v, problems := postgres.Connector{}.Info().Config.Parse(s.settings)
	if len(problems) > 0 {
		s.t.Fatal(problems)
	}
	return v
}

// open a task at an offset, which goes through JSON as in Kafka.
func (s *source) open(offset map[string]any) *reader {
	s.t.Helper()
	return s.openWith(offset, plugin.SourceContext{Positions: true})
}

func (s *source) openWith(offset map[string]any, c plugin.SourceContext) *reader {
	s.t.Helper()
	c.Connector, c.Config, c.Logger = "test", s.values(), slog.New(slog.NewTextHandler(s.t.Output(), nil))
	c.Offset = func(context.Context, map[string]any) (map[string]any, error) { return throughJSON(s.t, offset), nil }
	task, err := postgres.Connector{}.Open(s.t.Context(), c)
	if err != nil {
		s.t.Fatal(err)
	}
	r := &reader{source: s, task: task}
	s.t.Cleanup(r.close)
	return r
}

func throughJSON(t testing.TB, m map[string]any) map[string]any {
	if m == nil {
		return nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// reader polls a task.
type reader struct {
	*source
	task    plugin.SourceTask
	pending []plugin.SourceRecord
	at      plugin.Position
	closed  bool
}

func (r *reader) close() {
	if r.closed {
		return
	}
	r.closed = true
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := r.task.Close(ctx); err != nil {
		r.t.Error(err)
	}
}

// poll until there are records, of which none is a mere position, or an error that does not pass.
func (r *reader) poll() ([]plugin.SourceRecord, error) {
	r.t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); {
		records, err := r.task.Poll(r.t.Context())
		if err != nil && !errors.Is(err, plugin.ErrRetry) {
			return nil, err
		}
		if err != nil {
			r.t.Log("it is tried again: ", err)
		}
		var out []plugin.SourceRecord
		for _, one := range records {
			if r.at = one.At; one.Topic != "" {
				out = append(out, one)
			}
		}
		if len(out) > 0 {
			return out, nil
		}
	}
	r.t.Fatal("no records came")
	return nil, nil
}

// started waits until the task has its slot, all of it: what is written before is not in it.
func (r *reader) started() {
	r.t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); {
		ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Millisecond)
		records, err := r.task.Poll(ctx)
		cancel()
		if err != nil && ctx.Err() == nil {
			r.t.Fatal(err)
		}
		for _, one := range records {
			if one.Topic != "" {
				r.pending = append(r.pending, one)
			}
		}
		if r.text("SELECT count(*)::text FROM pg_replication_slots WHERE slot_name = $1 AND active AND confirmed_flush_lsn IS NOT NULL", r.settings["slot.name"]) == "1" {
			return
		}
	}
	r.t.Fatal("there is no slot")
}

// take exactly n records.
func (r *reader) take(n int) []plugin.SourceRecord {
	r.t.Helper()
	for len(r.pending) < n {
		records, err := r.poll()
		if err != nil {
			r.t.Fatal(err)
		}
		r.pending = append(r.pending, records...)
	}
	out := r.pending[:n:n]
	r.pending = r.pending[n:]
	return out
}

// until a record of a table with an id comes; all up to it.
func (r *reader) until(topic string, id int) []plugin.SourceRecord {
	r.t.Helper()
	var out []plugin.SourceRecord
	for {
		one := r.take(1)[0]
		out = append(out, one)
		if key, ok := one.Key.(*data.Struct); ok && one.Topic == topic && fmt.Sprint(key.Values[0]) == fmt.Sprint(id) {
			return out
		}
	}
}

// quiet says that no records come for a while in which the server was asked several times.
func (r *reader) quiet() {
	r.t.Helper()
	start := time.Now()
	for time.Since(start) < 300*time.Millisecond {
		ctx, cancel := context.WithTimeout(r.t.Context(), 100*time.Millisecond)
		records, err := r.task.Poll(ctx)
		cancel()
		if err != nil && ctx.Err() == nil {
			r.t.Fatal(err)
		}
		for _, one := range records {
			if one.Topic != "" {
				r.t.Fatalf("a record came: %s", show(one))
			}
		}
	}
}

// show a record on one line: topic, op, key, before and after.
func show(r plugin.SourceRecord) string {
	value, ok := r.Value.(*data.Struct)
	if !ok {
		return fmt.Sprintf("%s tombstone %s", r.Topic, plain(r.Key))
	}
	return fmt.Sprintf("%s %v %s %s -> %s", r.Topic, value.Get("op"), plain(r.Key), plain(value.Get("before")), plain(value.Get("after")))
}

func shown(records []plugin.SourceRecord) []string {
	var out []string
	for _, r := range records {
		out = append(out, show(r))
	}
	return out
}

func plain(v any) string {
	switch v := v.(type) {
	case *data.Struct:
		if v == nil {
			return "-"
		}
		var parts []string
		for i, f := range v.Schema.Fields {
			parts = append(parts, f.Name+":"+plain(v.Values[i]))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case []any:
		var parts []string
		for _, one := range v {
			parts = append(parts, plain(one))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case *data.Map:
		var parts []string
		for i := range v.Keys {
			parts = append(parts, plain(v.Keys[i])+"="+plain(v.Values[i]))
		}
		return "map[" + strings.Join(parts, " ") + "]"
	case []byte:
		return fmt.Sprintf("%x", v)
	case data.Decimal:
		return v.String()
	case nil:
		return "-"
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}

func field(r plugin.SourceRecord, names ...string) any {
	v := r.Value
	for _, name := range names {
		s, ok := v.(*data.Struct)
		if !ok || s == nil {
			return nil
		}
		v = s.Get(name)
	}
	return v
}

func check(t testing.TB, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func connectTo(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// connectAnd does things after the test's context has ended.
func connectAnd(t testing.TB, url string, statements ...string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
}
