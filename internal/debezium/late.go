package debezium

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// late is the mode that goes on when all others are done: with heartbeats, signals, notifications,
// and a large transaction, which would be many more records in all of them.
const late = "late"

// snapped is the table that signals ask for, how many rows it has, and in chunks of how many it is read.
const (
	snapped     = "snapped"
	stopped     = "stopped" // another like it
	snappedRows = 600
	chunk       = "250"
)

// lateSettings are those of that mode, but for what is captured. $SIDE is the name of the side, and $DB that of the
// database: each side has signals of its own, as chunks are marked among them.
func lateSettings(more map[string]string) map[string]string {
	settings := map[string]string{
		"heartbeat.interval.ms": "1000", "incremental.snapshot.chunk.size": chunk,
		"notification.enabled.channels": "sink", "notification.sink.topic.name": late + ".notifications",
	}
	maps.Copy(settings, more)
	return settings
}

// ofSide puts the name of the side into what it has of its own, and that of the database.
func ofSide(config map[string]string, db, side string) {
	if signals, ok := config["signal.data.collection"]; ok {
		config["signal.data.collection"] = strings.NewReplacer("$DB", db, "$SIDE", side).Replace(signals)
	}
}

// leftLate is that mode alone, and the names of the others.
func leftLate(modes map[string]map[string]string) (only map[string]map[string]string, others []string) {
	for _, mode := range slices.Sorted(maps.Keys(modes)) {
		if mode != late {
			others = append(others, mode)
		}
	}
	return map[string]map[string]string{late: modes[late]}, others
}

// largeTransaction is how many rows one transaction inserts.
func largeTransaction() int {
	if testenv.Long() {
		return 1_000_000
	}
	return 10_000
}

// longPatience is for rows: what is usual, and a second for some hundreds.
func longPatience(rows int) time.Duration { return patience + time.Duration(rows/500)*time.Second }

// signal is what mode late is asked for. $TABLE and $STOPPED are the database's names of tables, $MORE a
// filter as incremental snapshots have it, and $SELECT one of blocking snapshots; both leave 100 rows.
type signal struct {
	id, kind, data string
	rows           int // that it brings
}

// signals by transaction.
var signals = [][]signal{
	{{"log", "log", `{"message": "from the comparison, at {}"}`, 0}, {"unknown", "no-such-signal", `{}`, 0}},
	{{"all", "execute-snapshot", `{"type": "incremental", "data-collections": ["$TABLE"]}`, snappedRows}},
	{{"some", "execute-snapshot", `{"type": "incremental", "data-collections": ["$TABLE"], "additional-conditions": [{"data-collection": "$TABLE", "filter": "$MORE"}]}`, 100}},
	{{stopped, "execute-snapshot", `{"type": "incremental", "data-collections": ["$STOPPED"]}`, 0}, {"stop", "stop-snapshot", `{"type": "incremental", "data-collections": ["$STOPPED"]}`, 0}},
	{{"blocking", "execute-snapshot", `{"type": "blocking", "data-collections": ["$TABLE"]}`, snappedRows}},
	{{"blocking some", "execute-snapshot", `{"type": "blocking", "data-collections": ["$TABLE"], "additional-conditions": [{"data-collection": "$TABLE", "filter": "$SELECT"}]}`, 100}},
}

// lateDatabase is what mode late does with a database.
type lateDatabase struct {
	topic string // of snapped
	fill  func() // snapped with its rows
	// signal writes signals in one transaction, for each side.
	signal func(all []signal)
	large  func(rows int) // is the large transaction
	// barrier waits for so long until both sides have sent all.
	barrier func(time.Duration)
	// names are what stands in signals for tables and filters.
	names *strings.Replacer
}

func (l lateDatabase) run(t testing.TB, sides map[string]Side) {
	t.Helper()
	l.fill()
	l.barrier(patience)
	want := snappedRows
	for _, group := range signals {
		var named []signal
		for _, s := range group {
			s.data = l.names.Replace(s.data)
			want += s.rows
			named = append(named, s)
		}
		before := map[string]int{}
		for name, side := range sides {
			before[name] = noted(t, side, group)
		}
		l.signal(named)
		for name, side := range sides {
			testenv.Wait(t, fmt.Sprintf("%s to have sent %d rows after the signal %s", name, want, group[0].id), patience, func() bool {
				return has(t, side, l.topic, want) && (noted(t, side, group) > before[name] || ending(group) == "")
			})
		}
	}
	rows := largeTransaction()
	l.large(rows)
	l.barrier(longPatience(rows))
}

// ending is what notifications say of the snapshot that signals ask for when it ends; "" for none.
func ending(group []signal) string {
	how := ""
	for _, s := range group {
		switch {
		case s.kind == "stop-snapshot":
			how = `"type":"ABORTED"`
		case s.rows > 0:
			how = `"type":"COMPLETED"`
		}
	}
	return how
}

// noted is how often a side has said so, of any snapshot. It is waited for, as the signal after it gives
// the notifications that are still to come its id.
func noted(t testing.TB, side Side, group []signal) (n int) {
	t.Helper()
	for _, r := range side.Sent(t, late+".notifications") {
		if bytes.Contains(r.Value, []byte(ending(group))) {
			n++
		}
	}
	return n
}

// compareLate compares what is left of two runs without what varies in them, and what is known to differ:
// the reference sends the chunk of a stopped snapshot that it has read, says that the snapshot is
// complete, and then that it was aborted, by no signal's id.
func compareLate(t testing.TB, reference, ours Topics) {
	t.Helper()
	Compare(t, steady(t, "the reference", reference), steady(t, "ours", ours))
}

// steady leaves one record of the heartbeats, of which there are as many as there was time for, and
// notifications without what varies.
func steady(t testing.TB, who string, topics Topics) Topics {
	t.Helper()
	const beats, notes = "__debezium-heartbeat." + late, late + ".notifications"
	if len(topics[beats]) == 0 || len(topics[notes]) == 0 {
		t.Fatalf("%s sent no heartbeat or no notification, in %v", who, slices.Sorted(maps.Keys(topics)))
	}
	out := Topics{}
	for topic, records := range topics {
		switch {
		case topic == beats:
			out[topic] = records[:1]
		case topic == notes:
			out[topic] = steadyNotes(t, records)
		case strings.Contains(topic, ".signals_") || strings.HasSuffix(topic, "."+stopped):
		default:
			out[topic] = records
		}
	}
	return out
}

var (
	random    = regexp.MustCompile(`^"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"$`)
	timestamp = regexp.MustCompile(`^(payload\.)?timestamp$`)
	aborting  = regexp.MustCompile(`"(id":"` + stopped + `|type":"ABORTED)"`)
)

// steadyNotes are notifications but for those of the stopped snapshot, without times and random ids.
func steadyNotes(t testing.TB, records []Record) (out []Record) {
	t.Helper()
	varies := func(path []string, text []byte) bool {
		return timestamp.MatchString(joined(path)) || random.Match(text)
	}
	for _, r := range records {
		if !aborting.Match(r.Value) {
			r.Key, r.Value = rewrite(r.Key, varies), inOrder(t, rewrite(r.Value, varies))
			out = append(out, r)
		}
	}
	return out
}

// inOrder puts the additional data in the order of names: the reference's is another at each start of
// its process. So it is with the tables, among which it has that of the signals.
func inOrder(t testing.TB, note []byte) []byte {
	t.Helper()
	var v struct {
		Data json.RawMessage `json:"additional_data"`
	}
	data := map[string]string{}
	must(t, json.Unmarshal(payload(note), &v))
	must(t, json.Unmarshal(v.Data, &data))
	if tables, ok := data["data_collections"]; ok {
		all := slices.DeleteFunc(strings.Split(tables, ","), func(name string) bool { return strings.Contains(name, ".signals_") })
		slices.Sort(all)
		data["data_collections"] = strings.Join(all, ",")
	}
	ordered, err := json.Marshal(data)
	must(t, err)
	return bytes.Replace(note, v.Data, ordered, 1)
}
