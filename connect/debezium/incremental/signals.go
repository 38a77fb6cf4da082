package incremental

import (
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/debezium"
)

// Execute adds tables to read. known are the tables that patterns are matched against; parse reads
// names that match none. id is the signal's.
func (s *Snapshot) Execute(id string, e debezium.ExecuteSnapshot, known []debezium.TableID, parse func(string) (debezium.TableID, bool)) {
	var added []Table
	for _, name := range expand(e.Tables, known) {
		table, ok := parse(name)
		if ok && !slices.ContainsFunc(added, func(t Table) bool { return t.ID == table }) {
			added = append(added, Table{ID: table, Condition: condition(e.Conditions, name), SurrogateKey: e.SurrogateKey})
		}
	}
	if len(added) == 0 {
		return
	}
	started := !s.Running()
	s.state.tables = append(slices.Clip(s.state.tables), added...)
	s.state.correlation = id
	if started {
		s.note("STARTED", map[string]string{"data_collections": s.names()})
	}
}

// Stop reading tables, the current one too: what was read of it and not sent is given up. Without
// tables it stops all.
func (s *Snapshot) Stop(stop debezium.StopSnapshot, known []debezium.TableID) {
	if !s.Running() {
		return
	}
	patterns := stop.Tables
	if len(patterns) == 0 {
		patterns = []string{".*"}
	}
	for _, t := range s.state.tables {
		known = append(slices.Clip(known), t.ID)
	}
	names := expand(patterns, known)
	var stopped, left []string
	first := false
	var tables []Table
	for i, t := range s.state.tables {
		if !slices.Contains(names, t.ID.String()) {
			tables, left = append(tables, t), append(left, t.ID.String())
			continue
		}
		stopped = append(stopped, t.ID.String())
		first = first || i == 0
	}
	if len(stopped) == 0 {
		return
	}
	if first {
		s.leaveTable()
	}
	s.state.tables = tables
	s.note("ABORTED", map[string]string{"data_collections": strings.Join(stopped, ",")})
	if len(left) == 0 {
		s.state = s.none()
	}
}

// Pause reads no more chunks; the one under way is sent.
func (s *Snapshot) Pause() {
	if s.Running() && !s.state.paused {
		s.state.paused = true
		s.note("PAUSED", map[string]string{"data_collections": s.names()})
	}
}

// Resume after Pause.
func (s *Snapshot) Resume() {
	if s.Running() && s.state.paused {
		s.state.paused = false
		s.note("RESUMED", map[string]string{"data_collections": s.names()})
	}
}

// expand patterns to the names of the tables that match; one that matches none stands for itself.
func expand(patterns []string, known []debezium.TableID) []string {
	var out []string
	add := func(name string) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, pattern := range patterns {
		r, err := debezium.CompileJava("^(?:"+pattern+")$", "")
		matched := false
		for _, id := range known {
			if err == nil && r.MatchString(id.String()) {
				add(id.String())
				matched = true
			}
		}
		if !matched {
			add(pattern)
		}
	}
	return out
}

func condition(all []debezium.Condition, name string) string {
	for _, c := range all {
		if r, err := debezium.CompileJava("^(?:"+c.Tables+")$", "i"); err == nil && r.MatchString(name) {
			return c.Filter
		}
	}
	return ""
}
