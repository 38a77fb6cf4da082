package postgres_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// TestIncrementalSnapshotReconnects goes on within a task whose connections were lost.
func TestIncrementalSnapshotReconnects(t *testing.T) {
	s := newSource(t, "snapshot.mode", "no_data", "signal.data.collection", "public.signals", "incremental.snapshot.chunk.size", "10", "table.include.list", "public.a")
	s.exec("CREATE TABLE signals (id varchar(60) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048))",
		"CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a SELECT generate_series(1, 300)")
	r := s.open(nil)
	r.started()
	s.exec(`INSERT INTO signals VALUES ('1', 'execute-snapshot', '{"data-collections": ["public.a"], "type": "incremental"}')`)
	read := map[string]bool{}
	for cut := false; len(read) < 300; {
		one := r.Take(1)[0]
		if one.Topic == "p.public.a" && field(one, "op") == "r" {
			read[plain(one.Key)] = true
		}
		if len(read) > 20 && !cut {
			cut = true
			s.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		}
	}
}

// TestHeartbeatBeforeTheRest: a heartbeat that comes before the rest of a transaction does not move
// the position out of it.
func TestHeartbeatBeforeTheRest(t *testing.T) {
	s := newSource(t, "heartbeat.interval.ms", "1", "table.include.list", "public.a,public.begin_here")
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE busy (id int)")
	start := s.streaming()
	other := connectTo(t, s.url)
	s.exec("BEGIN", "INSERT INTO a VALUES (1), (2)")
	for _, statement := range []string{"BEGIN", "INSERT INTO busy SELECT generate_series(1, 200000)", "ROLLBACK"} {
		if _, err := other.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	s.exec("INSERT INTO a VALUES (3)", "COMMIT")
	next := func(r *reader) (offset map[string]any, id string, hearts int) {
		for {
			one := r.Take(1)[0]
			if one.Topic == "p.public.a" {
				return offset, plain(field(one, "after", "id")), hearts
			}
			offset = one.At.Offset()
			hearts++
		}
	}
	r := s.open(start)
	var at map[string]any
	for one := r.Take(1)[0]; ; one = r.Take(1)[0] {
		if one.Topic == "p.public.a" {
			at = one.At.Offset()
			break
		}
	}
	r.Close()
	r = s.open(at)
	offset, id, hearts := next(r)
	r.Close()
	if hearts == 0 || id != "2" {
		t.Fatalf("after row 1 and %d heartbeats came row %s", hearts, id)
	}
	r = s.open(offset)
	if _, id, _ = next(r); id != "2" {
		t.Errorf("after row 1 and a heartbeat at %v came row %s", offset, id)
	}
}

// TestMessageBeforeACommit: a message of no transaction ends where the entry of a commit begins,
// which is not done with it.
func TestMessageBeforeACommit(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id int PRIMARY KEY)")
	start := s.streaming()
	s.set("lsn.flush.mode", "connector")
	s.exec("BEGIN", "INSERT INTO a VALUES (1)", "SELECT pg_logical_emit_message(false, 'm', 'x')", "COMMIT")
	r := s.open(start)
	first := r.Take(1)[0]
	if first.Topic != "p.message" {
		t.Fatal(show(first))
	}
	r.Close()
	for _, own := range []bool{true, false} {
		offset := first.At.Offset()
		if !own { // as Debezium has it
			delete(offset, "lsn_flush")
		}
		r = s.open(offset)
		check(t, shown(r.Take(1)), []string{"p.public.a c {id:1} - -> {id:1}"})
		r.Close()
	}
}

// TestMessagesDuringCatchUp come once, though an interrupted snapshot goes on meanwhile.
func TestMessagesDuringCatchUp(t *testing.T) {
	s := newSource(t, "max.batch.size", "50", "max.queue.size", "100", "table.include.list", "public.a")
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a SELECT generate_series(1, 1000)")
	r := s.open(nil)
	offset := r.Take(60)[59].At.Offset()
	r.Close()
	other := connectTo(t, s.url)
	stop, stopped := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		defer func() { stopped <- n }()
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := other.Exec(t.Context(), "SELECT pg_logical_emit_message(false, 'm', '"+strconv.Itoa(n)+"')"); err != nil {
				t.Error(err)
				return
			}
			n++
		}
	}()
	var got []string
	collect := func(r *reader, n int) {
		for _, one := range r.Take(n) {
			if one.Topic == "p.message" {
				got = append(got, string(field(one, "message", "content").([]byte)))
			}
		}
	}
	r = s.open(offset)
	for rows := 0; rows < 940; {
		one := r.Take(1)[0]
		if one.Topic == "p.message" {
			got = append(got, string(field(one, "message", "content").([]byte)))
		} else {
			rows++
		}
	}
	close(stop)
	n := <-stopped
	if len(got) < n {
		collect(r, n-len(got))
	}
	r.Quiet()
	var want []string
	for i := range n {
		want = append(want, strconv.Itoa(i))
	}
	if a, b := strings.Join(got, " "), strings.Join(want, " "); a != b {
		t.Errorf("%d messages came as %d: %s", n, len(got), fmt.Sprint(got[:min(len(got), 50)]))
	}
}
