package mysql_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// model is what a consumer of the records has.
type model map[string]string

func (m model) apply(t testing.TB, records []plugin.SourceRecord) {
	t.Helper()
	for _, r := range records {
		v, ok := r.Value.(*data.Struct)
		if !ok {
			continue
		}
		key := r.Topic + " " + plain(r.Key)
		if after, _ := v.Get("after").(*data.Struct); after != nil {
			m[key] = plain(after)
		} else {
			delete(m, key)
		}
	}
}

// rows that the database has.
func (s *source) rows(tables int) model {
	s.t.Helper()
	m := model{}
	for i := range tables {
		r, err := s.db.Execute(fmt.Sprintf("SELECT id, v FROM t%d", i))
		if err != nil {
			s.t.Fatal(err)
		}
		for row := range r.RowNumber() {
			id, _ := r.GetInt(row, 0)
			v, _ := r.GetInt(row, 1)
			m[fmt.Sprintf("p.%s.t%d {id:%d}", s.name, i, id)] = fmt.Sprintf("{id:%d v:%d}", id, v)
		}
	}
	return m
}

const modelTables = 4

func (s *source) fill(rows int) {
	for i := range modelTables {
		s.exec(fmt.Sprintf("CREATE TABLE t%d (id INT PRIMARY KEY, v INT NOT NULL)", i),
			fmt.Sprintf("INSERT INTO t%d SELECT seq, 0 FROM seq_1_to_%d", i, rows))
	}
	s.exec("CREATE TABLE z (id INT PRIMARY KEY)")
}

// write at random until told to stop, which it answers.
func (s *source) write(seed uint64, rows int) (stop func()) {
	db := connectTo(s.t, s.settings, s.name)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		random := rand.New(rand.NewPCG(seed, 1))
		for n := 1; ; n++ {
			select {
			case <-quit:
				return
			default:
			}
			table, id := random.IntN(modelTables), 1+random.IntN(rows*3/2)
			statement := fmt.Sprintf("UPDATE t%d SET v = %d WHERE id BETWEEN %d AND %d", table, n, id, id+3)
			switch random.IntN(4) {
			case 0:
				statement = fmt.Sprintf("DELETE FROM t%d WHERE id = %d", table, id)
			case 1:
				statement = fmt.Sprintf("REPLACE INTO t%d VALUES (%d, %d)", table, id, n)
			case 2:
				statement = fmt.Sprintf("UPDATE IGNORE t%d SET id = id + 7, v = %d WHERE id = %d", table, n, id)
			}
			if _, err := db.Execute(statement); err != nil {
				s.t.Errorf("%s: %v", statement, err)
				return
			}
		}
	}()
	return func() { close(quit); <-done }
}

// TestSnapshotWithWrites is interrupted at random, and makes what the database has in the end.
func TestSnapshotWithWrites(t *testing.T) {
	for _, locking := range []string{"minimal", "none", "extended"} {
		t.Run(locking, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 2))
			const rows = 3000
			s := newSource(t, "snapshot.locking.mode", locking, "max.batch.size", "500", "max.queue.size", "1000")
			s.fill(rows)
			stop := s.write(seed, rows)
			got, r := model{}, s.open(nil)
			var offset map[string]any
			for range 4 { // stop within the snapshot
				for range random.IntN(4) {
					got.apply(t, r.Take(1+random.IntN(700)))
				}
				records, err := r.Poll()
				if err != nil {
					t.Fatal(err)
				}
				records = append(r.Pending, records...)
				records = records[:1+random.IntN(len(records))]
				got.apply(t, records)
				offset = records[len(records)-1].At.Offset()
				r.Close()
				r = s.open(offset)
			}
			for {
				one := r.Take(1)
				got.apply(t, one)
				if field(one[0], "source", "snapshot") == "last" {
					break
				}
			}
			stop()
			s.exec("INSERT INTO z VALUES (1)")
			got.apply(t, r.Until("p."+s.name+".z", 1))
			delete(got, "p."+s.name+".z {id:1}")
			if want := s.rows(modelTables); !maps.Equal(got, want) {
				t.Errorf("%d rows, want %d", len(got), len(want))
				for key := range want {
					if got[key] != want[key] {
						t.Logf("%s: %q, want %q", key, got[key], want[key])
					}
				}
				for key := range got {
					if want[key] == "" {
						t.Logf("%s: %q is not there", key, got[key])
					}
				}
			}
		})
	}
}
