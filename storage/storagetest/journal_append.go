package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/journal"
)

func (c journalCase[T]) conflictAmongMany(t *testing.T) {
	c.append(t, write("a|3", 0, "first"))
	var writes []journal.Write
	for i := range 6 {
		writes = append(writes, withMessage(write(fmt.Sprintf("a|%d", i), 0, "group", "commit")))
	}
	for i, r := range c.group(t, writes...) {
		if i == 3 {
			isConflict(t, "the entity that was written to", r.Err, "a|3", 0)
			continue
		}
		must(t, r.Err)
		equal(t, "sequence number", r.SeqNr, 2)
		isRecent(t, "time", r.Time)
		loaded := c.load(t, writes[i].PersistenceID, 1, 0)
		equal(t, "stored time", loaded[1].Time, r.Time)
	}
	c.hasEvents(t, "a|3", "first")
	c.hasEvents(t, "a|4", "group", "commit")
	c.hasMessages(t, "a|0", "a|1", "a|2", "a|4", "a|5")
}

func (c journalCase[T]) conflicts(t *testing.T) {
	c.fill(t, "a|1", 3)
	at := c.load(t, "a|1", 3, 3)[0].Time
	low := write("a|1", 2, "low")
	low.AfterTime = at
	for _, w := range []journal.Write{
		write("a|1", 0, "x"), write("a|1", 1, "x"), write("a|1", 2, "x"), low, // somebody was faster
		write("a|1", 4, "x"), write("a|1", 1000, "x"), write("a|2", 1, "x"), // what it comes after is not there
	} {
		r := c.group(t, withMessage(w), write("b|1", 0, "beside"))
		isConflict(t, fmt.Sprintf("a write after %d", w.After), r[0].Err, w.PersistenceID, w.After)
		must(t, r[1].Err)
		c.hasEvents(t, "b|1", "beside")
		c.forget(t, "b|1", 1)
		alone := c.group(t, withMessage(w))[0]
		isConflict(t, fmt.Sprintf("a write alone after %d", w.After), alone.Err, w.PersistenceID, w.After)
		if c.db.Transient(alone.Err) {
			t.Fatal("a conflict is called transient")
		}
	}
	c.hasEvents(t, "a|1", "1", "2", "3")
	c.hasEvents(t, "a|2")
	c.hasMessages(t)
}

func (c journalCase[T]) conflictInPart(t *testing.T) {
	c.fill(t, "a|1", 3)
	r := c.group(t, withMessage(write("a|1", 1, "two", "three", "four", "five")), withMessage(write("a|2", 0, "one", "two")))
	isConflict(t, "a write over the end", r[0].Err, "a|1", 1)
	must(t, r[1].Err)
	c.hasEvents(t, "a|1", "1", "2", "3")
	c.standsAt(t, "a|1", 3)
	c.hasEvents(t, "a|2", "one", "two")
	c.hasMessages(t, "a|2")
}

// race: two writers append to the same entities at the same time, from the other
// end of the group each.
func (c journalCase[T]) race(t *testing.T) {
	const rounds, entities = 1000, 3
	results := [2][]journal.Result{}
	var loaded [2]int
	for round := range int64(rounds) {
		var both sync.WaitGroup
		start := make(chan struct{})
		for me := range results {
			var writes []journal.Write
			for e := range entities {
				id := fmt.Sprintf("race|%d", e)
				writes = append(writes, write(id, 2*round, fmt.Sprint(me), fmt.Sprint(me)))
			}
			if me == 1 {
				slices.Reverse(writes)
			}
			both.Go(func() {
				<-start
				var err error
				if results[me], err = c.db.AppendGroup(t.Context(), writes); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		both.Wait()
		if t.Failed() {
			return
		}
		for e := range entities {
			a, b := results[0][e], results[1][entities-1-e]
			if (a.Err == nil) == (b.Err == nil) {
				t.Fatalf("round %d, entity %d: %v, %v", round, e, a.Err, b.Err)
			}
			lost := errors.Join(a.Err, b.Err)
			if !errors.Is(lost, journal.ErrConflict) {
				t.Fatal(lost)
			}
			if a.Err == nil {
				loaded[0]++
			} else {
				loaded[1]++
			}
		}
	}
	t.Logf("won: %v", loaded)
	for e := range entities {
		events := c.load(t, fmt.Sprintf("race|%d", e), 1, 0)
		equal(t, "events", len(events), 2*rounds)
		for i := range rounds {
			if first, second := events[2*i], events[2*i+1]; string(first.Payload.Data) != string(second.Payload.Data) {
				t.Fatalf("events %d and %d are of two writes", first.SeqNr, second.SeqNr)
			}
		}
		inOrder(t, events)
	}
}

func (c journalCase[T]) invalidWrites(t *testing.T) {
	long := write("a|manifest", 0, "x")
	long.Events[0].Payload.Manifest = string(make([]byte, 300))
	message := withMessage(write("a|message", 0, "x"))
	message.Messages[0].Topic = ""
	for what, w := range map[string]journal.Write{
		"without an id": write("", 0, "x"), "with a zero byte in the id": write("a|\x00", 0, "x"),
		"not UTF-8": write("a|\xff", 0, "x"), "without events": write("a|none", 0), "after -1": write("a|-1", -1, "x"),
		"with an unfit manifest": long, "with an invalid message": message,
	} {
		r := c.group(t, write("b|1", 0, "beside"), w)
		must(t, r[0].Err)
		if r[1].Err == nil || c.db.Transient(r[1].Err) || errors.Is(r[1].Err, journal.ErrConflict) {
			t.Fatalf("a write %s: %v", what, r[1].Err)
		}
		c.forget(t, "b|1", 1)
		c.hasEvents(t, w.PersistenceID)
	}
	c.hasMessages(t)
	c.oddTexts(t)
}

// oddTexts: what one database refuses another may take; others are written.
func (c journalCase[T]) oddTexts(t *testing.T) {
	w := write("a|odd", 0, "x")
	w.Events[0].Tags = []string{"nul\x00", "\xff"}
	r := c.group(t, w, write("b|1", 0, "beside"))
	must(t, r[1].Err)
	c.hasEvents(t, "b|1", "beside")
	if r[0].Err == nil {
		equalSlices(t, "tags", c.load(t, "a|odd", 1, 0)[0].Tags, w.Events[0].Tags)
	}
}
