package storagetest

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// JournalTx is a transaction of a JournalDB.
type JournalTx interface {
	journal.Tx
	storage.Querier
}

// JournalDB is what Journal needs of a database.
type JournalDB[T JournalTx] interface {
	OutboxDB[T]
	journal.Store
}

// Journal tests the ports journal.Tx and journal.Store, without its Reader. open
// is as in Run.
func Journal[T JournalTx](t *testing.T, open func(t *testing.T) JournalDB[T]) {
	type test = func(journalCase[T], *testing.T)
	for _, group := range []map[string]test{
		{
			"events come back as they were":                  journalCase[T].roundTrip,
			"odd persistence ids":                            journalCase[T].oddIDs,
			"large payloads":                                 journalCase[T].large,
			"a large group":                                  journalCase[T].largeGroup,
			"loading: from and to":                           journalCase[T].bounds,
			"loading: an error ends it":                      journalCase[T].loadStops,
			"loading: the store can be used meanwhile":       journalCase[T].loadNested,
			"highest sequence numbers":                       journalCase[T].highest,
			"persistence ids, page by page":                  journalCase[T].ids,
			"conflict: one among many":                       journalCase[T].conflictAmongMany,
			"conflict: wherever the writer stands wrong":     journalCase[T].conflicts,
			"conflict: in part leaves nothing":               journalCase[T].conflictInPart,
			"conflict: one of two writers wins":              journalCase[T].race,
			"an invalid write fails alone":                   journalCase[T].invalidWrites,
			"transaction: beside the user's own":             journalCase[T].inTransaction,
			"transaction: rolled back":                       journalCase[T].rolledBack,
			"transaction: conflicts":                         journalCase[T].conflictInTransaction,
			"transaction: it sees what it wrote":             journalCase[T].readsOwnWrites,
			"persist tags":                                   journalCase[T].persistTags,
			"persist timestamp: one for events of one write": journalCase[T].persistTimestamp,
			"persist timestamp: the clock goes back":         journalCase[T].clockGoesBack,
		},
		prefixed("gap: ", gapCases[T]()),
		prefixed("cleanup: ", cleanupCases[T]()),
		prefixed("snapshot: ", snapshotCases[T]()),
		prefixed("state: ", stateCases[T]()),
	} {
		for name, test := range group {
			t.Run(name, func(t *testing.T) { test(journalCase[T]{open(t)}, t) })
		}
	}
}

func prefixed[V any](prefix string, cases map[string]V) map[string]V {
	out := make(map[string]V, len(cases))
	for name, c := range cases {
		out[prefix+name] = c
	}
	return out
}

// journalCase is one empty database; each of its tests gets its own.
type journalCase[T JournalTx] struct{ db JournalDB[T] }

// testWriter is a writer's UUID.
const testWriter = "0197a1b2-0000-7000-8000-000000000001"

func text(s string) journal.Payload {
	return journal.Payload{Serializer: 20, Data: []byte(s)}
}

// write is of events with those texts.
func write(persistenceID string, after int64, texts ...string) journal.Write {
	w := journal.Write{PersistenceID: persistenceID, After: after, Writer: testWriter}
	for _, s := range texts {
		w.Events = append(w.Events, journal.NewEvent{Payload: text(s)})
	}
	return w
}

func withMessage(w journal.Write) journal.Write {
	w.Messages = append(w.Messages, messageOf(w.PersistenceID))
	return w
}

func messageOf(persistenceID string) outbox.Message {
	return outbox.Message{Topic: "journal", Event: event.New("journal", persistenceID, 1)}
}

// append writes a group of which every write must succeed.
func (c journalCase[T]) append(t *testing.T, writes ...journal.Write) []journal.Appended {
	t.Helper()
	var appended []journal.Appended
	for i, r := range c.group(t, writes...) {
		if r.Err != nil {
			t.Fatalf("write %d: %v", i, r.Err)
		}
		appended = append(appended, r.Appended)
	}
	return appended
}

func (c journalCase[T]) group(t *testing.T, writes ...journal.Write) []journal.Result {
	t.Helper()
	results, err := c.db.AppendGroup(t.Context(), writes)
	must(t, err)
	equal(t, "results", len(results), len(writes))
	return results
}

// fill appends events "1" to "n", one by one.
func (c journalCase[T]) fill(t *testing.T, persistenceID string, n int) {
	t.Helper()
	for i := range n {
		c.append(t, write(persistenceID, int64(i), strconv.Itoa(i+1)))
	}
}

func (c journalCase[T]) load(t *testing.T, persistenceID string, from, to int64) []journal.Event {
	t.Helper()
	var all []journal.Event
	must(t, c.db.Events(t.Context(), persistenceID, from, to, func(e journal.Event) error {
		all = append(all, e)
		return nil
	}))
	return all
}

// hasEvents checks the texts of all events.
func (c journalCase[T]) hasEvents(t *testing.T, persistenceID string, want ...string) {
	t.Helper()
	events := c.load(t, persistenceID, 1, 0)
	got := make([]string, len(events))
	for i, e := range events {
		got[i] = string(e.Payload.Data)
		if e.Deleted {
			t.Fatalf("event %d of %s came though it is deleted", e.SeqNr, persistenceID)
		}
	}
	equalSlices(t, "events of "+persistenceID, got, want)
}

// hasSeqNrs checks the sequence numbers of events from 1 to to.
func (c journalCase[T]) hasSeqNrs(t *testing.T, persistenceID string, to int64, want ...int64) {
	t.Helper()
	var got []int64
	for _, e := range c.load(t, persistenceID, 1, to) {
		got = append(got, e.SeqNr)
	}
	equalSlices(t, "sequence numbers of "+persistenceID, got, want)
}

func (c journalCase[T]) standsAt(t *testing.T, persistenceID string, want int64) {
	t.Helper()
	got, err := c.db.HighestSeqNrs(t.Context(), []string{persistenceID})
	must(t, err)
	equalSlices(t, "the highest sequence number of "+persistenceID, got, []int64{want})
}

// hasMessages checks which entities' messages are in the outbox.
func (c journalCase[T]) hasMessages(t *testing.T, want ...string) {
	t.Helper()
	rows, err := c.db.Pending(t.Context(), 0, outbox.Exclusion{}, everything, everything)
	must(t, err)
	got := map[string]int{}
	for _, r := range rows {
		got[r.Key]++
	}
	equal(t, "messages", len(rows), len(want))
	for _, id := range want {
		equal(t, "messages of "+id, got[id], 1)
	}
}

func isConflict(t *testing.T, what string, err error, persistenceID string, expected int64) {
	t.Helper()
	var conflict *journal.ConflictError
	if !errors.As(err, &conflict) || !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("%s: %v, want a conflict", what, err)
	}
	equal(t, what+": the conflict", *conflict, journal.ConflictError{PersistenceID: persistenceID, Expected: expected})
}

func equalSlices[V comparable](t *testing.T, what string, got, want []V) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: got %v, want %v", what, got, want)
		}
	}
}

// isRecent checks a time of the database within this test.
func isRecent(t *testing.T, what string, at time.Time) {
	t.Helper()
	if at.Location() != time.UTC || !at.Equal(at.Truncate(time.Microsecond)) || time.Since(at).Abs() > time.Hour {
		t.Fatalf("%s: %v is no time of the database, UTC with microseconds", what, at)
	}
}
