package debezium

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testenv"
)

var (
	//go:embed sql/postgres-tables.sql
	postgresTables string
	//go:embed sql/postgres-rows.sql
	postgresRows string
	//go:embed sql/postgres-changes.sql
	postgresChanges string
)

// postgresModes are the configurations that are compared: by name, what they add to a plain
// one. Each has a topic.prefix of its name and a slot of its own.
var postgresModes = map[string]map[string]string{
	"plain":   {},
	"schemas": {"key.converter.schemas.enable": "true", "value.converter.schemas.enable": "true"},
	"strings": {"decimal.handling.mode": "string", "time.precision.mode": "connect", "binary.handling.mode": "base64", "interval.handling.mode": "string", "hstore.handling.mode": "map"},
	"doubles": {"decimal.handling.mode": "double", "time.precision.mode": "adaptive_time_microseconds", "binary.handling.mode": "hex", "money.fraction.digits": "4",
		"include.unknown.datatypes": "true", "value.converter.schemas.enable": "true"},
	"iso":   {"time.precision.mode": "isostring", "binary.handling.mode": "base64-url-safe", "tombstones.on.delete": "false"},
	"nanos": {"time.precision.mode": "nanoseconds", "snapshot.mode": "no_data", "unavailable.value.placeholder": "gone", "schema.name.adjustment.mode": "avro", "field.name.adjustment.mode": "avro", "value.converter.schemas.enable": "true"},
	"all": {"skipped.operations": "none", "provide.transaction.metadata": "true", "publish.via.partition.root": "true", "publication.name": "of_all",
		"publication.autocreate.mode": "disabled"},
	"some": {"table.include.list": "public\\.(numbers|texts|compound|changing|done)", "column.exclude.list": "public.numbers.n380,public.texts.b",
		"column.mask.with.5.chars": "public.compound.v", "column.truncate.to.3.chars": "public.texts.t", "message.key.columns": "public.texts:feel,t",
		"column.propagate.source.type": ".*", "value.converter.schemas.enable": "true"},
	"outbox": routed(tableRouter, "outbox", sqlRouters, map[string]string{"table.include.list": boxes, "key.converter.schemas.enable": "true", "value.converter.schemas.enable": "true"}),
	"messages": routed(tableRouter, "messages", sqlRouters[:1], map[string]string{"table.include.list": `public\.(box_plain|done)`,
		"key.converter": "org.apache.kafka.connect.storage.StringConverter", "value.converter": "org.apache.kafka.connect.storage.StringConverter"}),
	late: lateSettings(map[string]string{"table.include.list": `public\.(done|snapped|stopped|big)`, "signal.data.collection": "$DB.signals_$SIDE", "value.converter.schemas.enable": "true"}),
}

// boxes are the tables with routers, and that of barriers.
const boxes = `public\.(box_.*|done)`

// ComparePostgres runs each mode on both sides, on the same changes of the same database, and
// passes over what is known to differ.
func ComparePostgres(t *testing.T, reference, ours Side, known []Known) {
	where := testenv.Postgres(t)
	conn, err := pgx.Connect(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	w := &postgresWorkload{conn: conn, sides: map[string]Side{"reference": reference, "ours": ours}, modes: postgresModes}
	w.execute(t, strings.NewReplacer("$BYTES", "BYTEA", "$DATETIME", "TIMESTAMP").Replace(outboxTables))
	w.execute(t, postgresTables)
	for mode, settings := range w.modes {
		for name, side := range w.sides {
			side.Start(t, mode, postgresConfig(t, where, mode, name, settings))
		}
	}
	testenv.Wait(t, "all slots to be read from", patience, func() bool { return w.activeSlots(t) == 2*len(w.modes) })
	w.execute(t, postgresRows)
	w.execute(t, postgresChanges)
	w.execute(t, outboxChanges)
	w.copy(t)
	w.barrier(t)
	var others []string
	w.modes, others = leftLate(w.modes)
	for _, mode := range others {
		t.Run(mode, func(t *testing.T) {
			a, b := reference.Stop(t, mode).Without(mode, known), ours.Stop(t, mode).Without(mode, known)
			Compare(t, a, b)
			if mode == "outbox" {
				compareTimes(t, a, b)
			}
		})
	}
	t.Run(late, func(t *testing.T) {
		w.late(t).run(t, w.sides)
		compareLate(t, reference.Stop(t, late), ours.Stop(t, late))
	})
}

// late is what that mode does here.
func (w *postgresWorkload) late(t testing.TB) lateDatabase {
	return lateDatabase{
		topic: late + ".public." + snapped,
		names: strings.NewReplacer("$TABLE", "public."+snapped, "$STOPPED", "public."+stopped, "$MORE", "id > 500", "$SELECT", "SELECT * FROM public."+snapped+" WHERE id > 500"),
		fill: func() {
			w.execute(t, fmt.Sprintf("INSERT INTO snapped SELECT i, 'row ' || i FROM generate_series(1, %d) i;\nINSERT INTO stopped SELECT * FROM snapped", snappedRows))
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
			w.execute(t, fmt.Sprintf("BEGIN;\nINSERT INTO big SELECT i, 'row ' || i, i / 8.0 FROM generate_series(1, %d) i;\nUPDATE big SET v = NULL WHERE id %% 100 = 0;\nCOMMIT", rows))
		},
		barrier: func(patience time.Duration) { w.wait(t, patience) },
	}
}

// postgresWorkload changes the database and knows how far the sides are.
type postgresWorkload struct {
	conn     *pgx.Conn
	sides    map[string]Side
	modes    map[string]map[string]string
	barriers int
}

// execute runs statements one by one, each in a transaction of its own unless they say else.
func (w *postgresWorkload) execute(t testing.TB, statements string) {
	t.Helper()
	for statement := range strings.SplitSeq(statements, ";\n") {
		statement = strings.TrimSpace(statement)
		if rest, found := strings.CutPrefix(statement, barrier); found {
			w.barrier(t)
			statement = rest
		}
		if _, err := w.conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// barrier is before statements that change a table: connectors ask the database for what
// the log does not tell, such as keys, and it answers as it is now.
const barrier = "-- barrier\n"

// barrier waits until both sides have sent all that was done so far.
func (w *postgresWorkload) barrier(t testing.TB) { w.wait(t, patience) }

func (w *postgresWorkload) wait(t testing.TB, patience time.Duration) {
	t.Helper()
	w.barriers++
	if _, err := w.conn.Exec(t.Context(), "INSERT INTO done VALUES ($1)", w.barriers); err != nil {
		t.Fatal(err)
	}
	for name, side := range w.sides {
		for mode, settings := range w.modes {
			want := w.barriers
			if settings["snapshot.mode"] != "no_data" {
				want++ // the row that was there before
			}
			testenv.Wait(t, name+" to have sent all of "+mode, patience, func() bool { return has(t, side, mode+".public.done", want) })
		}
	}
}

func (w *postgresWorkload) copy(t testing.TB) {
	t.Helper()
	var rows [][]any
	for i := range 200 {
		rows = append(rows, []any{i, fmt.Sprintf("copied %d", i), float64(i) / 8})
	}
	if _, err := w.conn.CopyFrom(t.Context(), pgx.Identifier{"copied"}, []string{"id", "v", "n"}, pgx.CopyFromRows(rows)); err != nil {
		t.Fatal(err)
	}
}

// activeSlots are those that tell of all changes from now on: a slot that is being made is active
// before it does.
func (w *postgresWorkload) activeSlots(t testing.TB) int {
	t.Helper()
	var n int
	err := w.conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_replication_slots WHERE active AND confirmed_flush_lsn IS NOT NULL AND database = current_database()").Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func postgresConfig(t testing.TB, where, prefix, side string, settings map[string]string) map[string]string {
	t.Helper()
	u, err := url.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	config := map[string]string{
		"connector.class":                "io.debezium.connector.postgresql.PostgresConnector",
		"tasks.max":                      "1",
		"database.hostname":              u.Hostname(),
		"database.port":                  u.Port(),
		"database.user":                  u.User.Username(),
		"database.password":              password,
		"database.dbname":                strings.TrimPrefix(u.Path, "/"),
		"plugin.name":                    "pgoutput",
		"topic.prefix":                   prefix,
		"slot.name":                      side + "_" + prefix,
		"key.converter":                  "org.apache.kafka.connect.json.JsonConverter",
		"value.converter":                "org.apache.kafka.connect.json.JsonConverter",
		"key.converter.schemas.enable":   "false",
		"value.converter.schemas.enable": "false",
		"poll.interval.ms":               "50",
	}
	maps.Copy(config, settings)
	ofSide(config, "public", side)
	return config
}
