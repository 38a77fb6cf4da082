package postgres_test

import (
	"context"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/internal/sourcetest"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres"
	"github.com/pabal-dev/pabal/internal/testenv"
)

const deadline = sourcetest.Deadline

var (
	show, shown, plain, field = sourcetest.Show, sourcetest.Shown, sourcetest.Plain, sourcetest.Field
	check, throughJSON        = sourcetest.Equal, sourcetest.ThroughJSON
)

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
	return sourcetest.Values(s.t, postgres.Connector{}, s.settings)
}

// open a task at an offset.
func (s *source) open(offset map[string]any) *reader {
	s.t.Helper()
	return s.openWith(offset, plugin.SourceContext{Positions: true})
}

func (s *source) openWith(offset map[string]any, c plugin.SourceContext) *reader {
	s.t.Helper()
	return &reader{source: s, Reader: sourcetest.Open(s.t, postgres.Connector{}, s.settings, offset, c)}
}

// reader of the source's task.
type reader struct {
	*source
	*sourcetest.Reader
}

// started waits until the task has its slot, all of it: what is written before is not in it.
func (r *reader) started() {
	r.t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); {
		r.Glance(20 * time.Millisecond)
		if r.text("SELECT count(*)::text FROM pg_replication_slots WHERE slot_name = $1 AND active AND confirmed_flush_lsn IS NOT NULL", r.settings["slot.name"]) == "1" {
			return
		}
	}
	r.t.Fatal("there is no slot")
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
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
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
