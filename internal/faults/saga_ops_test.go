//go:build unix

package faults_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/sqlite"
	"github.com/pabal-dev/pabal/storage/storagetest"
)

// TestEveryDatabaseCallOfASagaMayFail lets the nth call to the database fail, before
// or after it did its work, for each n until a trip comes to its end without.
func TestEveryDatabaseCallOfASagaMayFail(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	stride := 1
	if !full() {
		stride = 8
	}
	for _, how := range []manner{silentOnce, undoFails} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("manner %d, after %v", how, after), func(t *testing.T) {
				methods := map[string]int{}
				for nth := 1 + random.IntN(stride); ; nth += 1 + random.IntN(2*stride-1) {
					method, happened := runTrip(t, how, storagetest.Fault{At: nth, After: after})
					if !happened {
						break
					}
					methods[method]++
				}
				t.Logf("failed: %v", methods)
				if len(methods) == 0 {
					t.Error("nothing failed")
				}
				for _, method := range []string{"Update", "NextDue", "Tx.DueSagas", "Tx.LoadSagas", "Tx.InsertSagas", "Tx.SaveSagas", "Tx.InsertOutbox"} {
					if stride == 1 && methods[method] == 0 {
						t.Errorf("%s never failed", method)
					}
				}
			})
		}
	}
}

// post carries messages from the outbox to who handles them, as relay and inbox do,
// without a broker.
type post struct {
	testing.TB
	db      storage.DB // without faults
	faulty  *storagetest.FaultyDB
	lead    *lead
	carried map[int64]bool
}

// runTrip says which call failed.
func runTrip(t *testing.T, how manner, fault storagetest.Fault) (method string, happened bool) {
	t.Helper()
	file, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "trip.db"), sqlite.Config{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	db := storage.Any(file)
	defer db.Close()
	if err := db.Migrate(t.Context(), "agency", tripTables); err != nil {
		t.Fatal(err)
	}
	p := &post{TB: t, db: db, faulty: storagetest.Faulty(db, fault), carried: map[int64]bool{}}
	// Time is quick, so that timers need not be waited for.
	begin := time.Now()
	if p.lead, err = newLead(p.faulty, func() time.Time { return begin.Add(30 * time.Since(begin)) }, quiet); err != nil {
		t.Fatal(err)
	}
	if err := p.lead.Service().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.lead.Service().Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	p.deliver(trips, event.New(trips, "trip", order{"trip", int(how)}))
	var last string
	within(t, fmt.Sprintf("the trip ends, fault %+v", fault), &last, func() bool {
		moved := p.carry()
		r, _, err := db.Saga(t.Context(), "trip", "trip")
		last = fmt.Sprintf("%s (%s), %v", r.Status, r.Current, err)
		return err == nil && r.Status.Ended() && !moved
	})
	p.judge(how)
	return p.faulty.Happened()
}

// carry says whether there was something to carry.
func (p *post) carry() (moved bool) {
	p.Helper()
	rows, err := p.db.Pending(p.Context(), 0, outbox.Exclusion{}, 1000, 1<<30)
	if err != nil {
		p.Fatal(err)
	}
	for _, row := range rows {
		if !p.carried[row.ID] {
			p.carried[row.ID], moved = true, true
			p.deliver(row.Topic, row.Event)
		}
	}
	return moved
}

// deliver repeats what the database refused; what fails by itself is left.
func (p *post) deliver(topic string, e event.Event) {
	p.Helper()
	ctx := p.Context()
	m := inbox.Message{Event: e, Topic: topic, Attempt: 1}
	for range 3 {
		err := p.faulty.Update(ctx, func(tx storage.Tx) error {
			unseen, err := tx.MarkInbox(ctx, "post", []inbox.Mark{{ID: e.ID, Outcome: inbox.Handled}})
			if err != nil || !unseen[0] {
				return err
			}
			switch topic {
			case trips:
				return startTrip(p.lead)(ctx, tx, m)
			case book:
				return sell(ctx, tx, m)
			case unbook:
				return takeBack(ctx, tx, m)
			}
			return p.lead.Handlers()[topic](ctx, tx, []inbox.Message{m})
		})
		if err == nil || !p.faulty.Transient(err) {
			return
		}
	}
	p.Fatalf("message %s to %s failed three times", e.ID, topic)
}

func (p *post) judge(how manner) {
	p.Helper()
	r, entries, err := p.db.Saga(p.Context(), "trip", "trip")
	if err != nil {
		p.Fatal(err)
	}
	var bookings, commands, kinds int
	err = p.db.View(p.Context(), func(q storage.Querier) error {
		return q.QueryRow(p.Context(), `SELECT (SELECT count(*) FROM bookings WHERE state = 'booked'), (SELECT count(*) FROM commands),
			(SELECT count(DISTINCT k) FROM commands)`).Scan(&bookings, &commands, &kinds)
	})
	if err != nil {
		p.Fatal(err)
	}
	whole := r.Status == saga.Completed && bookings == 3 && how.mayComplete()
	undone := r.Status == saga.Compensated && bookings == 0 // also where the machine was slow
	if !whole && !undone || commands != kinds {
		p.Fatalf("the trip is %s with %d bookings; %d commands were carried out, %d of them different: %+v",
			r.Status, bookings, commands, kinds, entries)
	}
}
