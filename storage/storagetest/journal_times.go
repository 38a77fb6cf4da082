package storagetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// persistTags is Pekko's PersistTagsSpec.
func (c journalCase[T]) persistTags(t *testing.T) {
	const entities = 9
	var writes []journal.Write
	for i := range entities {
		w := write(fmt.Sprintf("tagged|p%d", i), 0, "e1")
		w.Events[0].Tags = []string{"tagged", fmt.Sprintf("tag-p%d", i)}
		writes = append(writes, w)
	}
	c.append(t, writes...)
	for _, w := range writes {
		events := c.load(t, w.PersistenceID, 1, 0)
		equal(t, "events", len(events), 1)
		equalSlices(t, "tags of "+w.PersistenceID, events[0].Tags, w.Events[0].Tags)
	}
}

// persistTimestamp is Pekko's PersistTimestampSpec: 100 writes to 20 entities,
// every fifth of three events.
func (c journalCase[T]) persistTimestamp(t *testing.T) {
	const entities = 20
	var last [entities]journal.Appended
	for n := 1; n <= 100; n++ {
		p := n % entities
		e := fmt.Sprintf("e%d-%d", p, n)
		w := write(fmt.Sprintf("p|%d", p), last[p].SeqNr, e)
		if n%5 == 0 {
			w = write(w.PersistenceID, w.After, e, e, e)
		}
		if n%2 == 0 {
			w.AfterTime = last[p].Time
		}
		last[p] = c.append(t, w)[0]
	}
	for p := range entities {
		events := c.load(t, fmt.Sprintf("p|%d", p), 1, 0)
		inOrder(t, events)
		times := map[string]time.Time{}
		for _, e := range events {
			text := string(e.Payload.Data)
			if at, seen := times[text]; seen {
				equal(t, "time of "+text, e.Time, at)
			}
			times[text] = e.Time
		}
		equal(t, "the last time", events[len(events)-1].Time, last[p].Time)
	}
}

// inOrder checks that an entity's time does not go back, and moves between writes.
func inOrder(t *testing.T, events []journal.Event) {
	t.Helper()
	for i := 1; i < len(events); i++ {
		if events[i].SeqNr != events[i-1].SeqNr+1 || events[i].Time.Before(events[i-1].Time) {
			t.Fatalf("event %d at %v comes after event %d at %v", events[i].SeqNr, events[i].Time, events[i-1].SeqNr, events[i-1].Time)
		}
	}
}

func (c journalCase[T]) clockGoesBack(t *testing.T) {
	first := c.append(t, write("p|1", 0, "one"))[0]
	w := write("p|1", 1, "two", "three")
	w.AfterTime = first.Time.Add(time.Hour) // as if the clock had been there
	second := c.append(t, w)[0]
	equal(t, "time", second.Time, w.AfterTime.Add(time.Microsecond))
	third := c.append(t, write("p|1", 3, "four"))[0]
	equal(t, "time after a look-up", third.Time, second.Time.Add(time.Microsecond))
	must(t, c.db.Update(t.Context(), func(tx T) error {
		fourth, err := tx.AppendEvents(t.Context(), []journal.Write{write("p|1", 4, "five")})
		must(t, err)
		equal(t, "time in a transaction", fourth[0].Time, third.Time.Add(time.Microsecond))
		return nil
	}))
	inOrder(t, c.load(t, "p|1", 1, 0))

	c.writeState(t, stateOf("p|1", 1, "one"))
	c.writeState(t, stateOf("p|1", 2, "two"))
	must(t, c.db.Update(t.Context(), func(tx T) error {
		now, _, err := c.db.LoadState(t.Context(), "p|1")
		must(t, err)
		third, err := tx.WriteStates(t.Context(), []journal.StateWrite{stateOf("p|1", 3, "three")})
		must(t, err)
		if !third[0].Time.After(now.Time) {
			t.Fatalf("revision 3 at %v, 2 at %v", third[0].Time, now.Time)
		}
		return nil
	}))
}
