package postgres_test

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// orders are primary keys of many types, made of the number i; their order is not that of i.
var orders = []struct{ name, columns, key, of string }{
	{"k_date", "k date", "k", "date '2020-01-01' + (%[1]d * 7) %% 401"},
	{"k_timestamp", "k timestamp", "k", "timestamp '1999-12-31 23:00:00.000001' + %[1]d * interval '90 minutes'"},
	{"k_zoned", "k timestamptz", "k", "timestamptz '2024-03-31 01:00:00+02' - %[1]d * interval '1 hour 1 microsecond'"},
	{"k_interval", "k interval", "k", "%[1]d * interval '40 minutes'"},
	{"k_numeric", "k numeric(12,4)", "k", "(%[1]d - 200) * 1.0625"},
	{"k_uuid", "k uuid", "k", "md5('%[1]d')::uuid"},
	{"k_bytes", "k bytea", "k", "decode(md5('%[1]d'), 'hex')"},
	{"k_char", "k char(6)", "k", "chr(97 + %[1]d %% 7) || %[1]d"},
	{"k_collated", `k text COLLATE "und-x-icu"`, "k", "CASE %[1]d %% 3 WHEN 0 THEN 'a' WHEN 1 THEN 'B' ELSE 'ä' END || %[1]d"},
	{"k_empty", "k text", "k", "repeat('x', %[1]d - 2)"},
	{"k_composite", "k text, n int", "k, n", "E'a\\tb\\\\' || %[1]d %% 9, -%[1]d"},
	{"k_enum", "k mood, n bigint", "k, n", "(ARRAY['sad', 'ok', 'Able'])[1 + %[1]d %% 3]::mood, %[1]d"},
}

func (s *source) changeKeyed(random interface{ IntN(int) int }, n int) {
	o := orders[random.IntN(len(orders))]
	one, other := fmt.Sprintf(o.of, 2+random.IntN(400)), fmt.Sprintf(o.of, 2+random.IntN(400))
	switch random.IntN(4) {
	case 0:
		s.exec(fmt.Sprintf("INSERT INTO %s (%s, v) SELECT %s, %d ON CONFLICT DO NOTHING", o.name, o.key, one, n))
	case 1:
		s.exec(fmt.Sprintf("UPDATE %s SET v = %d WHERE (%s) = (%s)", o.name, n, o.key, one))
	case 2:
		s.exec(fmt.Sprintf("DELETE FROM %s WHERE (%s) = (%s)", o.name, o.key, one))
	default: // a row moves
		s.exec(fmt.Sprintf("UPDATE %[1]s SET (%[2]s) = ROW(%[4]s) WHERE (%[2]s) = (%[3]s) AND NOT EXISTS (SELECT FROM %[1]s WHERE (%[2]s) = (%[4]s))", o.name, o.key, one, other))
	}
}

// TestEveryOrderIsResumed stops a snapshot within tables with primary keys of many types, changes
// rows on both sides of where it stopped, and sees that a consumer gets each row once and has in the
// end what the tables have.
func TestEveryOrderIsResumed(t *testing.T) {
	random := testenv.Rand(t)
	s := newSource(t, "snapshot.max.threads", fmt.Sprint(len(orders)), "max.batch.size", "20", "max.queue.size", "60")
	s.exec("CREATE TYPE mood AS ENUM ('sad', 'ok', 'Able')")
	for _, o := range orders {
		s.exec(fmt.Sprintf("CREATE TABLE %s (%s, v int, filling text DEFAULT repeat('x', 2000), PRIMARY KEY (%s))", o.name, o.columns, o.key))
		for i := 2; i < 402; i += 2 {
			s.exec(fmt.Sprintf("INSERT INTO %s (%s, v) SELECT %s, 0", o.name, o.key, fmt.Sprintf(o.of, i)))
		}
	}
	m := newModel(t)
	var offset map[string]any
	for round := range 4 {
		r := s.open(offset)
		for _, one := range r.Take(200 + random.IntN(300)) {
			m.apply(one)
			offset = one.At.Offset()
		}
		r.Close()
		if offset["snapshot_progress"] == nil {
			t.Fatal("the snapshot is over")
		}
		for n := range 150 {
			s.changeKeyed(random, 1000*round+n)
		}
	}
	r := s.open(offset)
	for offset["snapshot_progress"] != nil {
		one := r.Take(1)[0]
		m.apply(one)
		offset = one.At.Offset()
	}
	s.exec("CREATE TABLE z (id int PRIMARY KEY)", "INSERT INTO z VALUES (1)")
	for _, one := range r.Until("p.public.z", 1) {
		m.apply(one)
	}
	r.Close()
	delete(m.rows, "p.public.z{id:1}")
	compare(t, m.rows, s.readAnew("z"))
}

// readAnew are the rows of all tables but one, as a snapshot by another connector has them.
func (s *source) readAnew(but string) map[string]string {
	s.t.Helper()
	s.set("slot.name", s.settings["slot.name"]+"_2", "snapshot.mode", "initial_only", "table.exclude.list", "public."+but)
	r, m := s.open(nil), newModel(s.t)
	for {
		one := r.Take(1)[0]
		if m.apply(one); one.At.Offset()["snapshot_completed"] == true {
			r.Close()
			return m.rows
		}
	}
}

// TestTableBeginsAnew where its rows cannot be told from those still to be read: there is no key, or
// another one. Deletions of rows that were read the first time are told.
func TestTableBeginsAnew(t *testing.T) {
	for name, c := range map[string]struct{ create, alter string }{
		"no key":      {"ALTER TABLE a REPLICA IDENTITY FULL", "SELECT 1"},
		"another key": {"ALTER TABLE a ADD PRIMARY KEY (id)", "ALTER TABLE a DROP CONSTRAINT a_pkey, ADD PRIMARY KEY (other)"},
		"identity":    {"ALTER TABLE a ADD PRIMARY KEY (id), ADD UNIQUE (other), REPLICA IDENTITY USING INDEX a_other_key", "SELECT 1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSource(t, "max.batch.size", "10", "max.queue.size", "20")
			s.exec("CREATE TABLE a (id int NOT NULL, other int NOT NULL)", c.create)
			s.exec("INSERT INTO a SELECT i, 1000 - i FROM generate_series(1, 300) i")
			r := s.open(nil)
			offset := r.Take(100)[99].At.Offset()
			r.Close()
			s.exec(c.alter, "DELETE FROM a WHERE id IN (5, 299)", "INSERT INTO a VALUES (1000, 0)")
			r = s.open(offset)
			deleted, read := 0, map[string]bool{}
			for offset["snapshot_completed"] != true {
				one := r.Take(1)[0]
				offset = one.At.Offset()
				if one.Value == nil {
					continue
				}
				switch id := plain(field(one, "after", "id")); field(one, "op") {
				case "d":
					deleted++
				case "r":
					if read[id] {
						t.Errorf("the row %s is read twice", id)
					}
					read[id] = true
				default:
					t.Errorf("a record came: %s", show(one))
				}
				if err := data.Validate(one.ValueSchema, one.Value); err != nil {
					t.Fatal(err)
				}
			}
			if deleted != 2 || len(read) != 299 {
				t.Errorf("%d rows were deleted and %d read", deleted, len(read))
			}
		})
	}
}
