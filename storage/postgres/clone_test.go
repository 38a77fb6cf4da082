package postgres_test

import (
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// TestTemplateCopyIsAnotherSystem: a database copied within its server has the
// outbox's UUID, and must not be taken for it.
func TestTemplateCopyIsAnotherSystem(t *testing.T) {
	address := testenv.Postgres(t)
	db, err := postgres.Open(t.Context(), address, postgres.Config{})
	if err != nil {
		t.Fatal(err)
	}
	first := must[outbox.Identity](t)(db.Identity(t.Context()))
	db.Close() // a template has no connections

	original, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	admin, copied := *original, *original
	admin.Path, copied.Path = "/postgres", original.Path+"_copy"
	conn, err := pgx.Connect(t.Context(), admin.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	name := pgx.Identifier{copied.Path[1:]}.Sanitize()
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+pgx.Identifier{original.Path[1:]}.Sanitize()); err != nil {
		t.Fatal(err)
	}
	defer conn.Exec(t.Context(), "DROP DATABASE "+name+" WITH (FORCE)")

	second := must[outbox.Identity](t)(open(t, copied.String(), postgres.Config{}).Identity(t.Context()))
	if first.Outbox != second.Outbox || first.System == second.System || first.System == "" {
		t.Errorf("%+v, %+v", first, second)
	}
}
