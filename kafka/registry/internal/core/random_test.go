package core_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

// model is what a registry should be, in the plainest words.
type model struct {
	versions map[string]map[int]*entry // by subject
	highest  map[string]int            // by context
}

type entry struct {
	schema  string
	id      int
	deleted bool
}

func (m *model) id(context, schema string) int {
	for subject, all := range m.versions {
		if own, _ := core.Split(subject); own != context {
			continue
		}
		for _, e := range all {
			if e.schema == schema {
				return e.id
			}
		}
	}
	return 0
}

// register returns the version and the id.
func (m *model) register(subject, schema string) (int, int) {
	next := 1
	for _, version := range slices.Backward(slices.Sorted(maps.Keys(m.versions[subject]))) {
		next = max(next, version+1)
		if e := m.versions[subject][version]; !e.deleted && e.schema == schema {
			return version, e.id
		}
	}
	context, _ := core.Split(subject)
	id := m.id(context, schema)
	if id == 0 {
		m.highest[context]++
		id = m.highest[context]
	}
	for version, e := range m.versions[subject] {
		if e.deleted && e.id == id {
			delete(m.versions[subject], version)
		}
	}
	if m.versions[subject] == nil {
		m.versions[subject] = map[int]*entry{}
	}
	m.versions[subject][next] = &entry{schema, id, false}
	return next, id
}

func (m *model) remove(subject string, version int, permanent bool) (code int) {
	e := m.versions[subject][version]
	switch {
	case e == nil && len(m.versions[subject]) == 0:
		return core.SubjectNotFound
	case e == nil:
		return core.VersionNotFound
	case e.deleted && !permanent:
		return core.VersionSoftDeleted
	case !e.deleted && permanent:
		return core.VersionNotSoftDeleted
	case permanent:
		delete(m.versions[subject], version)
	default:
		e.deleted = true
	}
	return 0
}

func (m *model) removeSubject(subject string, permanent bool) (code int) {
	live := 0
	for _, e := range m.versions[subject] {
		if !e.deleted {
			live++
		}
	}
	switch {
	case len(m.versions[subject]) == 0:
		return core.SubjectNotFound
	case !permanent && live == 0:
		return core.SubjectSoftDeleted
	case permanent && live > 0:
		return core.SubjectNotSoftDeleted
	case permanent:
		delete(m.versions, subject)
	default:
		for _, e := range m.versions[subject] {
			e.deleted = true
		}
	}
	return 0
}

// dump is everything in one text.
func (m *model) dump() string {
	out := ""
	for _, subject := range slices.Sorted(maps.Keys(m.versions)) {
		for _, version := range slices.Sorted(maps.Keys(m.versions[subject])) {
			e := m.versions[subject][version]
			out += fmt.Sprintln(subject, version, e.id, e.schema, e.deleted)
		}
	}
	return out
}

func dump(s *core.State) string {
	out := ""
	for _, subject := range slices.Sorted(slices.Values(s.Subjects(core.AnyContext, core.All))) {
		for _, v := range s.Versions(subject, core.All) {
			out += fmt.Sprintln(subject, v.Version, v.ID, v.Schema, v.Deleted)
		}
	}
	return out
}

// TestRandom: any sequence of registrations and deletions ends as the model says, and so does what
// reads the records anew, or after compaction.
func TestRandom(t *testing.T) {
	rnd := testenv.Rand(t)
	for range 150 {
		w, m := newWorld(), &model{map[string]map[int]*entry{}, map[string]int{}}
		w.setConfig(t, "", "compatibility", `"NONE"`)
		w.setConfig(t, ":.__GLOBAL:", "compatibility", `"NONE"`)
		for range 60 {
			step(t, rnd, w, m)
		}
		want := m.dump()
		if got := dump(w.State); got != want {
			t.Fatalf("the state is\n%swant\n%s", got, want)
		}
		compacted := w.compacted(t)
		if got := dump(compacted.State); got != want {
			t.Fatalf("after compaction the state is\n%swant\n%s", got, want)
		}
		for _, context := range []string{".", ".x"} {
			scope := core.Join(context, "")
			if a, b := compacted.HighestID(scope), m.highest[context]; a != b {
				t.Fatalf("after compaction the highest id of %s is %d, want %d", context, a, b)
			}
		}
	}
}

func step(t *testing.T, rnd *rand.Rand, w *world, m *model) {
	subject := core.Join([]string{".", ".x"}[rnd.IntN(2)], []string{"a", "b", "c"}[rnd.IntN(3)])
	permanent := rnd.IntN(2) == 0
	switch rnd.IntN(5) {
	case 0, 1, 2:
		schema := []string{`"int"`, `"long"`, `"string"`, `"bytes"`, `"float"`}[rnd.IntN(5)]
		version, id := m.register(subject, schema)
		v := w.register(t, subject, core.Request{Schema: schema})
		if v.Version != version || v.ID != id {
			t.Fatalf("register %s under %s: version %d, id %d, want %d, %d", schema, subject, v.Version, v.ID, version, id)
		}
	case 3:
		version := 1 + rnd.IntN(6)
		want := m.remove(subject, version, permanent)
		_, records, err := w.DeleteVersion(subject, version, permanent)
		same(t, err, want)
		w.apply(t, records)
	case 4:
		want := m.removeSubject(subject, permanent)
		_, records, err := w.DeleteSubject(subject, permanent)
		same(t, err, want)
		w.apply(t, records)
	}
}

func same(t *testing.T, err error, code int) {
	t.Helper()
	var refused *core.Error
	if errors.As(err, &refused) && refused.Code == code || err == nil && code == 0 {
		return
	}
	t.Fatalf("the error is %v, want %d", err, code)
}
