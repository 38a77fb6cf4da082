package redrive

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

const (
	// outcomeBatch is how many letters are looked at together, idBatch how many one
	// question is about: it is a URL.
	outcomeBatch = 500
	idBatch      = 200
	// openEvery is how many times more seldom open letters are asked about.
	openEvery = 4
	// slowest is how seldom is asked about a letter that waits for long.
	slowest = 10 * time.Minute
)

// watch asks what became of letters until Stop.
func (r *run) watch() {
	for begin := (time.Time{}); r.soft.Err() == nil; {
		asked, err := r.askOutcomes(r.soft, stateRedriven)
		// Of those that nobody redrove, one batch from time to time.
		if err == nil && time.Since(begin) >= openEvery*r.pace.outcomes {
			begin = time.Now()
			_, err = r.askOutcomes(r.soft, stateOpen)
		}
		if err != nil && r.soft.Err() == nil {
			r.log.Warn("what became of dead letters cannot be asked", "error", err)
		}
		if asked && err == nil {
			continue
		}
		select {
		case <-r.soft.Done():
		case <-r.nudge:
		case <-time.After(r.pace.outcomes):
		}
	}
}

// wake lets watch look at once.
func (r *run) wake() {
	select {
	case r.nudge <- struct{}{}:
	default:
	}
}

// askOutcomes asks about letters in a state that are due; asked is false where none
// were.
func (r *run) askOutcomes(ctx context.Context, state string) (asked bool, err error) {
	due, err := r.index.due(ctx, r.clusterID(), state, time.Now())
	if err != nil || len(due) == 0 {
		return false, err
	}
	r.directory.refresh(ctx, r.pace.topics/2)
	byGiver := map[giver][]waiting{}
	for _, w := range due {
		byGiver[w.giver] = append(byGiver[w.giver], w)
	}
	for g, letters := range byGiver {
		outcomes, err := r.ask(ctx, g, letters)
		if ctx.Err() != nil {
			return true, ctx.Err()
		}
		if err != nil {
			r.log.Debug("a service does not say what became of dead letters", "consumer", g.consumer, "outbox", g.outbox, "error", err)
		}
		if err := r.index.settle(ctx, letters, outcomes, time.Now(), r.pace.outcomes); err != nil {
			return true, err
		}
	}
	return true, nil
}

// waiting is a letter whose outcome is not known.
type waiting struct {
	giver
	seq     int64
	eventID string
	row     int64
	state   string
	since   time.Time
}

// due are letters of a cluster in a state to ask about.
func (x *index) due(ctx context.Context, cluster, state string, now time.Time) (all []waiting, err error) {
	err = x.db.View(ctx, func(q storage.Querier) error {
		rows, err := q.Query(ctx, `SELECT seq, consumer, outbox, event_id, outbox_row, state, since FROM dead_letter
			WHERE cluster = $1 AND state = $2 AND due <= $3 ORDER BY due LIMIT $4`, cluster, state, now.UnixMicro(), outcomeBatch)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var w waiting
			var since int64
			if err := rows.Scan(&w.seq, &w.consumer, &w.outbox, &w.eventID, &w.row, &w.state, &since); err != nil {
				return err
			}
			w.since = timeOf(since)
			all = append(all, w)
		}
		return rows.Err()
	})
	return all, err
}

// ask returns the states of letters that have another one now, by seq.
func (r *run) ask(ctx context.Context, g giver, letters []waiting) (map[int64]string, error) {
	service, err := r.directory.at(ctx, g)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if g.outbox != "" {
		return askRows(ctx, service, letters, time.Now())
	}
	return askMarks(ctx, service, g.consumer, letters)
}

func askMarks(ctx context.Context, service admin.API, consumer string, letters []waiting) (map[int64]string, error) {
	outcomes := map[int64]string{}
	for some := range slices.Chunk(letters, idBatch) {
		marks, err := service.Marks(ctx, consumer, eventIDs(some)...)
		if err != nil {
			return outcomes, err
		}
		handled := map[string]bool{}
		for _, m := range marks {
			handled[m.ID] = m.Outcome == inbox.Handled
		}
		for _, w := range some {
			if handled[w.eventID] {
				outcomes[w.seq] = stateHandled
			}
		}
	}
	return outcomes, nil
}

func eventIDs(letters []waiting) []string {
	ids := make([]string, len(letters))
	for i, w := range letters {
		ids[i] = w.eventID
	}
	return ids
}

func askRows(ctx context.Context, service admin.API, letters []waiting, now time.Time) (map[int64]string, error) {
	outcomes := map[int64]string{}
	for some := range slices.Chunk(letters, idBatch) {
		rows, err := rowsOf(ctx, service, eventIDs(some))
		if err != nil {
			return outcomes, err
		}
		for _, w := range some {
			outcomes[w.seq] = rowOutcome(rows[w.row], w.state, now.Sub(w.since))
		}
	}
	return outcomes, nil
}

// rowsOf are the statuses of the outbox rows of those events, by row id.
func rowsOf(ctx context.Context, service admin.API, ids []string) (map[int64]outbox.Status, error) {
	statuses := map[int64]outbox.Status{}
	for q := (outbox.RowQuery{EventIDs: ids, Limit: outbox.MaxInspectRows}); ; {
		page, err := service.Rows(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, row := range page.Rows {
			statuses[row.ID] = row.Status
		}
		if page.After <= q.After {
			return statuses, nil
		}
		q.After = page.After
	}
}

// failedAgain is how long a row that was replayed may be FAILED without another
// letter; then it was not replayed, or the letter is lost, and this one is open.
const failedAgain = 10 * time.Second

// rowOutcome is the state of a relay's letter, by its row. One that is not there any
// more was published, and its history is not kept. A row is STARTED also for a
// moment after its letter was written.
func rowOutcome(row outbox.Status, state string, age time.Duration) string {
	switch {
	case row == outbox.Failed && state == stateRedriven && age > failedAgain:
		return stateOpen
	case row == outbox.Failed, row == outbox.Started:
		return state
	}
	return stateHandled
}

// settle notes what became of letters, and when to ask about the rest again.
func (x *index) settle(ctx context.Context, letters []waiting, outcomes map[int64]string, now time.Time, soonest time.Duration) error {
	return x.update(ctx, func(tx *sqlite.Tx) error {
		for _, w := range letters {
			state := outcomes[w.seq]
			if state == "" {
				state = w.state
			}
			_, err := tx.Exec(ctx, "UPDATE dead_letter SET state = $1, due = $2 WHERE seq = $3 AND state = $4",
				state, now.Add(pause(w, now, soonest)).UnixMicro(), w.seq, w.state)
			if err != nil {
				return fmt.Errorf("dead letter %d: %w", w.seq, err)
			}
		}
		return nil
	})
}

// pause grows with the time a letter waits; one that nobody redrove can wait.
func pause(w waiting, now time.Time, soonest time.Duration) time.Duration {
	if w.state == stateOpen {
		soonest *= 20
	}
	return min(slowest, max(soonest, now.Sub(w.since)/4))
}
