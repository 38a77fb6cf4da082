package storagetest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/saga"
)

// Saga tests the ports saga.Tx and saga.Admin. open is as in Run.
func Saga[T saga.Tx](t *testing.T, open func(t *testing.T) saga.Store[T]) {
	for _, group := range []map[string]func(sagaCase[T], *testing.T){
		sagaRowCases[T](), prefixed("trim: ", sagaTrimCases[T]()), prefixed("due: ", sagaDueCases[T]()), prefixed("list: ", sagaListCases[T]()),
		prefixed("at once: ", sagaRaceCases[T]()), prefixed("refused: ", sagaRefusalCases[T]()),
	} {
		for name, test := range group {
			t.Run(name, func(t *testing.T) { test(sagaCase[T]{open(t)}, t) })
		}
	}
}

// sagaCase is one empty database; each of its tests gets its own.
type sagaCase[T saga.Tx] struct{ db saga.Store[T] }

const theSaga = "order-saga"

var sagaEpoch = time.Date(2026, 11, 21, 9, 30, 0, 123456000, time.UTC)

// sagaRecord is a fresh saga; n tells it from others.
func sagaRecord(id string, n int) saga.Record {
	at := sagaEpoch.Add(time.Duration(n) * time.Second)
	return saga.Record{
		Name: theSaga, ID: id, Version: 1, Revision: 1, Status: saga.Running,
		State: json.RawMessage(fmt.Sprintf(`{"n": %d}`, n)), Progress: json.RawMessage(`{"steps": []}`),
		CorrelationID: "c-" + id, Current: "pay", Started: at, Changed: at,
		Entries: []saga.Entry{{At: at, Kind: saga.EntryStarted}},
	}
}

func dueAt(r saga.Record, after time.Duration) saga.Record {
	r.Due = sagaEpoch.Add(after)
	return r
}

// next is what a decision makes of it.
func next(r saga.Record) saga.Record {
	r.Revision++
	r.Changed = r.Changed.Add(time.Millisecond)
	r.Entries = []saga.Entry{{At: r.Changed, Kind: saga.EntryAnswer, Step: fmt.Sprint("step-", r.Revision)}}
	return r
}

func ended(r saga.Record, status saga.Status, after time.Duration) saga.Record {
	r = next(r)
	r.Status, r.Due = status, time.Time{}
	if status.Ended() {
		r.Ended = sagaEpoch.Add(after)
	}
	return r
}

func (c sagaCase[T]) update(t *testing.T, fn func(tx T) error) {
	t.Helper()
	must(t, c.db.Update(t.Context(), fn))
}

// insert stores sagas, which must be new.
func (c sagaCase[T]) insert(t *testing.T, records ...saga.Record) {
	t.Helper()
	if got := c.tryInsert(t, records...); slices.Contains(got, false) {
		t.Fatalf("inserted: %v", got)
	}
}

func (c sagaCase[T]) tryInsert(t *testing.T, records ...saga.Record) (inserted []bool) {
	t.Helper()
	c.update(t, func(tx T) (err error) {
		inserted, err = tx.InsertSagas(t.Context(), records)
		return err
	})
	return inserted
}

func (c sagaCase[T]) save(t *testing.T, records ...saga.Record) {
	t.Helper()
	must(t, c.trySave(t, records...))
}

func (c sagaCase[T]) trySave(t *testing.T, records ...saga.Record) error {
	return c.db.Update(t.Context(), func(tx T) error { return tx.SaveSagas(t.Context(), records) })
}

func (c sagaCase[T]) load(t *testing.T, ids ...string) (records []saga.Record) {
	t.Helper()
	c.update(t, func(tx T) (err error) {
		records, err = tx.LoadSagas(t.Context(), theSaga, ids)
		return err
	})
	return records
}

// due returns what is due some time after sagaEpoch.
func (c sagaCase[T]) due(t *testing.T, after time.Duration, limit int) (records []saga.Record) {
	t.Helper()
	c.update(t, func(tx T) (err error) {
		records, err = tx.DueSagas(t.Context(), theSaga, sagaEpoch.Add(after), limit)
		return err
	})
	return records
}

func (c sagaCase[T]) timeline(t *testing.T, id string) []saga.Entry {
	t.Helper()
	_, entries, err := c.db.Saga(t.Context(), theSaga, id)
	must(t, err)
	return entries
}

// sameSagas compares all but the entries, and JSON by its meaning.
func sameSagas(t *testing.T, what string, got []saga.Record, want ...saga.Record) {
	t.Helper()
	plain := func(records []saga.Record) (out []saga.Record) {
		for _, r := range records {
			r.Entries, r.State, r.Progress = nil, compactJSON(t, r.State), compactJSON(t, r.Progress)
			out = append(out, r)
		}
		return out
	}
	if g, w := plain(got), plain(want); !reflect.DeepEqual(g, w) {
		t.Fatalf("%s:\ngot  %s\nwant %s", what, describe(g), describe(w))
	}
}

func describe(records []saga.Record) string {
	var out strings.Builder
	for _, r := range records {
		fmt.Fprintf(&out, "\n\t%+v state %s progress %s", r, r.State, r.Progress)
	}
	return out.String()
}

func compactJSON(t *testing.T, text json.RawMessage) json.RawMessage {
	if text == nil {
		return nil
	}
	var v any
	must(t, json.Unmarshal(text, &v))
	out, err := json.Marshal(v)
	must(t, err)
	return out
}

func sagaIDs(records []saga.Record) string {
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = r.ID
	}
	return strings.Join(ids, " ")
}

// listed is how Sagas returns records, in its order.
func listed(records ...saga.Record) []saga.Record {
	out := slices.Clone(records)
	for i := range out {
		out[i].State, out[i].Progress, out[i].Entries = nil, nil, nil
	}
	slices.SortFunc(out, func(a, b saga.Record) int {
		return cmp.Or(a.Started.Compare(b.Started), strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return out
}
