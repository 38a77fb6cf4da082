package storagetest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/saga"
)

func sagaRefusalCases[T saga.Tx]() map[string]func(sagaCase[T], *testing.T) {
	return map[string]func(sagaCase[T], *testing.T){
		"records":           sagaCase[T].refusedRecords,
		"one twice in call": sagaCase[T].refusedTwice,
		"queries":           sagaCase[T].refusedQueries,
	}
}

func (c sagaCase[T]) refusedRecords(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, change := range []struct {
		says   string
		change func(r *saga.Record)
	}{
		{"the name is missing", func(r *saga.Record) { r.Name = "" }},
		{"the id is missing", func(r *saga.Record) { r.ID = "" }},
		{"the name \"xx", func(r *saga.Record) { r.Name = long }},
		{"256 bytes", func(r *saga.Record) { r.ID = long }},
		{"NUL", func(r *saga.Record) { r.ID = "a\x00b" }},
		{"not UTF-8", func(r *saga.Record) { r.ID = "a\xff" }},
		{"NUL", func(r *saga.Record) { r.Name = "a\x00b" }},
		{"correlation id", func(r *saga.Record) { r.CorrelationID = "a\x00b" }},
		{"correlation id", func(r *saga.Record) { r.CorrelationID = long }},
		{"version 0", func(r *saga.Record) { r.Version = 0 }},
		{"revision 0", func(r *saga.Record) { r.Revision = 0 }},
		{"status \"\"", func(r *saga.Record) { r.Status = "" }},
		{"status \"LOST\"", func(r *saga.Record) { r.Status = "LOST" }},
		{"state", func(r *saga.Record) { r.State = nil }},
		{"state", func(r *saga.Record) { r.State = json.RawMessage("{") }},
		{"state", func(r *saga.Record) { r.State = json.RawMessage("\"\xff\"") }},
		{"progress", func(r *saga.Record) { r.Progress = json.RawMessage("") }},
		{"start", func(r *saga.Record) { r.Started = time.Time{} }},
		{"change", func(r *saga.Record) { r.Changed = time.Time{} }},
		{"has an end", func(r *saga.Record) { r.Ended = sagaEpoch }},
		{"end", func(r *saga.Record) { r.Status = saga.Completed }},
		{"years", func(r *saga.Record) { r.Due = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }},
	} {
		r := sagaRecord("a", 1)
		change.change(&r)
		for what, call := range map[string]func(tx T, records []saga.Record) error{
			"insert": func(tx T, records []saga.Record) error {
				_, err := tx.InsertSagas(t.Context(), records)
				return err
			},
			"save": func(tx T, records []saga.Record) error { return tx.SaveSagas(t.Context(), records) },
		} {
			err := c.db.Update(t.Context(), func(tx T) error { return call(tx, []saga.Record{sagaRecord("b", 1), r}) })
			if err == nil || !strings.Contains(err.Error(), change.says) || c.db.Transient(err) {
				t.Fatalf("%s: %v, want one that says %q", what, err, change.says)
			}
		}
	}
	equal(t, "stored", sagaIDs(c.load(t, "a", "b")), "")
	// What is longest is taken.
	r := sagaRecord(long[1:], 1)
	r.Name, r.CorrelationID = long[1:], long[1:]
	c.insert(t, r)
	c.save(t, next(r))
}

func (c sagaCase[T]) refusedTwice(t *testing.T) {
	a := sagaRecord("a", 1)
	c.insert(t, a, sagaRecord("b", 2))
	err := c.trySave(t, next(a), next(sagaRecord("b", 2)), next(a))
	if err == nil || !strings.Contains(err.Error(), "twice") {
		t.Fatalf("saving one twice in a call: %v", err)
	}
	sameSagas(t, "after it", c.load(t, "a"), a)
}

func (c sagaCase[T]) refusedQueries(t *testing.T) {
	for _, q := range []saga.Query{{Limit: -1}, {Limit: saga.MaxInspect + 1}, {Status: []saga.Status{saga.Running, "LOST"}}} {
		if _, err := c.db.Sagas(t.Context(), q); !errors.Is(err, saga.ErrQuery) {
			t.Fatalf("%+v: %v, want ErrQuery", q, err)
		}
	}
	c.insert(t, sagaRecord("a", 1))
	for _, q := range []saga.Query{{Name: "\xff"}, {ID: "nul\x00"}, {CorrelationID: "nul\x00"}, {Name: "nobody's"}, {ID: "b"},
		{After: &saga.Place{Started: sagaEpoch, Name: "\xff"}}} {
		if found, err := c.db.Sagas(t.Context(), q); err != nil || found == nil || len(found) != 0 {
			t.Fatalf("%+v: %v, %v, want none", q, found, err)
		}
	}
}
