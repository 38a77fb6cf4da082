//go:build unix

package faults_test

import (
	"encoding/json"
	"strings"

	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

// judge compares the sagas with what the sellers have.
func (a *agency) judge(what string) (completed int) {
	a.Helper()
	for n := range a.trips {
		id := tripID(n)
		r, entries, err := a.db.Saga(a.Context(), "trip", id)
		if err != nil {
			a.Fatal(err)
		}
		var bookings []string
		for _, step := range []string{"flight", "hotel", "car"} {
			bookings = append(bookings, a.booking(id, step))
		}
		done := strings.Count(strings.Join(bookings, " "), "booked")
		switch {
		case r.Status == saga.Completed && done == 3 && mannerOf(n).mayComplete():
			completed++
			var state itinerary
			if err := json.Unmarshal(r.State, &state); err != nil || len(state.Done) != 3 {
				a.Errorf("%s: %s has taken the answers %v (%v), want one of each seller", what, id, state.Done, err)
			}
		case r.Status == saga.Compensated && done == 0:
		default:
			a.Errorf("%s: %s (manner %d) is %s, and its bookings are %q: %+v", what, id, mannerOf(n), r.Status, bookings, entries)
		}
	}
	a.judgeCommands(what)
	if a.Failed() {
		a.FailNow()
	}
	return completed
}

// judgeCommands: each was sent once, and carried out once.
func (a *agency) judgeCommands(what string) {
	a.Helper()
	carriedOut := map[string]int{}
	err := a.db.View(a.Context(), func(q storage.Querier) error {
		rows, err := q.Query(a.Context(), `SELECT k FROM commands`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var key string
			if err := rows.Scan(&key); err != nil {
				return err
			}
			carriedOut[key]++
		}
		return rows.Err()
	})
	if err != nil {
		a.Fatal(err)
	}
	sent := map[string]string{} // id by key
	for _, topic := range []string{book, unbook} {
		for _, r := range a.read(topic) {
			key := r.Headers[saga.HeaderKey]
			if other, twice := sent[key]; twice && other != r.ID {
				a.Errorf("%s: command %s was sent as message %s and as %s", what, key, other, r.ID)
			}
			sent[key] = r.ID
		}
	}
	for key := range sent {
		if carriedOut[key] != 1 {
			a.Errorf("%s: command %s was carried out %d times", what, key, carriedOut[key])
		}
	}
	if len(carriedOut) != len(sent) {
		a.Errorf("%s: %d commands were carried out, %d sent", what, len(carriedOut), len(sent))
	}
}
