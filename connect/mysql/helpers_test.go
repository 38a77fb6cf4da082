package mysql_test

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/client"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/internal/sourcetest"
	"github.com/pabal-dev/pabal/connect/mysql"
	"github.com/pabal-dev/pabal/connect/plugin"
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
	db       *client.Conn
	name     string
	settings map[string]string
}

func newSource(t testing.TB, settings ...string) *source {
	t.Helper()
	return newSourceOn(t, testenv.MariaDB(t), settings...)
}

func newSourceOn(t testing.TB, where string, settings ...string) *source {
	t.Helper()
	u, err := url.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	s := &source{t: t, name: "t" + strings.ToLower(rand.Text()[:12]), settings: map[string]string{}}
	maps.Copy(s.settings, map[string]string{
		"connector.class": mysql.MariaDBClass, "topic.prefix": "p", "database.server.id": fmt.Sprint(100_000 + time.Now().UnixNano()%1_000_000_000),
		"database.hostname": u.Hostname(), "database.port": u.Port(), "database.user": u.User.Username(), "database.password": password,
		"database.include.list": s.name, "extended.headers.enabled": "false",
	})
	s.set(settings...)
	reached := maps.Clone(s.settings)
	s.db = connectTo(t, s.settings, "")
	s.exec("CREATE DATABASE "+s.name, "USE "+s.name)
	t.Cleanup(func() {
		c := connectTo(t, reached, "")
		if _, err := c.Execute("DROP DATABASE " + s.name); err != nil {
			t.Error(err)
		}
	})
	return s
}

func connectTo(t testing.TB, settings map[string]string, database string) *client.Conn {
	t.Helper()
	c, err := client.Connect(settings["database.hostname"]+":"+settings["database.port"], settings["database.user"], settings["database.password"], database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Execute("SET NAMES utf8mb4"); err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *source) set(settings ...string) {
	for i := 0; i+1 < len(settings); i += 2 {
		s.settings[settings[i]] = settings[i+1]
	}
}

func (s *source) exec(statements ...string) {
	s.t.Helper()
	for _, statement := range statements {
		if _, err := s.db.Execute(statement); err != nil {
			s.t.Fatalf("%s: %v", statement, err)
		}
	}
}

func (s *source) values() config.Values { return sourcetest.Values(s.t, mysql.MariaDB{}, s.settings) }

// open a task at an offset.
func (s *source) open(offset map[string]any) *reader {
	s.t.Helper()
	return s.openWith(offset, plugin.SourceContext{Positions: true})
}

func (s *source) openWith(offset map[string]any, c plugin.SourceContext) *reader {
	s.t.Helper()
	return &reader{source: s, Reader: sourcetest.Open(s.t, mysql.MariaDB{}, s.settings, offset, c)}
}

// reader of the source's task.
type reader struct {
	*source
	*sourcetest.Reader
}

// started waits until the task says a position.
func (r *reader) started() {
	r.t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); {
		records, err := r.Task.Poll(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		for _, one := range records {
			if r.At = one.At; one.Topic != "" && one.Topic != "notes" {
				r.t.Fatalf("a record came: %s", show(one))
			}
			return
		}
	}
	r.t.Fatal("the task says no position")
}
