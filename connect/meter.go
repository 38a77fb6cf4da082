package connect

import (
	"sync"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Progress is how far a task of a source is, since it began.
type Progress struct {
	// Events that it has made.
	Events int64 `json:"events"`
	// LastEvent is when the last one came.
	LastEvent time.Time `json:"lastEvent,omitzero"`
	// BehindMillis is how long after its change in the database the last one came; -1 where no
	// record has said.
	BehindMillis int64 `json:"behindMillis"`
	// QueueBytes wait to be sent, of QueueLimit that may.
	QueueBytes int64 `json:"queueBytes"`
	QueueLimit int64 `json:"queueLimit"`
	// Snapshot is nil where none was taken.
	Snapshot *SnapshotProgress `json:"snapshot,omitempty"`
	// IncrementalRows were read again beside the stream, because a signal asked for it.
	IncrementalRows int64 `json:"incrementalRows"`
}

// SnapshotProgress is how far the first reading of the tables is.
type SnapshotProgress struct {
	Running bool      `json:"running"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended,omitzero"`
	// Rows that were made records.
	Rows int64 `json:"rows"`
	// Table is the one that the last row is of, a collection for MongoDB.
	Table string `json:"table,omitempty"`
	// TablesDone of Tables were read; both are 0 where the source does not say.
	TablesDone int `json:"tablesDone"`
	Tables     int `json:"tables"`
}

// meter measures a task by the records that it makes.
type meter struct {
	task plugin.SourceTask

	mu sync.Mutex
	p  Progress
}

func newMeter(task plugin.SourceTask) *meter {
	return &meter{task: task, p: Progress{BehindMillis: -1}}
}

// saw a batch. What kind it is, its last record tells.
func (m *meter) saw(records []plugin.SourceRecord) {
	n, last := int64(0), -1
	for i := range records {
		if records[i].Topic != "" {
			n, last = n+1, i
		}
	}
	if n == 0 {
		return
	}
	now := time.Now()
	source := sourceOf(records[last].Value)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.p.Events += n
	m.p.LastEvent = now
	if source == nil { // a tombstone, a heartbeat, or no envelope
		return
	}
	if at, ok := source.Get("ts_ms").(int64); ok {
		m.p.BehindMillis = max(0, now.UnixMilli()-at)
	}
	switch kind, _ := source.Get("snapshot").(string); kind {
	case "", "false":
		m.snapshotEnded(now)
	case "incremental":
		m.p.IncrementalRows += n
	default:
		m.readRows(n, source, now)
		if kind == "last" {
			m.snapshotEnded(now)
		}
	}
}

func (m *meter) readRows(n int64, source *data.Struct, now time.Time) {
	s := m.p.Snapshot
	if s == nil {
		s = &SnapshotProgress{Began: now}
		m.p.Snapshot = s
	}
	s.Rows, s.Running, s.Ended, s.Table = s.Rows+n, true, time.Time{}, ""
	for _, field := range []string{"schema", "db", "table", "collection"} {
		name, _ := source.Get(field).(string)
		switch {
		case name == "", field == "db" && s.Table != "":
		case s.Table == "":
			s.Table = name
		default:
			s.Table += "." + name
		}
	}
}

func (m *meter) snapshotEnded(now time.Time) {
	if s := m.p.Snapshot; s != nil && s.Running {
		s.Running, s.Ended = false, now
	}
}

// sourceOf is the source block of an envelope, nil where there is none.
func sourceOf(value any) *data.Struct {
	envelope, ok := value.(*data.Struct)
	if !ok || envelope == nil || envelope.Schema == nil {
		return nil
	}
	source, _ := envelope.Get("source").(*data.Struct)
	return source
}

// progress now.
func (m *meter) progress() Progress {
	var o plugin.Observation
	if observed, ok := m.task.(plugin.Observed); ok {
		o = observed.Observe()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.p
	p.QueueBytes, p.QueueLimit = o.QueueBytes, o.QueueLimit
	if p.Snapshot == nil && o.Tables > o.TablesDone { // it has not made a row yet
		p.Snapshot = &SnapshotProgress{Running: true, Began: time.Now()}
	}
	if p.Snapshot != nil {
		s := *p.Snapshot
		s.Tables, s.TablesDone = o.Tables, o.TablesDone
		p.Snapshot = &s
	}
	return p
}
