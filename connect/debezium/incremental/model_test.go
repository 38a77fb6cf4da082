package incremental_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// event of the model database's log: a mark, a truncation or a row's new version. A version with
// gone set is a deletion.
type event struct {
	table   debezium.TableID
	key     string
	version int
	gone    bool
	empty   bool   // a truncation
	mark    string // the id of one
}

type version struct {
	n    int
	gone bool
}

// model is a database, a connector that reads it, and what a consumer has of it.
type model struct {
	t        *testing.T
	random   *rand.Rand
	rows     map[debezium.TableID]map[string]version
	versions int
	log      []event

	snapshot *incremental.Snapshot
	at       int // of the log, where the connector is
	io       []func()
	stored   stored
	ids      int

	consumer map[debezium.TableID]map[string]version
	streamed map[string]int // the version that the stream sent last
	read     int
}

// stored is a position: what a connector that is killed starts from.
type stored struct {
	at     int
	offset map[string]any
}

var tables = []debezium.TableID{{Schema: "a", Table: "one"}, {Schema: "a", Table: "two"}}

func parse(name string) (debezium.TableID, bool) { return debezium.ParseTableID(name, false) }

// TestEveryRowAppearsAndNoneGoesBack with random interleavings of writers, of the stream, of reading
// chunks, and of kills.
func TestEveryRowAppearsAndNoneGoesBack(t *testing.T) {
	random := testenv.Rand(t)
	for range 400 {
		m := newModel(t, random)
		m.run()
		if t.Failed() {
			return
		}
	}
}

func newModel(t *testing.T, random *rand.Rand) *model {
	m := &model{t: t, random: random, rows: map[debezium.TableID]map[string]version{}, consumer: map[debezium.TableID]map[string]version{}, streamed: map[string]int{}}
	for _, table := range tables {
		m.rows[table], m.consumer[table] = map[string]version{}, map[string]version{}
		for range random.IntN(12) {
			m.versions++
			m.rows[table][m.key()] = version{n: m.versions} // before the log begins
		}
	}
	m.start(stored{})
	m.snapshot.Execute("signal", debezium.ExecuteSnapshot{Tables: []string{`a\..*`}}, tables, parse)
	m.stored.offset = m.offset()
	return m
}

func (m *model) key() string { return fmt.Sprintf("%02d", m.random.IntN(15)) }

func (m *model) start(from stored) {
	m.snapshot = incremental.New(incremental.Config{Limit: 1 + m.random.IntN(4), NewID: func() string {
		m.ids++
		return fmt.Sprintf("chunk%d", m.ids)
	}})
	if err := m.snapshot.Restore(from.offset, parse); err != nil {
		m.t.Fatal(err)
	}
	m.at, m.io = from.at, nil
}

func (m *model) offset() map[string]any {
	offset := map[string]any{}
	m.snapshot.State().Put(offset)
	return offset
}

// run until the snapshot is done and the stream read to its end.
func (m *model) run() {
	for step := 0; m.snapshot.Running() || m.at < len(m.log); step++ {
		if step > 100_000 {
			m.t.Fatal("the snapshot never ends")
		}
		busy := step < 300
		switch n := m.random.IntN(10); {
		case busy && n < 3:
			m.write()
		case busy && n == 3 && m.random.IntN(20) == 0:
			m.start(m.stored) // killed
		case busy && n == 4 && m.random.IntN(10) == 0:
			m.signal()
		case n < 7:
			m.chunk()
		default:
			m.stream()
		}
		if !busy {
			m.snapshot.Resume()
		}
	}
	m.compare()
}

func (m *model) signal() {
	switch m.random.IntN(3) {
	case 0:
		m.snapshot.Pause()
	case 1:
		m.snapshot.Resume()
	case 2:
		m.snapshot.Redefined(tables[m.random.IntN(len(tables))])
	}
}

func (m *model) write() {
	table, key := tables[m.random.IntN(len(tables))], m.key()
	m.versions++
	if m.random.IntN(40) == 0 {
		clear(m.rows[table])
		m.log = append(m.log, event{table: table, empty: true, version: m.versions})
		return
	}
	_, exists := m.rows[table][key]
	gone := exists && m.random.IntN(3) == 0
	if gone {
		delete(m.rows[table], key)
	} else {
		m.rows[table][key] = version{n: m.versions}
	}
	m.log = append(m.log, event{table: table, key: key, version: m.versions, gone: gone})
}

// chunk does one step of reading one, in the order that Chunk says.
func (m *model) chunk() {
	if len(m.io) > 0 {
		step := m.io[0]
		m.io = m.io[1:]
		step()
		return
	}
	c, ok := m.snapshot.Next()
	if !ok {
		return
	}
	result := incremental.Result{ID: c.ID, Until: c.Until}
	m.io = []func(){
		func() { m.log = append(m.log, event{mark: c.OpenID()}) },
		func() {
			if keys := m.keys(c.Table.ID); result.Until == nil && len(keys) > 0 {
				result.Until = incremental.Key{keys[len(keys)-1]}
			}
		},
		func() { result.Rows = m.between(c, result.Until) },
		func() { m.log = append(m.log, event{mark: c.CloseID()}) },
		func() {
			if m.random.IntN(10) == 0 {
				m.snapshot.Failed(c.ID)
				return
			}
			m.emit(m.snapshot.Read(result))
		},
	}
	if m.random.IntN(2) == 0 { // the second mark may as well come by before the rows are passed on
		m.io[3], m.io[4] = m.io[4], m.io[3]
	}
}

func (m *model) keys(table debezium.TableID) []string {
	var keys []string
	for key := range m.rows[table] {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func (m *model) between(c incremental.Chunk, until incremental.Key) []incremental.Row {
	var rows []incremental.Row
	for _, key := range m.keys(c.Table.ID) {
		if until != nil && key <= until[0] && (c.After == nil || key > c.After[0]) && len(rows) < c.Limit {
			rows = append(rows, incremental.Row{Key: incremental.Key{key}, ID: key, Values: []any{m.rows[c.Table.ID][key]}})
		}
	}
	return rows
}

// stream passes on the next event of the log.
func (m *model) stream() {
	if m.at >= len(m.log) || m.snapshot.Waiting() {
		return
	}
	e := m.log[m.at]
	m.at++
	switch {
	case strings.HasSuffix(e.mark, "-open"):
		m.snapshot.Open(e.mark)
	case e.mark != "":
		m.emit(m.snapshot.Close(e.mark))
	case e.empty:
		m.snapshot.Truncated(e.table)
		clear(m.consumer[e.table])
		for key := range m.streamed {
			if strings.HasPrefix(key, e.table.String()) {
				m.streamed[key] = e.version
			}
		}
	default:
		m.snapshot.Changed(e.table, e.key)
		m.consumer[e.table][e.key] = version{e.version, e.gone}
		m.streamed[e.table.Column(e.key)] = e.version
	}
	m.store(m.offset())
}

func (m *model) emit(rows []incremental.Emission) {
	for _, e := range rows {
		v := e.Row.Values[0].(version)
		if newest := m.streamed[e.Table.Column(e.Row.ID)]; v.n < newest {
			m.t.Errorf("row %s of %s: version %d after %d of the stream", e.Row.ID, e.Table, v.n, newest)
		}
		m.consumer[e.Table][e.Row.ID] = v
		m.read++
		offset := map[string]any{}
		e.State.Put(offset)
		m.store(offset)
	}
}

// store a position now and then, as the runtime commits.
func (m *model) store(offset map[string]any) {
	if m.random.IntN(3) == 0 {
		m.stored = stored{m.at, offset}
	}
}

func (m *model) compare() {
	for _, table := range tables {
		for key, v := range m.consumer[table] {
			if v.gone {
				delete(m.consumer[table], key)
			}
		}
		if got, want := fmt.Sprint(m.consumer[table]), fmt.Sprint(m.rows[table]); got != want {
			m.t.Errorf("%s: the consumer has %s, the database %s", table, got, want)
		}
	}
}
