package postgres_test

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestIncrementalSnapshot reads a table beside its changes, is stopped within, and ends with what
// the table has.
func TestIncrementalSnapshot(t *testing.T) {
	for _, strategy := range []string{"INSERT_INSERT", "INSERT_DELETE"} {
		random := testenv.Rand(t)
		s := newSource(t, "snapshot.mode", "no_data", "signal.data.collection", "public.signals", "incremental.snapshot.chunk.size", "100",
			"incremental.snapshot.watermarking.strategy", strategy, "table.include.list", "public.a", "lsn.flush.mode", "manual")
		s.exec("CREATE TABLE signals (id varchar(60) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048))",
			"CREATE TABLE a (id int PRIMARY KEY, name text NOT NULL)", "INSERT INTO a SELECT i, 'name ' || i FROM generate_series(1, 1500) i")
		rows := map[string]string{}
		reads := 0
		r := s.open(nil)
		r.started()
		s.exec(`INSERT INTO signals VALUES ('1', 'execute-snapshot', '{"data-collections": ["public.a"], "type": "incremental"}')`)
		for n, done := 0, false; !done; n++ {
			if reads > 1000 && len(r.Pending) == 0 {
				s.exec(fmt.Sprintf("INSERT INTO a VALUES (%d, 'goes on')", 5000+n))
			}
			one := r.Take(1)[0]
			if one.Topic == "p.public.a" && one.Value != nil {
				key := one.Topic + plain(one.Key)
				switch field(one, "op") {
				case "d":
					delete(rows, key)
				case "r":
					reads++
					if field(one, "source", "snapshot") != "incremental" {
						t.Fatal(plain(field(one, "source")))
					}
					fallthrough
				default:
					rows[key] = plain(field(one, "after"))
				}
				if err := data.Validate(one.ValueSchema, one.Value); err != nil {
					t.Fatal(err)
				}
			}
			if n%40 == 20 {
				s.change(random, "a")
			}
			if n == 700 {
				offset := one.At.Offset()
				if offset["incremental_snapshot_collections"] == nil {
					t.Errorf("the offset is %v", offset)
				}
				r.Close()
				r = s.open(offset)
			}
			done = reads > 1000 && one.At.Offset()["incremental_snapshot_collections"] == nil && field(one, "source", "snapshot") != "incremental"
			if done {
				s.exec("INSERT INTO a VALUES (100000, 'end')")
				for _, one := range r.Until("p.public.a", 100000) {
					if one.Topic != "p.public.a" || one.Value == nil {
						continue
					}
					if key := one.Topic + plain(one.Key); field(one, "op") == "d" {
						delete(rows, key)
					} else {
						rows[key] = plain(field(one, "after"))
					}
				}
			}
		}
		r.Close()
		compare(t, rows, s.rows("p.public.a", "SELECT id, name FROM a"))
	}
}
