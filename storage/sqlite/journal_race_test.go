package sqlite_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// TestJournalRace: of two processes that write to one entity one wins, and the
// other is told.
func TestJournalRace(t *testing.T) {
	path := newPath(t)
	handles := [2]*sqlite.DB{open(t, path), open(t, path)}
	const rounds, entities = 40, 5
	var won [2][entities]int
	var taking sync.WaitGroup
	for round := range rounds {
		var results [2][]journal.Result
		for side, db := range handles {
			taking.Go(func() {
				writes := make([]journal.Write, entities)
				for e := range writes {
					writes[e] = journal.Write{PersistenceID: fmt.Sprintf("race|%d", e), After: int64(round), Writer: fmt.Sprint(side),
						Events: []journal.NewEvent{{Payload: journal.Payload{Serializer: 20, Data: []byte{byte(side)}}}}}
				}
				var err error
				if results[side], err = db.AppendGroup(t.Context(), writes); err != nil {
					t.Error(err)
				}
			})
		}
		taking.Wait()
		if t.Failed() {
			return
		}
		for e := range entities {
			a, b := results[0][e].Err, results[1][e].Err
			if (a == nil) == (b == nil) || !errors.Is(errors.Join(a, b), journal.ErrConflict) {
				t.Fatalf("round %d, entity %d: %v, %v", round, e, a, b)
			}
			if a == nil {
				won[0][e]++
			} else {
				won[1][e]++
			}
		}
	}
	t.Logf("won: %v", won)
	for e := range entities {
		var stored [2]int
		err := handles[0].Events(t.Context(), fmt.Sprintf("race|%d", e), 1, 0, func(event journal.Event) error {
			stored[event.Payload.Data[0]]++
			return nil
		})
		if err != nil || stored != [2]int{won[0][e], won[1][e]} {
			t.Fatalf("entity %d: stored %v, %v", e, stored, err)
		}
	}
}
