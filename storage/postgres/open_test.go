package postgres_test

import (
	"context"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
)

func TestOpenSaysWhatIsWrong(t *testing.T) {
	good := testenv.Postgres(t)
	change := func(f func(*url.URL)) string {
		u, err := url.Parse(good)
		if err != nil {
			t.Fatal(err)
		}
		f(u)
		return u.String()
	}
	user := must[*url.URL](t)(url.Parse(good)).User.Username()
	nowhere := unusedAddress(t)
	silent := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	defer silent.Close()
	for _, c := range []struct {
		name, url string
		config    postgres.Config
		want      []string
	}{
		{"unreachable", change(func(u *url.URL) { u.Host = nowhere }), postgres.Config{}, []string{nowhere, "cannot reach", "refused"}},
		{"no answer", change(func(u *url.URL) { u.Host = silent.Addr().String(); u.RawQuery += "&connect_timeout=1" }), postgres.Config{},
			[]string{silent.Addr().String(), "no answer in time"}},
		{"wrong password", change(func(u *url.URL) { u.User = url.UserPassword(user, "tops3cret") }), postgres.Config{},
			[]string{"wrong password", user}},
		{"no database", change(func(u *url.URL) { u.Path = "/nosuchdb" }), postgres.Config{}, []string{`"nosuchdb"`, "does not exist"}},
		{"not a URL", "postgres://u:tops3cret@h:port/db", postgres.Config{}, []string{"cannot be read"}},
		{"reserved schema", good, postgres.Config{Schema: "pg_orders"}, []string{"reserved"}},
		{"long schema", good, postgres.Config{Schema: strings.Repeat("é", 40)}, []string{"80 bytes"}},
		{"NUL in schema", good, postgres.Config{Schema: "a\x00b"}, []string{"NUL"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, err := postgres.Open(t.Context(), c.url, c.config)
			if err == nil {
				_ = db.Close()
				t.Fatal("opened")
			}
			text := err.Error()
			t.Log(text)
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q does not say %q", text, want)
				}
			}
			if strings.Contains(text, "\n") || strings.Contains(text, "tops3cret") {
				t.Errorf("several lines, or the password: %q", text)
			}
		})
	}
}

func unusedAddress(t *testing.T) string {
	l := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	return l.Addr().String()
}

func TestOpenEndsWithItsContext(t *testing.T) {
	silent := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := postgres.Open(ctx, "postgres://u@"+silent.Addr().String()+"/db?sslmode=disable", postgres.Config{})
	if took := time.Since(start); err == nil || took > time.Minute {
		t.Errorf("%v after %s", err, took)
	}
}

func TestSchemaOfTheURL(t *testing.T) {
	where := testenv.Postgres(t)
	if db := open(t, where, postgres.Config{}); db.Schema() != "public" {
		t.Error(db.Schema())
	}
	if db := open(t, where+"&search_path=Orders,public", postgres.Config{}); db.Schema() != "orders" {
		t.Error(db.Schema())
	}
	db := open(t, where+"&search_path=Orders", postgres.Config{Schema: "Orders"})
	var schema, name, idle string
	err := db.Pool().QueryRow(t.Context(), `SELECT current_schema(), current_setting('application_name'),
		current_setting('tcp_keepalives_idle')`).Scan(&schema, &name, &idle)
	if err != nil || schema != "Orders" || name != "pabal" || idle != "30" {
		t.Error(schema, name, idle, err)
	}
}

// TestManyOpenTheSameSchema: the first creates it, nobody fails.
func TestManyOpenTheSameSchema(t *testing.T) {
	where := testenv.Postgres(t)
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			db, err := postgres.Open(t.Context(), where, postgres.Config{Schema: "same"})
			if err != nil {
				t.Error(err)
				return
			}
			_ = db.Close()
		})
	}
	work.Wait()
}

// TestOpenNeedsNoRightsItDoesNotUse: where the tables are there, a user who may
// only read and write them is enough.
func TestOpenNeedsNoRightsItDoesNotUse(t *testing.T) {
	where := testenv.Postgres(t)
	owner := open(t, where, postgres.Config{Schema: "app"})
	must[any](t)(owner.Pool().Exec(t.Context(), `
		DROP ROLE IF EXISTS pabal_lowly; CREATE ROLE pabal_lowly LOGIN PASSWORD 'lowly';
		GRANT USAGE ON SCHEMA app TO pabal_lowly;
		GRANT ALL ON ALL TABLES IN SCHEMA app TO pabal_lowly; GRANT ALL ON ALL SEQUENCES IN SCHEMA app TO pabal_lowly`))
	t.Cleanup(func() {
		_, err := owner.Pool().Exec(context.Background(), "DROP OWNED BY pabal_lowly; DROP ROLE pabal_lowly")
		if err != nil {
			t.Error(err)
		}
	})
	u := must[*url.URL](t)(url.Parse(where))
	u.User = url.UserPassword("pabal_lowly", "lowly")
	db := must[*postgres.DB](t)(postgres.Open(t.Context(), u.String(), postgres.Config{Schema: "app"}))
	defer db.Close()
	enqueue(t, db, message("t", "k", 1))
	h := must[outbox.Horizon](t)(db.Horizon(t.Context()))
	id := must[outbox.Identity](t)(db.Identity(t.Context()))
	if h.LastID != 1 || id.System == "" || len(pending(t, db)) != 1 {
		t.Errorf("%+v, %+v", h, id)
	}
	if _, err := postgres.Open(t.Context(), u.String(), postgres.Config{Schema: "other"}); err == nil || !strings.Contains(err.Error(), `create schema "other"`) {
		t.Errorf("another schema: %v", err)
	}
}

func TestTwoSchemasOfOneDatabase(t *testing.T) {
	where := testenv.Postgres(t)
	a, b := open(t, where, postgres.Config{Schema: "a"}), open(t, where, postgres.Config{Schema: "b"})
	ctx := t.Context()
	err := a.Update(ctx, func(tx *postgres.Tx) error {
		if err := tx.InsertOutbox(ctx, []outbox.Message{message("t", "k", 1)}); err != nil {
			return err
		}
		if h := must[outbox.Horizon](t)(a.Horizon(ctx)); len(h.Writers) != 1 {
			t.Errorf("a sees writers %v", h.Writers)
		}
		if h := must[outbox.Horizon](t)(b.Horizon(ctx)); len(h.Writers) != 0 || h.LastID != 0 {
			t.Errorf("b sees a's writer: %+v", h)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, m := len(pending(t, a)), len(pending(t, b)); n != 1 || m != 0 {
		t.Errorf("a has %d rows, b %d", n, m)
	}
	idA, idB := must[outbox.Identity](t)(a.Identity(ctx)), must[outbox.Identity](t)(b.Identity(ctx))
	if idA.Outbox == idB.Outbox || idA.System != idB.System {
		t.Errorf("%+v, %+v", idA, idB)
	}
}
