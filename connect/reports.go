package connect

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// Reports are how the tasks of sources and their databases are.
type Reports struct {
	Tasks     []TaskReport     `json:"tasks"`
	Databases []DatabaseReport `json:"databases"`
}

// TaskReport is how far a task of a source is.
type TaskReport struct {
	Connector string `json:"connector"`
	Task      int    `json:"task"`
	WorkerID  string `json:"workerId"`
	Progress
}

// DatabaseReport is how the database of a connector stood.
type DatabaseReport struct {
	Connector string `json:"connector"`
	// Deleted says that the connector is no more, and what it made in the database still there.
	Deleted  bool      `json:"deleted,omitempty"`
	WorkerID string    `json:"workerId"`
	At       time.Time `json:"at"`
	// Problem says why the database could not be asked.
	Problem string `json:"problem,omitempty"`
	plugin.Inspection
}

// Reports of all workers of the group: this one's as they are, the others' as of some seconds ago.
func (w *Worker) Reports() Reports {
	out := w.own()
	w.mu.Lock()
	there := slices.Clone(w.members)
	w.mu.Unlock()
	others := func(worker string) bool { return worker != w.cfg.ID && slices.Contains(there, worker) }
	for _, text := range w.board.told() {
		var one told
		switch err := json.Unmarshal(text, &one); {
		case err != nil: // of a later version
		case one.Task != nil && others(one.Task.WorkerID):
			out.Tasks = append(out.Tasks, *one.Task)
		case one.Database != nil && others(one.Database.WorkerID):
			out.Databases = append(out.Databases, *one.Database)
		}
	}
	slices.SortFunc(out.Tasks, func(a, b TaskReport) int { return cmp.Or(cmp.Compare(a.Connector, b.Connector), a.Task-b.Task) })
	slices.SortFunc(out.Databases, func(a, b DatabaseReport) int { return cmp.Compare(a.Connector, b.Connector) })
	return out
}

// own reports.
func (w *Worker) own() Reports {
	out := Reports{Tasks: []TaskReport{}, Databases: []DatabaseReport{}}
	w.watching.Lock()
	defer w.watching.Unlock()
	for id, m := range w.meters {
		out.Tasks = append(out.Tasks, TaskReport{id.connector, id.task, w.cfg.ID, m.progress()})
	}
	for _, d := range w.databases {
		out.Databases = append(out.Databases, d)
	}
	return out
}

// measure a task until the function that is returned is called.
func (w *Worker) measure(id unitID, m *meter) (stop func()) {
	w.watching.Lock()
	defer w.watching.Unlock()
	w.meters[id] = m
	return func() {
		w.watching.Lock()
		defer w.watching.Unlock()
		if w.meters[id] == m {
			delete(w.meters, id)
		}
	}
}

// WriteMetrics writes what the worker counts, and its reports, in Prometheus' format.
func (w *Worker) WriteMetrics(to io.Writer) {
	w.cfg.Metrics.WritePrometheus(to)
	r := w.own() // each worker's metrics are its own
	for _, t := range r.Tasks {
		gauge := func(name string, value float64) {
			metrics.WriteGaugeFloat64(to, fmt.Sprintf(`pabal_connect_source_%s{connector=%s,task="%d"}`, name, strconv.Quote(t.Connector), t.Task), value)
		}
		if t.BehindMillis >= 0 {
			gauge("behind_seconds", float64(t.BehindMillis)/1e3)
		}
		gauge("events", float64(t.Events))
		gauge("queue_bytes", float64(t.QueueBytes))
		gauge("incremental_rows", float64(t.IncrementalRows))
		if !t.LastEvent.IsZero() {
			gauge("last_event_timestamp_seconds", float64(t.LastEvent.UnixMilli())/1e3)
		}
		running := 0.0
		if s := t.Snapshot; s != nil {
			gauge("snapshot_rows", float64(s.Rows))
			gauge("snapshot_tables_remaining", float64(s.Tables-s.TablesDone))
			if s.Running {
				running = 1
			}
		}
		gauge("snapshot_running", running)
	}
	for _, d := range r.Databases {
		writeSlots(to, d)
	}
}

func writeSlots(to io.Writer, d DatabaseReport) {
	for _, s := range d.Slots {
		if !s.Own {
			continue
		}
		labels := fmt.Sprintf("{connector=%s,slot=%s,server=%s}", strconv.Quote(d.Connector), strconv.Quote(s.Name), strconv.Quote(d.Server))
		active := 0.0
		if s.Active {
			active = 1
		}
		metrics.WriteGaugeFloat64(to, "pabal_connect_slot_active"+labels, active)
		if s.RetainedBytes >= 0 {
			metrics.WriteGaugeFloat64(to, "pabal_connect_slot_retained_bytes"+labels, float64(s.RetainedBytes))
		}
	}
}
