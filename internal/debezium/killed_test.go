package debezium

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestConnectKilled: a worker on our broker that is killed again and again while rows come sends each of
// them once, for it writes records and offsets in transactions.
func TestConnectKilled(t *testing.T) {
	testenv.Full(t)
	const rows, kills = 3000, 4
	where := testenv.Postgres(t)
	conn, err := pgx.Connect(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	execute := func(statement string, args ...any) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	execute("CREATE TABLE counted (id int PRIMARY KEY)")
	r := StartReferenceInProcess(t)
	r.Start(t, "killed", postgresConfig(t, where, "killed", "ours", map[string]string{"table.include.list": "public.counted", "exactly.once.support": "required"}))
	topic := "killed.public.counted"
	for n := range kills {
		for i := range rows / kills {
			execute("INSERT INTO counted VALUES ($1)", n*rows/kills+i)
		}
		if err := r.connect.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := r.connect.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	testenv.Wait(t, "all rows", time.Minute, func() bool { return len(r.Sent(t, topic)) >= rows })
	for i, record := range r.Sent(t, topic) {
		var key struct{ ID int }
		if err := json.Unmarshal(record.Key, &key); err != nil || key.ID != i {
			t.Fatalf("record %d is of %s: %v", i, record.Key, err)
		}
	}
}
