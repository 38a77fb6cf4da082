package run

import (
	"fmt"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/pabal-dev/pabal/internal/count"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/restore"
	"github.com/pabal-dev/pabal/streams/internal/task"
)

// meter counts what happens, and shows it in Config.Metrics where there is one.
type meter struct {
	set         *metrics.Set // nil is none
	application string

	records, commits, aborts, produced, skipped, dead count.Counter

	times   durations
	seconds *metrics.Histogram // nil without metrics

	mu      sync.Mutex
	dropped map[task.Dropped]*count.Counter // by node and reason
	gauges  map[string][]string             // names that are shown, by what they are of
	closed  bool
}

func newMeter(cfg Config) *meter {
	m := &meter{set: cfg.Metrics, application: cfg.ApplicationID, dropped: map[task.Dropped]*count.Counter{}, gauges: map[string][]string{}}
	if m.set == nil {
		return m
	}
	for name, to := range map[string]*count.Counter{
		"records": &m.records, "commits": &m.commits, "aborts": &m.aborts, "produced": &m.produced,
		"skipped": &m.skipped, "dead_letters": &m.dead,
	} {
		to.Show(m.set, m.name(name+"_total", ""))
	}
	m.seconds = m.set.GetOrCreateHistogram(m.name("commit_seconds", ""))
	return m
}

// name of a metric, with more labels than the application's.
func (m *meter) name(name, labels string) string {
	if labels != "" {
		labels = "," + labels
	}
	return fmt.Sprintf("pabal_streams_%s{application=%q%s}", name, m.application, labels)
}

func (m *meter) committed(took time.Duration) {
	m.commits.Add(1)
	m.times.add(took)
	if m.seconds != nil {
		m.seconds.Update(took.Seconds())
	}
}

// tallyEvery is how old what the metrics say of tasks may be.
const tallyEvery = time.Second

// tally counts what a task did since the last time.
func (m *meter) tally(a *active) {
	if m.set == nil || a.Task == nil {
		return
	}
	now := a.Counts()
	a.owned.counts.Store(&now)
	m.add(a.tallied, now)
	a.tallied = now
}

// add counts what has changed from last to now.
func (m *meter) add(last, now task.Stats) {
	m.produced.Add(int(now.Produced - last.Produced))
	m.skipped.Add(int(now.Skipped - last.Skipped))
	m.dead.Add(int(now.DeadLetters - last.DeadLetters))
	before := map[task.Dropped]int64{}
	for _, d := range last.Dropped {
		before[task.Dropped{Node: d.Node, Reason: d.Reason}] = d.Count
	}
	for _, d := range now.Dropped {
		what := task.Dropped{Node: d.Node, Reason: d.Reason}
		m.drops(what).Add(int(d.Count - before[what]))
	}
}

func (m *meter) drops(what task.Dropped) *count.Counter {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.dropped[what]
	if c == nil {
		c = &count.Counter{}
		c.Show(m.set, m.name("dropped_total", fmt.Sprintf("node=%q,reason=%q", what.Node, what.Reason)))
		m.dropped[what] = c
	}
	return c
}

// show has gauges of something there until hide.
func (m *meter) show(of string, all map[string]func() float64) {
	if m.set == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	for name, value := range all {
		shared.show(gauge{m.set, name}, m, value)
		m.gauges[of] = append(m.gauges[of], name)
	}
}

func (m *meter) hide(of string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range m.gauges[of] {
		shared.hide(gauge{m.set, name}, m)
	}
	delete(m.gauges, of)
}

// close hides all gauges; counters stay what they are.
func (m *meter) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for _, names := range m.gauges {
		for _, name := range names {
			shared.hide(gauge{m.set, name}, m)
		}
	}
	clear(m.gauges)
}

// showAll shows what is there once.
func (r *Runtime) showAll() {
	r.meter.show("application", map[string]func() float64{
		r.meter.name("running", ""): func() float64 {
			if r.State() == Running {
				return 1
			}
			return 0
		},
		r.meter.name("tasks", `state="running"`):   func() float64 { n, _ := r.tasks.count(); return float64(n) },
		r.meter.name("tasks", `state="restoring"`): func() float64 { _, n := r.tasks.count(); return float64(n) },
		r.meter.name("tasks", `state="standby"`):   func() float64 { return float64(len(r.standbys.ids())) },
		r.meter.name("memory_bytes", ""):           func() float64 { return float64(r.memory.Used()) },
		r.meter.name("memory_limit_bytes", ""):     func() float64 { return float64(r.memory.Total()) },
		r.meter.name("disk_memory_bytes", ""):      func() float64 { return float64(r.db.Memory()) },
	})
}

// showTask shows the gauges of a task that this process has.
func (r *Runtime) showTask(o *owned) {
	labels := fmt.Sprintf("task=%q", name(o.id))
	all := map[string]func() float64{
		r.meter.name("lag", labels):          func() float64 { return float64(o.lag()) },
		r.meter.name("queued_bytes", labels): func() float64 { return float64(o.queued()) },
	}
	for _, s := range o.sub.Stores {
		labels := labels + fmt.Sprintf(",store=%q", s.Name)
		all[r.meter.name("store_bytes", labels)] = func() float64 { bytes, _ := r.sizeOf(o.id, s); return float64(bytes) }
		all[r.meter.name("store_keys", labels)] = func() float64 { _, keys := r.sizeOf(o.id, s); return float64(keys) }
		all[r.meter.name("restore_lag", labels)] = func() float64 { return float64(r.tasks.restoreLag(o, s.Name)) }
	}
	r.meter.show("task "+name(o.id), all)
}

// showStandby shows how far a copy is behind.
func (r *Runtime) showStandby(id plan.TaskID, jobs []*restore.Job) {
	all := map[string]func() float64{}
	for _, j := range jobs {
		store := j.Progress().Store
		all[r.meter.name("standby_lag", fmt.Sprintf("task=%q,store=%q", name(id), store))] = func() float64 {
			return float64(j.Progress().Lag())
		}
	}
	r.meter.show("standby "+name(id), all)
}

// sizeOf a store; 0 and -1 where nobody knows.
func (r *Runtime) sizeOf(id plan.TaskID, s *plan.Store) (bytes, keys int64) {
	space, err := r.db.Space(id, s.Name, s.Persistent)
	if err != nil {
		return 0, -1
	}
	return space.Size(), space.Keys()
}

// lag is how many records are not processed, as far as known.
func (o *owned) lag() (n int64) {
	if c := o.counts.Load(); c != nil {
		for _, in := range c.Inputs {
			if in.End >= 0 && in.Position >= 0 {
				n += max(in.End-in.Position, 0)
			}
		}
	}
	return n
}

func (o *owned) queued() (n int64) {
	for _, in := range o.inputs {
		n += in.bytes()
	}
	return n
}

// count of the tasks that run and of the others.
func (ts *tasks) count() (run, wait int) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, o := range ts.all {
		if o.phase == running {
			run++
		} else {
			wait++
		}
	}
	return run, wait
}

// restoreLag of a task's store: 0 when it is restored, -1 unknown.
func (ts *tasks) restoreLag(o *owned, store string) int64 {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if o.phase != restoring {
		return 0
	}
	return lagOf(o.jobs, store)
}
