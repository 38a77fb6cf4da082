package debezium

import (
	"crypto/rand"
	_ "embed"
	"fmt"
	"hash/crc32"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/pabal-dev/pabal/internal/testenv"
)

var (
	//go:embed sql/mysql-tables.sql
	mariaTables string
	//go:embed sql/mysql-rows.sql
	mariaRows string
	//go:embed sql/mysql-changes.sql
	mariaChanges string
)

// mariaModes are the configurations that are compared, as postgresModes are.
var mariaModes = map[string]map[string]string{
	"plain":   {},
	"schemas": {"include.schema.changes": "true", "key.converter.schemas.enable": "true", "value.converter.schemas.enable": "true"},
	"strings": {"decimal.handling.mode": "string", "time.precision.mode": "connect", "binary.handling.mode": "base64", "bigint.unsigned.handling.mode": "precise"},
	"doubles": {"decimal.handling.mode": "double", "binary.handling.mode": "hex", "value.converter.schemas.enable": "true", "tombstones.on.delete": "false"},
	"all":     {"skipped.operations": "none", "provide.transaction.metadata": "true", "snapshot.mode": "no_data", "include.query": "true"},
	"outbox": routed(tableRouter, "outbox", sqlRouters, map[string]string{"table.include.list": `.*\.(box_.*|done)`,
		"key.converter.schemas.enable": "true", "value.converter.schemas.enable": "true"}),
	"some": {"table.include.list": ".*\\.(numbers|texts|compound|changing|done)", "column.exclude.list": ".*\\.numbers\\.d3810,.*\\.texts\\.b",
		"column.mask.with.5.chars": ".*\\.compound\\.v", "column.truncate.to.3.chars": ".*\\.texts\\.t", "column.propagate.source.type": ".*", "value.converter.schemas.enable": "true"},
	late: lateSettings(map[string]string{"table.include.list": `.*\.(done|snapped|stopped|big)`, "signal.data.collection": "$DB.signals_$SIDE", "value.converter.schemas.enable": "true"}),
}

// CompareMariaDB runs each mode on both sides, on the same changes of the same database, and passes
// over what is known to differ.
func CompareMariaDB(t *testing.T, reference, ours Side, known []Known) {
	where, err := url.Parse(testenv.MariaDB(t))
	if err != nil {
		t.Fatal(err)
	}
	w := &mariaWorkload{name: "equal_" + strings.ToLower(rand.Text()[:8]), sides: map[string]Side{"reference": reference, "ours": ours}, modes: mariaModes}
	password, _ := where.User.Password()
	if w.conn, err = client.Connect(where.Host, where.User.Username(), password, ""); err != nil {
		t.Fatal(err)
	}
	defer w.conn.Close()
	w.execute(t, "SET NAMES utf8mb4;\nSET sql_mode = '';\nSET time_zone = '+00:00';\nCREATE DATABASE "+w.name+" CHARACTER SET utf8mb4;\nUSE "+w.name)
	defer func() { w.execute(t, "DROP DATABASE "+w.name) }()
	w.execute(t, strings.NewReplacer("$BYTES", "BLOB", "$DATETIME", "DATETIME(6)").Replace(outboxTables))
	w.execute(t, mariaTables)
	for mode, settings := range w.modes {
		for name, side := range w.sides {
			side.Start(t, mode, mariaConfig(where, w.name, mode, name, settings))
		}
	}
	w.await(t)
	w.execute(t, mariaRows)
	w.execute(t, mariaChanges)
	w.execute(t, outboxChanges)
	w.barrier(t)
	var others []string
	w.modes, others = leftLate(w.modes)
	for _, mode := range others {
		t.Run(mode, func(t *testing.T) {
			a, b := w.stopped(t, reference, mode).Without(mode, known), w.stopped(t, ours, mode).Without(mode, known)
			Compare(t, a, b)
			if mode == "outbox" {
				compareTimes(t, a, b)
			}
		})
	}
	t.Run(late, func(t *testing.T) {
		w.late(t).run(t, w.sides)
		compareLate(t, w.stopped(t, reference, late).Without(late, known), w.stopped(t, ours, late).Without(late, known))
	})
}

// late is what that mode does here.
func (w *mariaWorkload) late(t testing.TB) lateDatabase {
	table := w.name + "." + snapped
	return lateDatabase{
		topic: w.topic(late, snapped),
		names: strings.NewReplacer("$TABLE", table, "$STOPPED", w.name+"."+stopped, "$MORE", "id > 500", "$SELECT", "SELECT * FROM "+table+" WHERE id > 500"),
		fill: func() {
			w.execute(t, fmt.Sprintf("INSERT INTO snapped SELECT seq, CONCAT('row ', seq) FROM seq_1_to_%d;\nINSERT INTO stopped SELECT * FROM snapped", snappedRows))
		},
		signal: func(all []signal) {
			statements := "BEGIN"
			for side := range w.sides {
				for _, s := range all {
					statements += fmt.Sprintf(";\nINSERT INTO signals_%s VALUES ('%s', '%s', '%s')", side, s.id, s.kind, s.data)
				}
			}
			w.execute(t, statements+";\nCOMMIT")
		},
		large: func(rows int) {
			w.execute(t, fmt.Sprintf("BEGIN;\nINSERT INTO big SELECT seq, CONCAT('row ', seq), seq / 8.0 FROM seq_1_to_%d;\nUPDATE big SET v = NULL WHERE id %% 100 = 0;\nCOMMIT", rows))
		},
		barrier: func(patience time.Duration) { w.wait(t, patience) },
	}
}

// mariaWorkload changes the database and knows how far the sides are.
type mariaWorkload struct {
	conn     *client.Conn
	name     string
	sides    map[string]Side
	modes    map[string]map[string]string
	barriers int
	probed   int
}

// stopped is what a mode sent, by topics without the name of this run's database.
func (w *mariaWorkload) stopped(t testing.TB, side Side, mode string) Topics {
	t.Helper()
	out := Topics{}
	for topic, records := range side.Stop(t, mode) {
		for i := range records {
			records[i].Value = []byte(strings.ReplaceAll(string(records[i].Value), w.name, "db"))
			records[i].Key = []byte(strings.ReplaceAll(string(records[i].Key), w.name, "db"))
		}
		if topic == mode {
			topic, records = mode+".definitions", ofDatabase(records)
		}
		if topic != w.topic(mode, probes) && topic != mode+".transaction" {
			out[strings.ReplaceAll(topic, w.name, "db")] = records
		}
	}
	return out
}

// ofDatabase leaves the definitions of this run's database: the reference has those of all, which other tests
// may make.
func ofDatabase(records []Record) []Record {
	return slices.DeleteFunc(slices.Clone(records), func(r Record) bool { return string(payload(r.Key)) != `{"databaseName":"db"}` })
}

func (w *mariaWorkload) topic(mode, table string) string { return mode + "." + w.name + "." + table }

func (w *mariaWorkload) execute(t testing.TB, statements string) {
	t.Helper()
	for statement := range strings.SplitSeq(statements, ";\n") {
		statement = strings.TrimSpace(statement)
		if rest, found := strings.CutPrefix(statement, barrier); found {
			w.barrier(t)
			statement = rest
		}
		if _, err := w.conn.Execute(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// await that all follow the log: where there is no snapshot, only a change tells.
func (w *mariaWorkload) await(t testing.TB) {
	t.Helper()
	w.awaitEach(t, true, "to have read all", func(side Side, mode string) bool { return has(t, side, w.topic(mode, ends), 1) })
	// Only now: a snapshot that sees a probe ends with it, or with another record.
	w.awaitEach(t, false, "to follow the log", func(side Side, mode string) bool {
		w.probed++
		w.execute(t, fmt.Sprintf("INSERT INTO %s VALUES (%d)", probes, w.probed))
		return has(t, side, w.topic(mode, probes), 1)
	})
}

// awaitEach of both sides in the modes with a snapshot, or in those without.
func (w *mariaWorkload) awaitEach(t testing.TB, snapshot bool, what string, is func(Side, string) bool) {
	t.Helper()
	for name, side := range w.sides {
		for mode, settings := range w.modes {
			reads := strings.Contains(settings["table.include.list"], "|") || settings["snapshot.mode"] != "no_data"
			if reads == snapshot {
				testenv.Wait(t, name+" "+what+" in "+mode, patience, func() bool { return is(side, mode) })
			}
		}
	}
}

// barrier waits until both sides have sent all that was done so far.
func (w *mariaWorkload) barrier(t testing.TB) { w.wait(t, patience) }

func (w *mariaWorkload) wait(t testing.TB, patience time.Duration) {
	t.Helper()
	w.barriers++
	w.execute(t, fmt.Sprintf("INSERT INTO done VALUES (%d)", w.barriers))
	for name, side := range w.sides {
		for mode, settings := range w.modes {
			want := w.barriers
			if settings["snapshot.mode"] != "no_data" {
				want++ // the row that was there before
			}
			testenv.Wait(t, name+" to have sent all of "+mode, patience, func() bool { return has(t, side, w.topic(mode, ends), want) })
		}
	}
}

func mariaConfig(where *url.URL, db, prefix, side string, settings map[string]string) map[string]string {
	password, _ := where.User.Password()
	config := map[string]string{
		"connector.class":                "io.debezium.connector.mariadb.MariaDbConnector",
		"tasks.max":                      "1",
		"database.hostname":              where.Hostname(),
		"database.port":                  where.Port(),
		"database.user":                  where.User.Username(),
		"database.password":              password,
		"database.server.id":             fmt.Sprint(1000 + crc32.ChecksumIEEE([]byte(db+prefix+side))%1_000_000_000),
		"database.include.list":          db,
		"topic.prefix":                   prefix,
		"include.schema.changes":         "false",
		"key.converter":                  "org.apache.kafka.connect.json.JsonConverter",
		"value.converter":                "org.apache.kafka.connect.json.JsonConverter",
		"key.converter.schemas.enable":   "false",
		"value.converter.schemas.enable": "false",
		"poll.interval.ms":               "50",
	}
	maps.Copy(config, settings)
	ofSide(config, db, side)
	return config
}
