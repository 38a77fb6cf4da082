package storagetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/saga"
)

func sagaRowCases[T saga.Tx]() map[string]func(sagaCase[T], *testing.T) {
	return map[string]func(sagaCase[T], *testing.T){
		"comes back as it was":        sagaCase[T].roundTrip,
		"loading":                     sagaCase[T].loading,
		"an id is inserted once":      sagaCase[T].insertOnce,
		"the same id under two names": sagaCase[T].twoNames,
		"saving replaces":             sagaCase[T].saving,
		"saving what changed":         sagaCase[T].savingChanged,
		"all in one transaction":      sagaCase[T].oneTransaction,
		"a rollback forgets":          sagaCase[T].rollback,
		"the timeline":                sagaCase[T].timelines,
		"large groups":                sagaCase[T].large,
		"nothing to do":               sagaCase[T].nothing,
	}
}

func (c sagaCase[T]) roundTrip(t *testing.T) {
	odd := saga.Record{
		Name: "주문-saga", ID: `odd "id", 김 \ {NULL} 'x'`, Version: 3, Revision: 7, Status: saga.NeedsReview,
		State:         json.RawMessage(`{"text":"\u0000 $1 \"{김}\" \\","n":9007199254740993.25,"deep":[[{}],null,true]}`),
		Progress:      json.RawMessage(`["\ud83d\ude00"]`),
		CorrelationID: `corr {"a"} 김`, Reason: "because\n{}\"'\\", Current: "a, b",
		Started: sagaEpoch, Changed: sagaEpoch.Add(time.Microsecond), Due: sagaEpoch.Add(time.Hour + time.Microsecond),
	}
	plain := saga.Record{Name: theSaga, ID: "a", Version: 1, Revision: 1, Status: saga.Running, State: json.RawMessage(`null`),
		Progress: json.RawMessage(`0`), Started: sagaEpoch, Changed: sagaEpoch}
	over := ended(sagaRecord("b", 1), saga.Completed, time.Hour)
	c.insert(t, odd, plain, over)
	for _, want := range []saga.Record{odd, plain, over} {
		got, entries, err := c.db.Saga(t.Context(), want.Name, want.ID)
		must(t, err)
		sameSagas(t, "read", []saga.Record{got}, want)
		if string(got.State) != string(want.State) {
			t.Fatalf("the state's text changed: %s, want %s", got.State, want.State)
		}
		if len(entries) != len(want.Entries) {
			t.Fatalf("entries: %+v", entries)
		}
		c.update(t, func(tx T) error {
			records, err := tx.LoadSagas(t.Context(), want.Name, []string{want.ID})
			sameSagas(t, "loaded", records, want)
			return err
		})
	}
	// Times come from clocks that are finer, and from other places.
	fine := sagaRecord("fine", 0)
	fine.Started = fine.Started.Add(999 * time.Nanosecond).In(time.FixedZone("Seoul", 9*3600))
	fine.Due = fine.Started
	c.insert(t, fine)
	fine.Started, fine.Due = sagaEpoch, sagaEpoch
	sameSagas(t, "microseconds", c.load(t, "fine"), fine)
	// What people read does not keep a saga from being stored.
	dirty := sagaRecord("dirty", 0)
	dirty.Reason, dirty.Current = "nul \x00 and \xff", "step\x00"
	c.insert(t, dirty)
	if got := c.load(t, "dirty")[0]; !strings.Contains(got.Reason, "and") || !strings.HasPrefix(got.Current, "step") {
		t.Fatalf("reason %q, current %q", got.Reason, got.Current)
	}
}

func (c sagaCase[T]) loading(t *testing.T) {
	all := map[string]saga.Record{}
	for i, id := range []string{"b", "B", "a", "_", "ä", "é", "김", "a b", "aa", "Z", "~"} {
		all[id] = sagaRecord(id, i)
		c.insert(t, all[id])
	}
	got := c.load(t, "김", "a", "unknown", "ä", "aa", "a", "_", "B", "b", "é", "a b", "Z", "~", "B", "", "nul\x00", "\xff", strings.Repeat("x", 9999))
	want := []string{"B", "Z", "_", "a", "a b", "aa", "b", "~", "ä", "é", "김"}
	if !slices.IsSorted(want) {
		t.Fatal("the test is wrong")
	}
	var records []saga.Record
	for _, id := range want {
		records = append(records, all[id])
	}
	sameSagas(t, "loaded, once each, in byte order", got, records...)
	c.update(t, func(tx T) error {
		for _, name := range []string{"another", "", "\xff", "nul\x00"} {
			if records, err := tx.LoadSagas(t.Context(), name, []string{"a"}); err != nil || len(records) != 0 {
				t.Fatalf("of the name %q: %v, %v", name, records, err)
			}
		}
		return nil
	})
}

func (c sagaCase[T]) insertOnce(t *testing.T) {
	first := sagaRecord("b", 1)
	second := sagaRecord("b", 2)
	second.Entries = []saga.Entry{{At: sagaEpoch, Kind: saga.EntryStarted, Note: "the second"}}
	got := c.tryInsert(t, first, sagaRecord("a", 3), second)
	if !slices.Equal(got, []bool{true, true, false}) {
		t.Fatalf("inserted: %v", got)
	}
	if got := c.tryInsert(t, second, sagaRecord("c", 4)); !slices.Equal(got, []bool{false, true}) {
		t.Fatalf("inserted the second time: %v", got)
	}
	sameSagas(t, "the first", c.load(t, "b"), first)
	if entries := c.timeline(t, "b"); len(entries) != 1 || entries[0].Note != "" {
		t.Fatalf("of one that was not inserted, nothing is stored: %+v", entries)
	}
	c.save(t, next(first))
	if got := c.tryInsert(t, first); got[0] {
		t.Fatal("inserted after a decision")
	}
}

func (c sagaCase[T]) twoNames(t *testing.T) {
	a, b := sagaRecord("1", 1), sagaRecord("1", 2)
	b.Name = "another"
	c.insert(t, a, b)
	c.save(t, next(b))
	sameSagas(t, "of the first name", c.load(t, "1"), a)
	c.save(t, next(a))
}

func (c sagaCase[T]) saving(t *testing.T) {
	a, b := dueAt(sagaRecord("a", 1), time.Hour), sagaRecord("b", 2)
	c.insert(t, a, b)
	a = next(a)
	a.Version, a.Status, a.State, a.Progress = 2, saga.Compensating, json.RawMessage(`{"n":"new"}`), json.RawMessage(`[1]`)
	a.CorrelationID, a.Reason, a.Current, a.Due = "other", "refused", "undo", sagaEpoch.Add(time.Minute)
	c.save(t, a)
	sameSagas(t, "the other is as it was", c.load(t, "a", "b"), a, b)
	a = ended(a, saga.Compensated, 2*time.Hour)
	c.save(t, next(b), a)
	sameSagas(t, "ended", c.load(t, "a", "b"), a, next(b))
	a = next(a)
	a.Status, a.Ended, a.Due = saga.Compensating, time.Time{}, sagaEpoch
	c.save(t, a)
	sameSagas(t, "going on after the end", c.load(t, "a"), a)
}

func (c sagaCase[T]) savingChanged(t *testing.T) {
	a, b := sagaRecord("a", 1), sagaRecord("b", 2)
	c.insert(t, a, b)
	ahead := next(next(a))
	unknown := next(sagaRecord("unknown", 1))
	for what, r := range map[string]saga.Record{"the same revision": a, "a revision too far": ahead, "an unknown saga": unknown} {
		if err := c.trySave(t, next(b), r); !errors.Is(err, saga.ErrChanged) || !strings.Contains(err.Error(), r.ID) {
			t.Fatalf("%s: %v, want ErrChanged that names it", what, err)
		}
	}
	sameSagas(t, "after the rollback", c.load(t, "a", "b"), a, b)
	if entries := c.timeline(t, "b"); len(entries) != 1 {
		t.Fatalf("timeline after the rollback: %+v", entries)
	}
	c.save(t, next(a))
	if err := c.trySave(t, next(a)); !errors.Is(err, saga.ErrChanged) {
		t.Fatalf("saving twice: %v, want ErrChanged", err)
	}
}

func (c sagaCase[T]) oneTransaction(t *testing.T) {
	a := dueAt(sagaRecord("a", 1), 0)
	c.update(t, func(tx T) error {
		inserted, err := tx.InsertSagas(t.Context(), []saga.Record{a})
		must(t, err)
		equal(t, "inserted", inserted[0], true)
		loaded, err := tx.LoadSagas(t.Context(), theSaga, []string{"a"})
		must(t, err)
		sameSagas(t, "loaded", loaded, a)
		must(t, tx.SaveSagas(t.Context(), []saga.Record{next(a)}))
		due, err := tx.DueSagas(t.Context(), theSaga, sagaEpoch, 10)
		must(t, err)
		sameSagas(t, "due", due, next(a))
		again, err := tx.DueSagas(t.Context(), theSaga, sagaEpoch, 10)
		must(t, err)
		sameSagas(t, "due a second time: a lock of one's own is none", again, next(a))
		return tx.SaveSagas(t.Context(), []saga.Record{next(next(a))})
	})
	sameSagas(t, "in the end", c.load(t, "a"), next(next(a)))
	equal(t, "entries", len(c.timeline(t, "a")), 3)
}

func (c sagaCase[T]) rollback(t *testing.T) {
	a := dueAt(sagaRecord("a", 1), 0)
	c.insert(t, a)
	no := errors.New("no")
	err := c.db.Update(t.Context(), func(tx T) error {
		_, err := tx.InsertSagas(t.Context(), []saga.Record{sagaRecord("b", 1)})
		must(t, err)
		must(t, tx.SaveSagas(t.Context(), []saga.Record{ended(a, saga.Completed, 0)}))
		return no
	})
	if !errors.Is(err, no) {
		t.Fatal(err)
	}
	sameSagas(t, "after the rollback", c.load(t, "a", "b"), a)
	equal(t, "entries", len(c.timeline(t, "a")), 1)
	sameSagas(t, "due", c.due(t, 0, 10), a)
}

func (c sagaCase[T]) timelines(t *testing.T) {
	full := saga.Entry{At: sagaEpoch, Kind: saga.EntryCommand, Step: "pay", Attempt: 2, MessageID: "m", Type: "payment-request",
		Topic: "payments", Status: saga.Running, Note: "nul \x00 {\"김\"}", Actor: "kim"}
	a := sagaRecord("a", 1)
	a.Entries = append(a.Entries, full, full)
	want := slices.Clone(a.Entries)
	c.insert(t, a, sagaRecord("b", 2))
	for i := range 12 {
		a = next(a)
		if i%3 == 0 {
			a.Entries = nil
		}
		want = append(want, a.Entries...)
		c.save(t, a)
	}
	if got := c.timeline(t, "a"); !reflect.DeepEqual(got, want) {
		t.Fatalf("timeline:\ngot  %+v\nwant %+v", got, want)
	}
	silent := sagaRecord("silent", 3)
	silent.Entries = nil
	c.insert(t, silent)
	equal(t, "entries of a silent saga", len(c.timeline(t, "silent")), 0)
	for _, place := range [][2]string{{theSaga, "c"}, {"another", "a"}, {"", ""}, {theSaga, "nul\x00"}, {"\xff", "a"}} {
		if _, _, err := c.db.Saga(t.Context(), place[0], place[1]); !errors.Is(err, saga.ErrNotFound) {
			t.Fatalf("saga %q: %v, want ErrNotFound", place, err)
		}
	}
}

func (c sagaCase[T]) large(t *testing.T) {
	const n = 700
	var all, saved []saga.Record
	var ids []string
	for i := range n {
		r := sagaRecord(fmt.Sprintf("s-%04d", i), i)
		r.State = json.RawMessage(`"` + strings.Repeat("x", i*11) + `"`)
		all, saved, ids = append(all, r), append(saved, next(r)), append(ids, r.ID)
	}
	slices.Reverse(ids)
	c.insert(t, all...)
	sameSagas(t, "inserted", c.load(t, ids...), all...)
	c.save(t, saved...)
	sameSagas(t, "saved", c.load(t, ids...), saved...)
	equal(t, "entries", len(c.timeline(t, ids[0])), 2)
}

func (c sagaCase[T]) nothing(t *testing.T) {
	c.update(t, func(tx T) error {
		loaded, err := tx.LoadSagas(t.Context(), theSaga, nil)
		must(t, err)
		inserted, err := tx.InsertSagas(t.Context(), nil)
		must(t, err)
		due, err := tx.DueSagas(t.Context(), theSaga, sagaEpoch, 10)
		must(t, err)
		equal(t, "records", len(loaded)+len(inserted)+len(due), 0)
		return tx.SaveSagas(t.Context(), nil)
	})
	next, err := c.db.NextDue(t.Context(), theSaga)
	must(t, err)
	equal(t, "a next timer", next.IsZero(), true)
	list, err := c.db.Sagas(t.Context(), saga.Query{})
	must(t, err)
	counts, err := c.db.SagaCounts(t.Context())
	must(t, err)
	trimmed, err := c.db.TrimSagas(t.Context(), theSaga, sagaEpoch, 10)
	must(t, err)
	equal(t, "sagas", len(list)+len(counts)+int(trimmed), 0)
}
