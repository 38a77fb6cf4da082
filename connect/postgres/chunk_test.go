package postgres_test

import (
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestChunkOfAnAlteredTable is sent as it was read, though the table has other columns by then.
func TestChunkOfAnAlteredTable(t *testing.T) {
	s := newSource(t, "snapshot.mode", "no_data", "signal.data.collection", "public.signals", "lsn.flush.mode", "manual",
		"max.batch.size", "10", "max.queue.size", "20")
	s.exec("CREATE TABLE signals (id varchar(60) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048))",
		"CREATE TABLE a (id int PRIMARY KEY, name text, gone text)", "INSERT INTO a SELECT i, 'x' || i, 'y' FROM generate_series(1, 3) i",
		"CREATE TABLE busy (id int PRIMARY KEY)")
	r := s.open(nil)
	r.started()
	s.exec(`INSERT INTO signals VALUES ('1', 'execute-snapshot', '{"data-collections": ["public.a"], "type": "incremental"}')`,
		"INSERT INTO busy SELECT generate_series(1, 3000)") // which nobody takes meanwhile
	testenv.Wait(t, "the chunk", deadline, func() bool { return s.text("SELECT count(*)::text FROM signals WHERE id LIKE '%-close'") == "1" })
	s.exec("ALTER TABLE a DROP COLUMN gone, ADD COLUMN more int NOT NULL DEFAULT 7, ADD COLUMN yet int")
	var got []string
	for len(got) < 3 {
		one := r.Take(1)[0]
		if one.Topic != "p.public.a" {
			continue
		}
		if err := data.Validate(one.ValueSchema, one.Value); err != nil {
			t.Fatal(err)
		}
		got = append(got, plain(field(one, "after")))
	}
	check(t, got, []string{"{id:1 name:x1 gone:y}", "{id:2 name:x2 gone:y}", "{id:3 name:x3 gone:y}"})
}

// TestSignalOfHiddenColumns: signals are taken from what the server sent, whatever of it is shown.
func TestSignalOfHiddenColumns(t *testing.T) {
	s := newSource(t, "snapshot.mode", "no_data", "signal.data.collection", "public.signals", "column.exclude.list", `public\.signals\.data`,
		"column.mask.hash.v2.SHA-256.with.salt.s", `public\.signals\.id`)
	s.exec("CREATE TABLE signals (id varchar(90) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048))",
		"CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)")
	r := s.open(nil)
	r.started()
	s.exec(`INSERT INTO signals VALUES ('1', 'execute-snapshot', '{"data-collections": ["public.a"], "type": "incremental"}')`)
	got := r.Until("p.public.a", 1)
	check(t, shown(got[len(got)-1:]), []string{"p.public.a r {id:1} - -> {id:1}"})
}
