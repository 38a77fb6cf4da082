package mongodb_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage/mongodb"
)

type payment struct{ Asked int }

// unanswered payments are asked for three times, and given up.
func unanswered() saga.Definition[payment] {
	return saga.Definition[payment]{
		Name: "payment",
		Steps: []saga.Step[payment]{{
			Name: "pay",
			Action: func(c saga.Context, p *payment) []outbox.Message {
				p.Asked++
				return []outbox.Message{{Topic: "payment-request", Event: event.New("payment-request", c.ID, c.Attempt)}}
			},
			Timeout: 500 * time.Millisecond, Retry: saga.Retry{Attempts: 3, Min: 200 * time.Millisecond},
		}},
		Replies: []saga.Reply[payment]{{Topic: "payment-response", Read: func(event.Event) (saga.Answer[payment], error) {
			return saga.Answer[payment]{}, errors.New("there are none")
		}}},
	}
}

// TestManagersOverKills: two managers, with two workers each, fire timers over kills of the
// server. Each saga comes to its end, and asks as often as it should.
func TestManagersOverKills(t *testing.T) {
	server := testenv.StartMongoDB(t)
	ctx := t.Context()
	config := mongodb.Config{Database: "shop", Logger: slog.New(slog.DiscardHandler)}
	var dbs []*mongodb.DB
	var managers []*saga.Manager[*mongodb.Tx, payment]
	for range 2 {
		db := open(t, server.URL, config)
		m, err := saga.New(db, saga.Config[*mongodb.Tx, payment]{
			Definitions: []saga.Definition[payment]{unanswered()}, Workers: 2, PollInterval: 20 * time.Millisecond, TimerBatch: 8,
			Backoff: outbox.Backoff{Min: 50 * time.Millisecond, Max: time.Second}, Logger: config.Logger,
		})
		run(t, m.Service(), err)
		dbs, managers = append(dbs, db), append(managers, m)
	}
	const sagas, kills = 60, 2
	for n := range sagas {
		err := dbs[0].Update(ctx, func(tx *mongodb.Tx) error {
			_, _, err := managers[0].Start(ctx, tx, fmt.Sprint("s", n), payment{})
			return err
		})
		if err != nil && !dbs[0].Transient(err) {
			t.Fatal(err)
		}
		if n%(sagas/kills) == sagas/kills-1 {
			if err := errors.Join(server.Kill(), server.Restart(ctx)); err != nil {
				t.Fatal(err)
			}
		}
	}
	// An error may hide a commit: what is there counts.
	started := 0
	testenv.Wait(t, "all sagas have ended", 2*time.Minute, func() bool {
		counts, err := dbs[1].SagaCounts(ctx)
		ended := true
		started = 0
		for _, c := range counts {
			started += int(c.Count)
			ended = ended && c.Status == saga.Compensated
		}
		return err == nil && ended && started > sagas/2
	})
	rows, err := dbs[0].Pending(ctx, 0, outbox.Exclusion{}, 10_000, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]int{}
	for _, r := range rows {
		n, err := event.Decode[int](r.Event)
		if asked[r.Key]++; err != nil || n != asked[r.Key] {
			t.Errorf("saga %s: request %d is its number %d (%v)", r.Key, n, asked[r.Key], err)
		}
	}
	if len(asked) != started {
		t.Errorf("%d sagas asked, %d are there", len(asked), started)
	}
	for id, n := range asked {
		if n != 3 {
			t.Errorf("saga %s asked %d times", id, n)
		}
	}
	for _, m := range managers {
		if err := m.Health(); err != nil {
			t.Error(err)
		}
	}
}
