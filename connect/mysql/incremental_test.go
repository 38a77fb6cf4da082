package mysql_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/mysql"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

const signalTable = "CREATE TABLE signals (id VARCHAR(60) PRIMARY KEY, type VARCHAR(32) NOT NULL, data VARCHAR(2048))"

func signalling(s *source, more ...string) {
	s.set("snapshot.mode", "no_data", "signal.data.collection", s.name+".signals", "notification.enabled.channels", "sink,log", "notification.sink.topic.name", "notes")
	s.set(more...)
	s.exec(signalTable)
}

// ended says whether a record tells that the snapshot is complete.
func ended(one plugin.SourceRecord) bool {
	return one.Topic == "notes" && field(one, "type") == "COMPLETED" && field(one, "aggregate_type") == "Incremental Snapshot"
}

// TestIncrementalSnapshot: with writes beside it, and restarts within, whoever applies the records in
// their order has the tables in the end.
func TestIncrementalSnapshot(t *testing.T) {
	for _, strategy := range []string{"INSERT_INSERT", "INSERT_DELETE"} {
		t.Run(strategy, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 3))
			const rows = 800
			s := newSource(t)
			signalling(s, "incremental.snapshot.chunk.size", "100", "incremental.snapshot.watermarking.strategy", strategy)
			s.fill(rows)
			r := s.open(nil)
			r.started()
			stop := s.write(seed, rows)
			s.exec(fmt.Sprintf(`INSERT INTO signals VALUES ('one', 'execute-snapshot', '{"data-collections": ["%s.t."]}')`, s.name))
			got, reads, restarts := model{}, 0, 0
			for done := false; !done; {
				one := r.Take(1)
				done = ended(one[0])
				got.apply(t, one)
				if field(one[0], "op") == "r" {
					reads++
				}
				if reads > 500*(restarts+1) && restarts < 4 && random.IntN(50) == 0 {
					restarts++
					offset := one[0].At.Offset()
					r.Close()
					r = s.open(offset)
				}
			}
			stop()
			s.exec("INSERT INTO z VALUES (1)")
			got.apply(t, r.Until("p."+s.name+".z", 1))
			maps.DeleteFunc(got, func(key, _ string) bool { return !strings.HasPrefix(key, "p."+s.name+".t") })
			if want := s.rows(modelTables); !maps.Equal(got, want) {
				t.Errorf("%d rows, want %d", len(got), len(want))
				for key := range want {
					if got[key] != want[key] {
						t.Logf("%s: %q, want %q", key, got[key], want[key])
					}
				}
			}
			if restarts == 0 || reads < 2000 {
				t.Errorf("%d restarts, %d rows were read", restarts, reads)
			}
		})
	}
}

// TestIncrementalKeys reads tables by keys of all kinds, in chunks of one or two rows.
func TestIncrementalKeys(t *testing.T) {
	s := newSource(t)
	signalling(s, "incremental.snapshot.chunk.size", "2")
	const condition = "n > 0"
	tables := []struct{ columns, rows, key string }{
		{"a BIGINT UNSIGNED, n INT, PRIMARY KEY (a)", "(18446744073709551615, 1), (9007199254740993, 1), (9007199254740992, 1), (0, 1), (7, 0)", ""},
		{"a VARCHAR(20), b DATETIME(6), n INT, PRIMARY KEY (a, b)", `('x', '2024-01-01 00:00:00.000001', 1), ('x', '2024-01-01', 1), ('é''\\', '2024-01-01', 1), ('', '2024-01-01', 1), ('y', '0001-01-01', 0)`, ""},
		{"a ENUM('z','m','a'), n INT, PRIMARY KEY (a)", "('z', 1), ('m', 1), ('a', 1)", ""},
		{"a VARBINARY(10), n INT, PRIMARY KEY (a)", "(x'00', 1), (x'ff00', 1), (x'27', 1), (x'', 1)", ""},
		{"a DECIMAL(30,4), b DATE, c TIME(3), n INT, PRIMARY KEY (a, b, c)", "(-1.5, '2024-01-01', '10:00:00.5', 1), (12345678901234567890.0001, '2024-01-01', '-01:00:00', 1), (-1.5, '2024-01-02', '00:00:00', 1)", ""},
		{"a DOUBLE, n INT, PRIMARY KEY (a)", "(1e300, 1), (-0.1, 1), (0.30000000000000004, 1)", ""},
		{"a UUID, n INT, PRIMARY KEY (a)", "('00000000-0000-0000-0000-000000000001', 1), ('ffffffff-0000-0000-0000-000000000001', 1), ('7fffffff-0000-0000-0000-000000000001', 1)", ""},
		{"a INT NOT NULL, n INT", "(3, 1), (1, 1), (2, 1), (4, 0)", "a"},
	}
	for i, table := range tables {
		s.exec(fmt.Sprintf("CREATE TABLE k%d (%s)", i, table.columns), fmt.Sprintf("INSERT INTO k%d VALUES %s", i, table.rows))
	}
	r := s.open(nil)
	r.started()
	for i, table := range tables {
		name := fmt.Sprintf("%s.k%d", s.name, i)
		s.exec(fmt.Sprintf(`INSERT INTO signals VALUES ('s%d', 'execute-snapshot', '{"data-collections": ["%s"], "surrogate-key": "%s", "additional-conditions": [{"data-collection": "%[2]s", "filter": "%[4]s"}]}')`,
			i, name, table.key, condition))
		var got []string
		for done := false; !done; {
			one := r.Take(1)[0]
			done = ended(one)
			if one.Topic == "p."+name && field(one, "op") == "r" && field(one, "source", "snapshot") == "incremental" {
				got = append(got, plain(field(one, "after")))
			}
		}
		want, err := s.db.Execute(fmt.Sprintf("SELECT COUNT(*) FROM k%d WHERE %s", i, condition))
		if err != nil {
			t.Fatal(err)
		}
		n, _ := want.GetInt(0, 0)
		seen := map[string]bool{}
		for _, row := range got {
			seen[row] = true
		}
		if len(seen) != int(n) || len(got) != int(n) {
			t.Errorf("of %s there are %q, want %d", table.columns, got, n)
		}
	}
}

// TestSignalOfTopicCountsOnce: a task that starts at the position of any record of a snapshot which a
// record of the topic of signals asked for ends that snapshot, and begins it only where the
// position is before the begin.
func TestSignalOfTopicCountsOnce(t *testing.T) {
	cluster := kafkatest.Start(t)
	client := cluster.Client(t)
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, "p-signal"); err != nil {
		t.Fatal(err)
	}
	s := newSource(t)
	signalling(s, "signal.enabled.channels", "source,kafka", "incremental.snapshot.chunk.size", "3")
	s.exec("CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a SELECT seq FROM seq_1_to_7")
	context := plugin.SourceContext{Positions: true}
	context.Kafka = cluster.Config
	r := s.openWith(nil, context)
	r.started()
	places := []map[string]any{throughJSON(t, r.At.Offset())}
	signal := fmt.Sprintf(`{"id":"of the topic","type":"execute-snapshot","data":{"data-collections":["%s.a"],"type":"incremental"}}`, s.name)
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "p-signal", Key: []byte("p"), Value: []byte(signal)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	started, completed, reads := r.notified(t, "", func(at map[string]any) { places = append(places, at) })
	if started != 1 || completed != 1 || reads != 7 {
		t.Fatalf("%d began, %d ended, %d rows were read", started, completed, reads)
	}
	r.Close()
	for i, from := range places {
		begun, end := from["signal_kafka_offset"] != nil, ""
		over := begun && from["incremental_snapshot_collections"] == nil
		if over {
			end = fmt.Sprint(1000 + i)
			s.exec("INSERT INTO a VALUES (" + end + ")")
		}
		again := s.openWith(from, context)
		started, completed, _ := again.notified(t, end, func(map[string]any) {})
		again.Close()
		if (started == 1) == begun || (completed == 1) == over || i == len(places)-1 && !over {
			t.Errorf("from place %d of %d, %v, %d began and %d ended", i, len(places), from, started, completed)
		}
	}
}

// notified follows the records until a snapshot is completed, or a row comes that end names.
func (r *reader) notified(t *testing.T, end string, each func(at map[string]any)) (started, completed, reads int) {
	t.Helper()
	for done := false; !done; {
		one := r.Take(1)[0]
		switch {
		case field(one, "aggregate_type") == "Initial Snapshot":
			continue // of no rows, or skipped
		case one.Topic == "notes":
			if field(one, "type") == "STARTED" {
				started++
			}
			if ended(one) {
				completed++
				done = end == ""
			}
		case one.Topic == "p."+r.name+".a" && field(one, "op") == "r":
			reads++
		case one.Topic == "p."+r.name+".a":
			done = end != "" && plain(field(one, "after")) == "{id:"+end+"}"
		}
		each(throughJSON(t, one.At.Offset()))
	}
	return started, completed, reads
}

// TestOrigins leaves out changes of transactions of other domains.
func TestOrigins(t *testing.T) {
	for key, want := range map[string]string{"gtid.source.includes": "2", "gtid.source.excludes": "1"} {
		s := newSource(t, "snapshot.mode", "no_data", key, "7-.*")
		s.exec("CREATE TABLE a (id INT PRIMARY KEY)")
		r := s.open(nil)
		r.started()
		s.exec("INSERT INTO a VALUES (1)", "SET SESSION gtid_domain_id = 7", "INSERT INTO a VALUES (2)", "SET SESSION gtid_domain_id = 0",
			"INSERT INTO a VALUES (3)", "SET SESSION gtid_domain_id = 7", "INSERT INTO a VALUES (4)")
		first := r.Take(1)[0]
		if got := plain(field(first, "after")); got != "{id:"+want+"}" {
			t.Errorf("%s: the first is %s", key, got)
		}
		if got := plain(field(r.Take(1)[0], "after")); got != map[string]string{"2": "{id:4}", "1": "{id:3}"}[want] {
			t.Errorf("%s: the second is %s", key, got)
		}
	}
}

func TestHeartbeatAction(t *testing.T) {
	s := newSource(t, "heartbeat.interval.ms", "100")
	s.set("heartbeat.action.query", "INSERT INTO "+s.name+".beats () VALUES ()", "snapshot.mode", "no_data")
	s.exec("CREATE TABLE beats (id INT PRIMARY KEY AUTO_INCREMENT)")
	r := s.open(nil)
	testenv.Wait(t, "a change that a heartbeat made", deadline, func() bool {
		one := r.Take(1)[0]
		return one.Topic == "p."+s.name+".beats" && field(one, "op") == "c"
	})
}

func TestReadOnlyWritesNothing(t *testing.T) {
	s := newSource(t, "read.only", "true")
	for _, key := range []string{"signal.data.collection", "heartbeat.action.query"} {
		s.set(key, "d.t")
		if problems := (mysql.MariaDB{}).Check(t.Context(), s.values(), nil); len(problems) != 1 || problems[0].Key != "read.only" {
			t.Errorf("with %s: %v", key, problems)
		}
		delete(s.settings, key)
	}
}
