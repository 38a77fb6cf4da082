package core_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

func limits() core.Limits {
	return core.Limits{Limits: tree.Limits{Depth: 20, Width: 100, Values: 1000, Choices: 10}, References: 5, Text: 10_000}
}

// world is a state with the records that made it.
type world struct {
	*core.State
	log []core.Record
}

func newWorld() *world { return &world{State: core.New(limits(), core.Backward)} }

func (w *world) apply(t testing.TB, records []core.Record) {
	t.Helper()
	for _, r := range records {
		w.log = append(w.log, r)
		if err := w.Apply(r, int64(len(w.log))); err != nil {
			t.Fatal(err)
		}
	}
}

// compacted is the state of what compaction leaves: the last record of each key, and no deletions.
func (w *world) compacted(t testing.TB) *world {
	t.Helper()
	last := map[string]int{}
	for i, r := range w.log {
		last[string(r.Key)] = i
	}
	out := newWorld()
	for i, r := range w.log {
		if last[string(r.Key)] == i && r.Value != nil {
			out.apply(t, []core.Record{r})
		}
	}
	return out
}

func (w *world) register(t testing.TB, subject string, r core.Request) *core.Version {
	t.Helper()
	v, records, err := w.Register(subject, r)
	if err != nil {
		t.Fatalf("register %s: %v", subject, err)
	}
	w.apply(t, records)
	return v
}

func (w *world) setConfig(t testing.TB, subject, name, value string) {
	t.Helper()
	_, records, err := w.SetConfig(subject, core.Config{name: []byte(value)})
	if err != nil {
		t.Fatal(err)
	}
	w.apply(t, records)
}

func (w *world) setMode(t testing.TB, subject string, m core.Mode) {
	t.Helper()
	records, err := w.SetMode(subject, m, false)
	if err != nil {
		t.Fatal(err)
	}
	w.apply(t, records)
}

func (w *world) deleteSubject(t testing.TB, subject string, permanent bool) {
	t.Helper()
	_, records, err := w.DeleteSubject(subject, permanent)
	if err != nil {
		t.Fatal(err)
	}
	w.apply(t, records)
}

func (w *world) deleteVersion(t testing.TB, subject string, version int, permanent bool) {
	t.Helper()
	_, records, err := w.DeleteVersion(subject, version, permanent)
	if err != nil {
		t.Fatal(err)
	}
	w.apply(t, records)
}

func refusedWith(t testing.TB, err error, code int) {
	t.Helper()
	var refused *core.Error
	if !errors.As(err, &refused) || refused.Code != code {
		t.Errorf("the error is %v, want %d", err, code)
	}
}

func record(fields ...string) core.Request {
	return core.Request{Schema: `{"type":"record","name":"R","fields":[` + strings.Join(fields, ",") + `]}`}
}

const (
	fieldA = `{"name":"a","type":"int"}`
	fieldB = `{"name":"b","type":"int"}`
	fieldC = `{"name":"c","type":"int","default":0}`
)

func isVersion(t testing.TB, v *core.Version, version, id int) {
	t.Helper()
	if v.Version != version || v.ID != id {
		t.Errorf("version %d with id %d, want %d with %d", v.Version, v.ID, version, id)
	}
}
