package run

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/restore"
	"github.com/pabal-dev/pabal/streams/internal/task"
)

// Stats are the present state of an application in this process, and counts since its start.
type Stats struct {
	ApplicationID string `json:"applicationId"`
	State         State  `json:"state"`
	// Error is why it ended, or what does not work at the moment.
	Error string `json:"error,omitempty"`
	// Paused says that somebody called Pause.
	Paused  bool `json:"paused,omitempty"`
	Workers int  `json:"workers"`
	// Records processed; those that were given up with a transaction count again.
	Records int64 `json:"records"`
	Commits int64 `json:"commits"`
	// CommitMs is how long a commit took on average, LongestCommitMs at most.
	CommitMs        float64 `json:"commitMs"`
	LongestCommitMs float64 `json:"longestCommitMs"`
	// Aborts are transactions that were given up and processed again.
	Aborts int64 `json:"aborts"`
	// MemoryBytes is what stores, caches and queues take at the moment, MemoryLimit the share of
	// Config.MemoryBytes that they have.
	MemoryBytes int64 `json:"memoryBytes"`
	MemoryLimit int64 `json:"memoryLimit"`
	// InMemoryBytes of MemoryBytes are the stores in memory, standbys' and global ones too;
	// DiskBytes is what those of tasks on disk take.
	InMemoryBytes int64         `json:"inMemoryBytes"`
	DiskBytes     int64         `json:"diskBytes"`
	Tasks         []TaskStats   `json:"tasks"`
	Globals       []GlobalStats `json:"globals,omitempty"`
	// Restores are the stores that are being filled, and the copies that follow others.
	Restores []RestoreStats `json:"restores,omitempty"`
}

// GlobalStats is a global store.
type GlobalStats struct {
	Store string `json:"store"`
	Topic string `json:"topic"`
	// Positions are the next offsets of each partition to be taken in.
	Positions []int64 `json:"positions"`
	Keys      int64   `json:"keys"`
	Bytes     int64   `json:"bytes"`
}

// TaskStats is one task that this process has.
type TaskStats struct {
	Task   string `json:"task"`
	Worker int    `json:"worker"`
	// State is restoring, starting or running.
	State     string       `json:"state"`
	Processed int64        `json:"processed"`
	Produced  int64        `json:"produced"`
	Skipped   int64        `json:"skipped,omitempty"`
	Dead      int64        `json:"deadLetters,omitempty"`
	Dropped   []DropStats  `json:"dropped,omitempty"`
	Lag       int64        `json:"lag"`
	Stream    *time.Time   `json:"streamTime,omitempty"`
	Inputs    []InputStats `json:"inputs"`
	Nodes     []NodeStats  `json:"nodes"`
	Stores    []StoreStats `json:"stores"`
}

// DropStats counts records that were left out by the rules.
type DropStats struct {
	Node   string `json:"node"`
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

// InputStats is where a partition stands; Position and End are -1 where unknown.
type InputStats struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Position  int64  `json:"position"`
	End       int64  `json:"end"`
	Queued    int    `json:"queued"`
	Bytes     int64  `json:"queuedBytes"`
}

// NodeStats counts the records that reached a node since its task began. Rate is per second, since
// the Stats before these.
type NodeStats struct {
	Name  string  `json:"name"`
	Count int64   `json:"count"`
	Rate  float64 `json:"rate"`
}

// StoreStats is what a store takes. Keys is -1 where unknown.
type StoreStats struct {
	Name  string `json:"name"`
	Keys  int64  `json:"keys"`
	Bytes int64  `json:"bytes"`
	Dirty int64  `json:"dirtyBytes"`
}

// RestoreStats is how far a store is restored.
type RestoreStats struct {
	Task    string `json:"task"`
	Store   string `json:"store"`
	Topic   string `json:"topic"`
	Standby bool   `json:"standby"`
	Records int64  `json:"records"`
	// LeftOut are those of a table's topic that cannot be decoded.
	LeftOut int64 `json:"leftOut,omitempty"`
	// Lag is what is missing of the changelog, -1 unknown.
	Lag     int64  `json:"lag"`
	Done    bool   `json:"done"`
	Problem string `json:"problem,omitempty"`
}

// statsTimeout bounds the wait for a worker that is within a long user function or a commit: its
// tasks are then without numbers.
const statsTimeout = time.Second

// Stats as of now.
func (r *Runtime) Stats() Stats {
	s := Stats{
		ApplicationID: r.cfg.ApplicationID, State: r.State(), Workers: r.cfg.Workers,
		Records: r.meter.records.Load(), Commits: r.meter.commits.Load(), Aborts: r.meter.aborts.Load(),
		MemoryBytes: r.memory.Used(), MemoryLimit: r.memory.Total(), Tasks: []TaskStats{},
	}
	s.CommitMs, s.LongestCommitMs = r.meter.times.ms()
	if err := cmp.Or(r.Err(), r.Health()); err != nil {
		s.Error = err.Error()
	}
	if !r.isReady() {
		return s
	}
	s.Paused, s.Workers = r.resting.Load(), len(r.tasks.pool())
	s.Tasks = r.tasks.stats()
	s.InMemoryBytes = r.db.InMemory()
	onDisk := r.storesOnDisk()
	for _, t := range s.Tasks {
		for _, st := range t.Stores {
			if onDisk[st.Name] {
				s.DiskBytes += st.Bytes
			}
		}
	}
	s.Globals = r.globals.stats()
	for _, p := range r.standbys.restorer.Progress() {
		s.Restores = append(s.Restores, restoreStats(p))
	}
	return s
}

func (r *Runtime) storesOnDisk() map[string]bool {
	out := map[string]bool{}
	for _, sub := range r.cfg.Topology.Subs {
		for _, s := range sub.Stores {
			out[s.Name] = s.Persistent
		}
	}
	return out
}

func restoreStats(p restore.Progress) RestoreStats {
	s := RestoreStats{Task: name(p.Task), Store: p.Store, Topic: p.Topic, Standby: p.Mode == restore.Standby,
		Records: p.Records, LeftOut: p.LeftOut, Lag: p.Lag(), Done: p.Done}
	if p.Problem != nil {
		s.Problem = p.Problem.Error()
	}
	return s
}

func (gs *globals) stats() (out []GlobalStats) {
	for _, topic := range slices.Sorted(maps.Keys(gs.all)) {
		g := gs.all[topic]
		s := GlobalStats{Store: g.plan.Store.Name, Topic: topic, Keys: g.space.Keys(), Bytes: g.space.Size()}
		for n := range g.next {
			s.Positions = append(s.Positions, g.next[n].Load())
		}
		out = append(out, s)
	}
	return out
}

// lagOf a store that is being restored.
func lagOf(jobs []*restore.Job, store string) int64 {
	for _, j := range jobs {
		if p := j.Progress(); p.Store == store {
			return p.Lag()
		}
	}
	return -1
}

var phases = map[phase]string{restoring: "restoring", starting: "starting", running: "running"}

// stats asks the workers, each between two rounds.
func (ts *tasks) stats() []TaskStats {
	ts.mu.Lock()
	out := map[plan.TaskID]*TaskStats{}
	for id, o := range ts.all {
		out[id] = &TaskStats{Task: name(id), Worker: o.worker.number, State: phases[o.phase],
			Inputs: []InputStats{}, Nodes: []NodeStats{}, Stores: []StoreStats{}}
	}
	ts.mu.Unlock()
	timeout := time.NewTimer(statsTimeout)
	defer timeout.Stop()
	for _, w := range ts.pool() {
		answer := make(chan []task.Stats, 1)
		w.order(func(context.Context) error {
			var all []task.Stats
			for _, a := range w.tasks {
				if a.Task != nil {
					all = append(all, a.Stats())
				}
			}
			answer <- all
			return nil
		})
		select {
		case all := <-answer:
			for _, s := range all {
				if t := out[s.Task]; t != nil {
					t.fill(s)
				}
			}
		case <-timeout.C:
			timeout.Reset(0)
		case <-ts.r.life.Done():
		}
	}
	var list []TaskStats
	for _, id := range slices.SortedFunc(maps.Keys(out), compareTasks) {
		list = append(list, *out[id])
	}
	ts.rate(list)
	return list
}

func (t *TaskStats) fill(s task.Stats) {
	t.Processed, t.Produced, t.Skipped, t.Dead = s.Processed, s.Produced, s.Skipped, s.DeadLetters
	if s.StreamTime >= 0 {
		at := time.UnixMilli(s.StreamTime).UTC()
		t.Stream = &at
	}
	for _, d := range s.Dropped {
		t.Dropped = append(t.Dropped, DropStats{d.Node, d.Reason, d.Count})
	}
	for _, in := range s.Inputs {
		t.Inputs = append(t.Inputs, InputStats{in.Topic, in.Partition, in.Position, in.End, in.Records, in.Bytes})
		if in.End >= 0 && in.Position >= 0 {
			t.Lag += max(in.End-in.Position, 0)
		}
	}
	for _, n := range s.Nodes {
		t.Nodes = append(t.Nodes, NodeStats{Name: n.Name, Count: n.Count})
	}
	for _, st := range s.Stores {
		t.Stores = append(t.Stores, StoreStats{Name: st.Name, Keys: st.Keys, Bytes: st.Bytes, Dirty: st.Dirty})
	}
}

// rates remembers the counts of the last Stats.
type rates struct {
	at     time.Time
	counts map[string]int64
}

// rate compares with the last time.
func (ts *tasks) rate(list []TaskStats) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	now := time.Now()
	seconds := now.Sub(ts.last.at).Seconds()
	counts := map[string]int64{}
	for i := range list {
		for j := range list[i].Nodes {
			n := &list[i].Nodes[j]
			key := list[i].Task + " " + n.Name
			counts[key] = n.Count
			if before, ok := ts.last.counts[key]; ok && n.Count >= before && seconds > 0 {
				n.Rate = float64(n.Count-before) / seconds
			}
		}
	}
	ts.last = rates{now, counts}
}
